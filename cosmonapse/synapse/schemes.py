"""Look up the factory of a Synapse by the scheme of its URL. Spec: docs/spec/08-port.md.

The schemes of ZeroMQ, of NATS and of this process are built in. Another distribution adds one with
an entry point of the group `cosmonapse.synapses`. Entry points are read only when a URL has a
scheme that is not built in: reading them costs milliseconds.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from ..keys import Key
from ..transport import Synapse
from .url import auto_namespace, is_auto, memory_name, parse_url, unusable
from .zmq import ZmqSynapse

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP: Final = "cosmonapse.synapses"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")

SynapseFactory = Callable[[str], Synapse]
"""Whole URL -> Synapse, not yet connected; raises `InvalidUrl`."""


def _in_process(url: str, carrier: str, key: Key | None, creds: str | None) -> Synapse:
    from .memory import memory_synapse  # brings the proxy, a third of what a client loads

    return memory_synapse(memory_name(url))


def _over_zeromq(url: str, carrier: str, key: Key | None, creds: str | None) -> Synapse:
    if is_auto(url):
        from .auto import AutoSynapse  # most programs have no use for it

        return AutoSynapse(url, carrier, key)
    return ZmqSynapse(parse_url(url), carrier, key)


def _over_nats(url: str, carrier: str, key: Key | None, creds: str | None) -> Synapse:
    from .nats.nats_py import check_installed  # of an extra, and most programs have no use for it

    check_installed()
    from .nats.place import NatsPlace
    from .nats.synapse import NatsSynapse

    return NatsSynapse(NatsPlace.of(url, creds))


_BUILT_IN: Mapping[str, Callable[[str, str, Key | None, str | None], Synapse]] = MappingProxyType(
    {
        "cosmo": _over_zeromq,
        "cosmo+ipc": _over_zeromq,
        "memory": _in_process,
        "nats": _over_nats,
        "tls": _over_nats,
    }
)


def takes_key(url: str) -> bool:
    """Return whether a Synapse behind such a URL may have keys."""
    return _scheme_of(url) in ("cosmo", "cosmo+ipc")


def is_on_nats(url: str) -> bool:
    """Return whether such a URL is that of a nats-server."""
    return _scheme_of(url) in ("nats", "tls")


def _scheme_of(url: str) -> str:
    found = _SCHEME.match(url) if isinstance(url, str) else None
    return found[1].lower() if found else "cosmo"


def factory_for(
    url: str, carrier: str, key: Key | None = None, creds: str | None = None
) -> SynapseFactory:
    """Return the factory of the Synapse behind `url`.

    A built-in scheme cannot be replaced. A text without a scheme belongs to `cosmo`, whose errors
    show the form of a URL.

    Args:
        url: The whole URL.
        carrier: The name of a carrier; of use to `cosmo` and `cosmo+ipc` only.
        key: The key to show; of use to `cosmo` only.
        creds: The path of a file of credentials; of use to NATS only.

    Raises:
        InvalidUrl: The scheme is unknown, or its distribution cannot be used.
    """
    scheme = _scheme_of(url)
    if scheme in _BUILT_IN:
        built_in = _BUILT_IN[scheme]
        return lambda whole: built_in(whole, carrier, key, creds)
    try:
        return _installed(scheme)
    except LookupError as error:
        raise unusable(url, str(error.args[0])) from error.__cause__


def checked_url(url: str) -> str:
    """Return a URL if a Synapse can be made of it.

    Raises:
        InvalidUrl: It names no endpoint, or its scheme is unknown.
        MissingExtra: What it names needs a package that is not installed.
    """
    if is_auto(url):
        auto_namespace(url)
    elif takes_key(url):
        parse_url(url)
    elif _scheme_of(url) == "memory":
        memory_name(url)
    elif is_on_nats(url):
        from .nats.place import NatsPlace

        NatsPlace.of(url)
    else:
        factory_for(url, "")
    return url


@functools.cache
def _installed(scheme: str) -> SynapseFactory:
    """Return the factory of an installed distribution.

    Raises:
        LookupError: None can be used; the text names the cause and the remedy.
    """
    from importlib.metadata import entry_points

    installed = entry_points(group=GROUP)
    offered = [each for each in installed if each.name.lower() == scheme]
    if not offered:
        known = ", ".join(sorted({*_BUILT_IN, *(each.name for each in installed)}))
        raise LookupError(
            f"the scheme {scheme!r} is unknown, known are {known}; install the package that adds "
            f"it by an entry point of the group {GROUP}"
        )
    if len({each.value for each in offered}) > 1:
        names = " and ".join(_distribution(each) for each in offered)
        raise LookupError(f"the scheme {scheme!r} is added by {names}: uninstall all but one")
    return _loaded(offered[0])


def _loaded(entry: EntryPoint) -> SynapseFactory:
    """Return the factory that an entry point names.

    Raises:
        LookupError: It cannot be imported or called.
    """
    named = f"{entry.value!r} of {_distribution(entry)}, which adds the scheme {entry.name!r},"
    hint = "update that package or uninstall it"
    try:
        factory = entry.load()
    except Exception as error:  # an import may fail with anything
        seen = f"{type(error).__name__}: {error}"
        raise LookupError(f"{named} cannot be loaded ({seen:.300}); {hint}") from error
    if not callable(factory):
        raise LookupError(f"{named} is not callable; {hint}")  # noqa: TRY004  # as for every fault
    return cast("SynapseFactory", factory)


def _distribution(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unnamed distribution"
