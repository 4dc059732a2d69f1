"""The limits of a Synapse, by the names that users set them with. Page: docs/limits.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypedDict, cast

import zmq_transport as wire_side

from ..names import checked_name
from ..runtime import clock
from ..signals import SignalType
from .body_kinds import kind_of
from .release import release


class Limits(TypedDict, total=False):
    """The limits of a Synapse; each has a default.

    Args:
        max_signal_bytes: Size of an encoded Signal; each Dendrite receives it.
        max_connections: Dendrites at the same time.
        max_axons: Axons of one Dendrite.
        max_facts_bytes: Bytes of what one Dendrite tells of its Axons, capabilities included.
        max_open_tasks: Open tasks in all.
        max_open_tasks_per_caller: Open tasks of one Dendrite.
        max_open_bytes: Bytes of the open tasks that one Dendrite works at (carrier `libzmq`, and
            `memory://`).
        max_subscriptions: Subscriptions in all.
        max_subscriptions_per_host: Subscriptions from one network address.
        max_subscriptions_per_connection: Subscriptions of one Dendrite.
        handshake_s: Seconds that a new connection has for the ZMTP handshake.
        hello_s: Seconds that a connection has to become a Dendrite.
        unread_s: Seconds that bytes may wait for a Dendrite that takes none; at most 4 with the
            carrier `libzmq`, and for those who listen.
        max_ahead_bytes: Bytes of one Dendrite that may have come before they are read (carrier
            `libzmq`, and broadcasts).
        max_waiting_bytes: Bytes that may wait for one Dendrite; with the carrier `libzmq` of
            Signals over 4 KiB, over TCP on Linux.
        max_waiting_bytes_of_all: Bytes that may wait for all of them (carrier `zmtp`).
        high_water: Messages that may wait for one Dendrite, on each plane and at each end.
        copy_bytes_per_s: Bytes per second that are copied to listeners.
    """

    max_signal_bytes: int
    max_connections: int
    max_axons: int
    max_facts_bytes: int
    max_open_tasks: int
    max_open_tasks_per_caller: int
    max_open_bytes: int
    max_subscriptions: int
    max_subscriptions_per_host: int
    max_subscriptions_per_connection: int
    handshake_s: float
    hello_s: float
    unread_s: float
    max_ahead_bytes: int
    max_waiting_bytes: int
    max_waiting_bytes_of_all: int
    high_water: int
    copy_bytes_per_s: int


# name -> (name in the transport, least, most)
_TABLE: Final[Mapping[str, tuple[str, float, float]]] = MappingProxyType(
    {
        "max_signal_bytes": ("max_body_bytes", 1024, 2**31 - 2**17),
        "max_connections": ("max_peers", 1, 1_000_000),
        "max_axons": ("max_seats", 1, 1_000_000),
        "max_facts_bytes": ("max_facts_bytes", 0, 1024**4),
        "max_open_tasks": ("max_tasks", 1, 100_000_000),
        "max_open_tasks_per_caller": ("max_tasks_per_caller", 1, 100_000_000),
        "max_open_bytes": ("max_open_bytes", 0, 1024**4),
        "max_subscriptions": ("max_topics", 1, 100_000_000),
        "max_subscriptions_per_host": ("max_topics_per_host", 1, 100_000_000),
        "max_subscriptions_per_connection": ("max_topics_per_connection", 1, 100_000_000),
        "handshake_s": ("handshake_s", 0.05, 3600),
        "hello_s": ("hello_s", 0.05, 3600),
        "unread_s": ("unread_s", 0.05, 3600),
        "max_ahead_bytes": ("max_ahead_bytes", 0, 1024**4),
        "max_waiting_bytes": ("max_waiting_bytes", 0, 1024**4),
        "max_waiting_bytes_of_all": ("max_waiting_bytes_of_all", 0, 1024**4),
        "high_water": ("high_water", 1, 1_000_000),
        "copy_bytes_per_s": ("copy_bytes_per_s", 0, 1024**4),
    }
)


_RESERVED: Final = frozenset(
    each.code
    for each in (
        SignalType.TASK,
        SignalType.REGISTER,
        SignalType.HEARTBEAT,
        SignalType.DEREGISTER,
        SignalType.DISCOVER,
    )
)
"""What only the Synapse tells to those who listen, of what it has seen itself."""
_PUBLISHED: Final = frozenset(
    each.code
    for each in (
        SignalType.CLARIFICATION_ANSWER,
        SignalType.PERMISSION_DECISION,
        SignalType.STOP,
        SignalType.STOPPED,
        SignalType.TASK_OFFER,
        SignalType.TASK_AWARDED,
        SignalType.TASK_DECLINED,
        SignalType.BID,
    )
)
"""What is published, and never part of a task or of presence."""


def settings_of(namespaces: Iterable[str], limits: Limits) -> wire_side.Settings:
    """Return the settings of the transport for a Synapse.

    Raises:
        InvalidName: A namespace is not a valid name.
        TypeError: A limit is unknown, or its value is not a number.
        ValueError: A value is out of range.
    """
    served = frozenset(checked_name("namespace", each) for each in namespaces)
    given = cast("Mapping[str, object]", limits)
    named = dict(_checked(name, value) for name, value in given.items())
    return wire_side.Settings(
        namespaces=served,
        reserved_kinds=_RESERVED,
        published_kinds=_PUBLISHED,
        task_kinds=frozenset({SignalType.TASK.code}),
        read_kind=kind_of,
        release=release(),
        wall_clock=clock.now_ts,
        **named,
    )


def _checked(name: str, value: object) -> tuple[str, Any]:
    if name not in _TABLE:
        raise TypeError(f"unknown limit {name!r}: the limits are {', '.join(_TABLE)}")
    inner, least, most = _TABLE[name]
    kinds = (int, float) if name.endswith("_s") else (int,)
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise TypeError(f"{name} must be a number, not {value!r:.100}")
    if not least <= value <= most:
        raise ValueError(f"{name} must be {least:,} to {most:,}, not {value!r:.100}")
    return inner, value
