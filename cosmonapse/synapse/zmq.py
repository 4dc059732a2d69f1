"""A Synapse on the network or on this machine, over ZeroMQ."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Callable, Mapping
from types import MappingProxyType

import zmq_transport as wire_side
from zmq_transport.sockets.endpoints import Target
from zmq_transport.sockets.lookup import lookup as lookup

from ..keys import Key, public_text
from .access import client_keys_of
from .adapter import ClientSynapse, ErrorContext, mapped
from .url import Endpoint, Endpoints, IpcEndpoint

Cause = wire_side.Cause
_REMEDIES: Mapping[wire_side.Cause, str] = MappingProxyType(
    {
        wire_side.Cause.NAME: (
            "check the name {host} in the URL, and the name server of this machine; "
            "a Synapse there has {places}"
        ),
        wire_side.Cause.NO_ANSWER: (
            "check that {host} is on, and that its firewall lets {places} through"
        ),
        wire_side.Cause.STRANGER: (
            "check the URL against the one that 'cosmo synapse start' prints: a Synapse there has "
            "{places}, and the URL names the first"
        ),
        wire_side.Cause.STANDBY: (
            "look at the one that leads: check that it runs, and that this machine reaches the "
            "port in its URL and those 2 and 3 above it; name it in the URL as well, as in "
            "cosmo://first:7070,second:7070"
        ),
        wire_side.Cause.BROADCAST: ("open all of {places}, in the firewall and in the container"),
        wire_side.Cause.SLOW: (
            "the Synapse or this machine is busy, or another program has {places}: allow more "
            "time with timeout_s"
        ),
    }
)
"""What to do about each cause on a network; about any other one: start a Synapse."""
_START = (
    "{where} 'cosmo synapse start{option} --port {port}', or check the URL; a Synapse there has "
    "{places}"
)
_HERE = ("127.0.0.1", "localhost", "::1")
_START_ONE = (
    "on {host} run 'cosmo synapse start{option} --port {port}{peers}', on the others "
    "likewise, or check the URL; each of them has {places}"
)


def _remedy_at_path(path: str, cause: wire_side.Cause) -> str:
    """Return what to do about a cause at a Unix socket."""
    if cause is wire_side.Cause.SLOW:
        return "the Synapse or this machine is busy: allow more time with timeout_s"
    quoted = shlex.quote(path)
    return f"on this machine run 'cosmo synapse start --ipc {quoted}', or check the URL"


def remedy(host: str, port: int, cause: wire_side.Cause) -> str:
    """Return what to do about a cause, with the host and the ports that it is about."""
    is_here = host in _HERE
    return _REMEDIES.get(cause, _START).format(
        where="run" if is_here else f"on {host} run",
        option=_options_for(host),
        host=host,
        port=port,
        places=f"the ports {port}, {port + 2} and {port + 3} of {host}",
    )


def _remedy_of_list(places: tuple[Endpoint, ...], cause: wire_side.Cause) -> str:
    """Return what to do about a cause where several Synapses stand by for each other."""
    ports = "the port in the URL, and those 2 and 3 above it"
    if cause in _REMEDIES:
        hosts = " or ".join(dict.fromkeys(each.host for each in places))
        return _REMEDIES[cause].format(host=hosts, places=ports)
    first, *others = places
    return _START_ONE.format(
        host=first.host,
        option=_options_for(first.host),
        port=first.port,
        peers="".join(f" --peer {each.url}" for each in others),
        places=ports,
    )


def _options_for(host: str) -> str:
    """Return how to let a Synapse listen at a host; beyond loopback it needs keys."""
    if host in _HERE[:2]:
        return ""
    return f"{'' if host in _HERE else ' --keys'} --host {host}"


_NEEDS_KEY = (
    "name the file NAME.key that you were given (COSMO_KEY, --key, key=); whoever runs the Synapse "
    "makes one with 'cosmo keys new NAME'"
)
_NO_KEYS = (
    "check the URL, or start it with 'cosmo synapse start --keys DIR'; to join one that has no "
    "keys, name no key (COSMO_KEY, --key, key=), nor a context that has one "
    "(COSMO_CONTEXT=- names none)"
)
_OTHER_SYNAPSE = (
    "another Synapse answers there: it has another public key than the one in the key of {name}"
)
_OTHER_KEY = (
    "check the URL; if the Synapse has a new key, get a new {name}.key, or add that public key to "
    "the line 'synapse' of yours"
)
_REFUSALS: Mapping[wire_side.AccessFault, tuple[str, str]] = MappingProxyType(
    {
        wire_side.AccessFault.NEEDS_KEY: ("it has keys, and this Dendrite has none", _NEEDS_KEY),
        wire_side.AccessFault.NO_KEYS: (
            "it has no keys, so it is not the one that the key of {name} is for",
            _NO_KEYS,
        ),
        wire_side.AccessFault.UNLISTED: (
            "it does not list the key of {name}",
            "where it runs: cosmo keys allow {name} {public}",
        ),
        wire_side.AccessFault.OTHER_PROXY: (_OTHER_SYNAPSE, _OTHER_KEY),
    }
)
"""What was refused and what to do, for what the handshake tells."""


def _refusal(key: Key | None, error: wire_side.AccessRefused) -> tuple[str, str]:
    """Return what was refused and what to do about it."""
    if error.fault not in _REFUSALS:
        return error.reason, error.fix
    name = "" if key is None else key.name
    public = "" if key is None else public_text(key.public)
    reason, fix = _REFUSALS[error.fault]
    return reason.format(name=name), fix.format(name=name, public=public)


_MOST_BYTES = 2**31 - 2**17
"""Limit of received bodies. `max_signal_bytes` limits those sent, the Synapse those forwarded."""


class ZmqSynapse(ClientSynapse):
    """A Synapse in a process of its own; see `cosmonapse.transport.Synapse`.

    Args:
        endpoint: Where it is, or where those are of which one leads.
        carrier: What moves the directed messages: `zmtp` or `libzmq`.
        key: The key to show over TCP, where `libzmq` then moves the messages.

    Raises:
        InvalidKey: The two halves of the key do not belong together.
    """

    def __init__(
        self,
        endpoint: Endpoint | IpcEndpoint | Endpoints,
        carrier: str = wire_side.DEFAULT_CARRIER,
        key: Key | None = None,
    ) -> None:
        self._carrier_name = carrier
        if isinstance(endpoint, IpcEndpoint):
            key = None  # there the file mode and the user of the process decide
        self._keys = None if key is None else client_keys_of(key)
        self._target: Target
        hint: Callable[[wire_side.Cause], str]
        if isinstance(endpoint, IpcEndpoint):
            self._target = wire_side.IpcEndpoint(endpoint.path)
            hint = functools.partial(_remedy_at_path, endpoint.path)
        elif isinstance(endpoint, Endpoints):
            self._target = wire_side.TcpEndpoints(
                tuple(wire_side.TcpEndpoint(each.host, each.port) for each in endpoint.places)
            )
            hint = functools.partial(_remedy_of_list, endpoint.places)
        else:
            self._target = wire_side.TcpEndpoint(endpoint.host, endpoint.port)
            hint = functools.partial(remedy, endpoint.host, endpoint.port)
        refusal = functools.partial(_refusal, key)
        where = ErrorContext(endpoint.url, hint, refusal, isinstance(endpoint, Endpoints))
        super().__init__(where, "" if key is None else key.name)

    def carrier(self, namespace: str, max_signal_bytes: int) -> wire_side.ZmqCarrier:
        """Return a carrier for one connection."""
        return wire_side.ZmqCarrier(self._target, _MOST_BYTES, self._carrier_name, self._keys)

    async def connect(self, timeout_s: float | None) -> None:
        """See the port."""
        with mapped(self.where):
            await wire_side.probe(
                self._target, timeout_s, self.where.log_wait, self._carrier_name, self._keys
            )
