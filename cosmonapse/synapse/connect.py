"""From a URL to a Synapse that answers."""

from __future__ import annotations

import os

from ..configuration import KeyLike as KeyLike
from ..configuration import Setting, Source, chosen, read_key
from ..errors import InvalidKey, InvalidUrl, SynapseUnreachable
from ..keys import Key
from ..runtime.log_fallback import give_warnings_a_time
from ..runtime.running_loop import running_loop
from ..runtime.uncaught import shorten_mistakes
from ..transport import Synapse
from .carriers import ZMTP, chosen_carrier
from .schemes import factory_for, is_on_nats, takes_key


def chosen_key(key: KeyLike | None = None) -> Key | None:
    """Return the key to use: the given one, else that of COSMO_KEY, else that of the context.

    Raises:
        InvalidContext: The context cannot be used.
        InvalidKey: Its file cannot be used; the text names the cause and the remedy.
    """
    return read_key(chosen("key", key))


def synapse_from_url(
    url: str | None = None,
    *,
    carrier: str | None = None,
    key: KeyLike | None = None,
    creds: str | os.PathLike[str] | None = None,
) -> Synapse:
    """Return the Synapse behind a URL, not yet connected.

    Args:
        url: `cosmo://host[:port]` (an IPv6 address in brackets), `cosmo+ipc://path` for one on this
            machine, `memory://name` for one in this process, `nats://host[:port]` or `tls://` for
            one behind a nats-server, or a URL whose scheme an installed package adds. By default
            the variable COSMO_URL, else the context, else the `url` of the key, else
            `cosmo://127.0.0.1:7070`.
        carrier: What moves the directed messages of the first two: `zmtp`, which is our own, or
            `libzmq`. By default the variable COSMO_CARRIER, else `zmtp`. With a key over TCP it is
            `libzmq` in any case, as that encrypts.
        key: The path of a file NAME.key, or a `cosmonapse.keys.Key`, for a Synapse with keys. By
            default the file in the variable COSMO_KEY, else that of the context, else none. Over
            `cosmo+ipc` none is needed.
        creds: The path of a file of credentials of NATS, for a nats-server that asks for them. By
            default that in the variable COSMO_CREDS, else what the URL says.

    Raises:
        InvalidUrl: The URL names no endpoint, or the package that adds its scheme is broken.
        InvalidCarrier: There is no such carrier.
        InvalidContext: The context cannot be used; the text names the cause and the remedy.
        InvalidKey: The key cannot be used, or not with this URL or this carrier.
        MissingExtra: A package of the extra [nats] is not installed.
    """
    shorten_mistakes()
    give_warnings_a_time()
    named = chosen_carrier(carrier)
    setting = chosen("url", url, key=key)
    whole = setting.value
    used = chosen_key(key) if key is not None or takes_key(whole) else None
    credentials = _chosen_creds(whole, creds)
    try:
        made = factory_for(whole, named, used, credentials.value)(whole)
    except InvalidUrl as error:
        is_file = credentials.value is not None and credentials.value in error.reason
        blame = (credentials if is_file else setting).source.blame
        raise InvalidUrl(error.url, error.reason + blame) from None
    if key is not None and not takes_key(whole):
        scheme = whole.partition(":")[0]
        raise InvalidKey("a key", f"a Synapse at {scheme}:// has none: leave 'key' out")
    if used is not None and carrier == ZMTP and whole.lower().startswith("cosmo://"):
        raise InvalidKey(
            f"the key of {used.name}",
            f"the carrier {ZMTP!r} does not encrypt: leave 'carrier' out, or name 'libzmq'",
        )
    return made


def _chosen_creds(url: str, given: str | os.PathLike[str] | None) -> Setting:
    """Return the path of the credentials to use, or None for none.

    Raises:
        InvalidKey: They are given, and the URL is not that of a nats-server.
    """
    if is_on_nats(url):
        return chosen("creds", None if given is None else os.fspath(given))
    if given is not None:
        scheme = url.partition(":")[0]
        raise InvalidKey("creds", f"a Synapse at {scheme}:// has none: leave 'creds' out")
    return Setting(None, Source("default"))


async def connect_synapse(
    url: str | None = None,
    *,
    carrier: str | None = None,
    key: KeyLike | None = None,
    creds: str | os.PathLike[str] | None = None,
    timeout_s: float | None = 5.0,
) -> Synapse:
    """Return the Synapse behind a URL, once it has answered.

    Args:
        url: `cosmo://host[:port]` (an IPv6 address in brackets), `cosmo+ipc://path` for one on this
            machine, `memory://name` for one in this process, `nats://host[:port]` or `tls://` for
            one behind a nats-server, or a URL whose scheme an installed package adds. By default
            the variable COSMO_URL, else the context, else the `url` of the key, else
            `cosmo://127.0.0.1:7070`.
        carrier: What moves the directed messages of the first two: `zmtp`, which is our own, or
            `libzmq`. By default the variable COSMO_CARRIER, else `zmtp`. With a key over TCP it is
            `libzmq` in any case, as that encrypts.
        key: The path of a file NAME.key, or a `cosmonapse.keys.Key`, for a Synapse with keys. By
            default the file in the variable COSMO_KEY, else that of the context, else none. Over
            `cosmo+ipc` none is needed.
        creds: The path of a file of credentials of NATS, for a nats-server that asks for them. By
            default that in the variable COSMO_CREDS, else what the URL says.
        timeout_s: Maximum wait in seconds; a Synapse that starts meanwhile is found.
            None waits for ever, and logs every 10 s what was seen.

    Raises:
        InvalidUrl: The URL names no endpoint, or the package that adds its scheme is broken.
        InvalidCarrier: There is no such carrier.
        InvalidContext: The context cannot be used; the text names the cause and the remedy.
        InvalidKey: The key cannot be used, or not with this URL or this carrier.
        MissingExtra: A package of the extra [nats] is not installed.
        SynapseUnreachable: No answer in time; the text names the cause and the remedy.
        SynapseRefused: A Synapse of another version answered.
        AccessRefused: The Synapse and the key do not fit, or a nats-server refuses the credentials;
            the text names what to do.
        DendriteProtocolError: No event loop of asyncio runs here, as under trio.
    """
    running_loop()
    source = Source("argument") if url is not None else chosen("url", key=key).source
    synapse = synapse_from_url(url, carrier=carrier, key=key, creds=creds)
    try:
        await synapse.connect(timeout_s)
    except SynapseUnreachable as error:
        raise with_origin(error, source) from None  # its cause is in the text
    return synapse


def with_origin(error: SynapseUnreachable, source: Source) -> SynapseUnreachable:
    """Return the error, with the file that the URL stands in: whoever sees it gave none."""
    if not source.file:
        return error
    return SynapseUnreachable(error.url, error.reason, f"{error.hint}; the URL is of the {source}")
