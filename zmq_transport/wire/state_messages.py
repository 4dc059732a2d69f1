"""The state of the proxy: a query with a short answer. Spec: docs/spec/04-liveness.md. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import attrs
import msgpack

from ..errors import WireError

QUESTION: Final = b"\x81\xa5state\xc3"
"""The map {"state": true}, as the body of a ROSTER."""
_MAX_BYTES: Final = 256 * 1024
_MAX_COUNTS: Final = 4096
_OF_PEERS: Final[Mapping[str, type]] = MappingProxyType(
    {"term": int, "clients": int, "heard_s": float, "same_users": bool}
)


@attrs.frozen
class FabricState:
    """What a proxy tells of its part in a fabric of several.

    Args:
        role: `standby`, `leader` or `leaving`; empty if it was told of no other.
        term: Of a leader the term that it leads, else the highest that it knows.
        peers: The others, see `ProxyState`.
    """

    role: str = ""
    term: int = 0
    peers: tuple[Mapping[str, Any], ...] = ()


NO_FABRIC: Final = FabricState()


@attrs.frozen
class ProxyState:
    """The proxy in figures.

    Args:
        uptime_s: Seconds since its start.
        draining: True after the request to stop.
        clients: Its clients, including those in `away`.
        away: Clients whose connection just broke.
        seats: Seats in all namespaces.
        open: Tasks that workers have.
        parked: Tasks that wait for workers after a start.
        topics: Subscriptions.
        counts: Every drop, bounce, loss and the like since the start, by name.
        recent_s: How many seconds `recent` covers: about 60, less right after the start; 0 from a
            proxy that does not tell.
        recent: What each counter grew by in these seconds; one that did not grow is left out.
        namespace: The namespace that the counts are of, for one who may see no more, and `counts`,
            `recent`, `parked` and `peers` are empty; an empty text for the whole proxy.
        role: `standby`, `leader` or `leaving`; empty for a proxy that was told of no other.
        term: Of a leader the term that it leads, else the highest that it knows.
        peers: The other proxies that it was told of, at most 15. Each has `url` and `role`: what it
            last reported, or `closed` if nobody listens there, `silent` if it does not answer,
            `unknown` if that is not clear yet, `own` if it is this proxy itself. One that was
            heard has `term`, `clients`, `heard_s` (seconds since its last report), and with keys
            `same_users`.
        release: The release of the application that runs the proxy; empty if it does not tell.
        ts: Its wall clock at the answer, in seconds UTC; 0 if it does not tell.
    """

    uptime_s: float
    draining: bool
    clients: int
    away: int
    seats: int
    open: int
    parked: int
    topics: int
    counts: Mapping[str, int]
    recent_s: float = 0.0
    recent: Mapping[str, int] = attrs.field(factory=dict)
    namespace: str = ""
    role: str = ""
    term: int = 0
    peers: Sequence[Mapping[str, Any]] = ()
    release: str = ""
    ts: float = 0.0


def pack(state: ProxyState) -> bytes:
    """Return the body of an answer."""
    fields = attrs.asdict(state)
    fields["counts"] = dict(list(state.counts.items())[:_MAX_COUNTS])
    fields["recent"] = dict(list(state.recent.items())[:_MAX_COUNTS])
    if not state.namespace:
        del fields["namespace"]
    if not state.role:
        del fields["role"], fields["term"]
    for name in ("peers", "release", "ts"):
        if not fields[name]:
            del fields[name]
    packed: bytes = msgpack.packb(fields, use_bin_type=True)
    return packed


def unpack(body: bytes) -> ProxyState:
    """Return the state behind the body of an answer; unknown fields are ignored.

    Raises:
        WireError: The answer is invalid.
    """
    if len(body) > _MAX_BYTES:
        raise WireError("long_body", f"{len(body):,} bytes where at most {_MAX_BYTES:,} belong")
    try:
        fields: Any = msgpack.unpackb(body, raw=False, strict_map_key=True, max_ext_len=0)
        # Fields that are missing in the answer of an older proxy have a default.
        names = [each.name for each in attrs.fields(ProxyState) if each.name in fields]
        state = ProxyState(**{name: fields[name] for name in names})
        _check(state)
    except (ValueError, TypeError, KeyError, msgpack.UnpackException) as error:
        raise WireError("bad_body", f"not a state of a proxy: {type(error).__name__}") from error
    return state


def _check_peers(peers: Any) -> None:
    if not isinstance(peers, list | tuple) or not all(isinstance(each, dict) for each in peers):
        raise TypeError("peers is not a list of maps")
    for each in peers:
        if not isinstance(each.get("url"), str) or not isinstance(each.get("role"), str):
            raise TypeError("one of peers has no url or no role")
        if not all(isinstance(key, str) for key in each):
            raise TypeError("one of peers has a key that is no text")
        for key, kind in _OF_PEERS.items():
            if each.get(key, kind()).__class__ is not kind:
                raise TypeError(f"{key} of one of peers is not of type {kind.__name__}")


def _check(state: ProxyState) -> None:
    counts = (state.clients, state.away, state.seats, state.open, state.parked, state.topics)
    if not all(each.__class__ is int and each >= 0 for each in counts):
        raise ValueError("a count is invalid")
    if not all(isinstance(each, float) for each in (state.uptime_s, state.recent_s, state.ts)):
        raise TypeError("a time is not a float")
    if not isinstance(state.draining, bool):
        raise TypeError("draining is neither true nor false")
    if not all(isinstance(each, str) for each in (state.namespace, state.role, state.release)):
        raise TypeError("namespace, role or release is not a text")
    if state.term.__class__ is not int or state.term < 0:
        raise ValueError("term is not a count")
    _check_peers(state.peers)
    for by_name in (state.counts, state.recent):
        if not isinstance(by_name, dict):
            raise TypeError("counts is not a map")
        for name, count in by_name.items():
            if not isinstance(name, str) or count.__class__ is not int:
                raise TypeError("counts must map names to numbers")
