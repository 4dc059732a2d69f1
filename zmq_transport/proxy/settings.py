"""The settings of a proxy, with their defaults and least values. Pure."""

from __future__ import annotations

from collections.abc import Callable

import attrs

_AT_LEAST_0 = attrs.validators.ge(0)


@attrs.frozen
class Settings:
    """Settings of a proxy.

    Args:
        namespaces: The namespaces served; empty means all.
        heartbeat_s: Seconds between the heartbeats of a client with seats.
        silent_after_s: Seconds of silence after which a seat gets no new tasks.
        lost_after_s: Seconds that a client has to reconnect before its tasks are reported lost.
        orphaned_after_s: Seconds that a caller has to reconnect before its tasks are cancelled.
        parking_s: Seconds after the start of the proxy in which it parks tasks of returning
            callers until their workers are back.
        overdue_s: Seconds after its deadline until an unsettled task is forgotten.
        max_body_bytes: Size limit of a body.
        max_peers: How many clients may be connected.
        max_seats: How many seats one client may have.
        max_facts_bytes: How many bytes one client may tell of its seats.
        max_tasks: How many tasks may be open.
        max_tasks_per_caller: How many of them of one caller.
        max_open_bytes: How many bytes the open tasks of one client's seats may have together, where
            the shell does not bound what waits for it (carrier libzmq).
        max_topics: How many subscriptions are accepted in all.
        max_topics_per_host: How many of them from one network address.
        max_topics_per_connection: How many of them over one connection.
        handshake_s: Seconds that a new connection has for the ZMTP handshake.
        hello_s: Seconds that a greeted connection has for a HELLO that is accepted.
        unread_s: Seconds that bytes may wait for a client that takes none of them. On sockets of
            libzmq, where they have no other bound, at most 4.
        high_water: How many messages may wait for one client, on each plane and at each end.
        max_waiting_bytes: How many bytes may wait for one client; with the carrier libzmq of
            messages over 4 KiB, over TCP on Linux.
        max_waiting_bytes_of_all: How many may wait for all of them (carrier zmtp). As many may be
            held of messages that are not whole yet.
        max_ahead_bytes: How many bytes may have come from one client, besides one message, before
            they were read (sockets of libzmq).
        copy_bytes_per_s: How many bytes a second are published for subscribers.
        reserved_kinds: The kinds that no client may publish: only the proxy tells them, of
            messages that it has seen itself.
        published_kinds: The kinds that a publication alone has, never a TASK, a REPLY or presence.
        task_kinds: The kinds of TASKs, which nothing else has; none says nothing about it.
        read_kind: Reads the kind that the start of a body says itself; None if it says none. With
            it a publication must be of the kind that its topic or head says: a reader may believe
            the body.
        release: The release of the application, for those who ask for the state.
        wall_clock: Returns seconds UTC, for the same; None tells nothing.

    Raises:
        ValueError: A limit is below its least value.
    """

    namespaces: frozenset[str] = frozenset()
    heartbeat_s: float = 2.0
    silent_after_s: float = 6.0
    lost_after_s: float = 0.3
    orphaned_after_s: float = 1.0
    parking_s: float = 1.0
    overdue_s: float = 5.0
    max_body_bytes: int = attrs.field(default=16 * 1024 * 1024, validator=_AT_LEAST_0)
    max_peers: int = attrs.field(default=20_000, validator=_AT_LEAST_0)
    max_seats: int = attrs.field(default=1_024, validator=_AT_LEAST_0)
    max_facts_bytes: int = attrs.field(default=1024 * 1024, validator=_AT_LEAST_0)
    max_tasks: int = attrs.field(default=500_000, validator=_AT_LEAST_0)
    max_tasks_per_caller: int = attrs.field(default=20_000, validator=_AT_LEAST_0)
    max_open_bytes: int = attrs.field(default=64 * 1024 * 1024, validator=_AT_LEAST_0)
    max_topics: int = attrs.field(default=1_000_000, validator=_AT_LEAST_0)
    max_topics_per_host: int = attrs.field(default=100_000, validator=_AT_LEAST_0)
    max_topics_per_connection: int = attrs.field(default=2_000, validator=_AT_LEAST_0)
    handshake_s: float = attrs.field(default=3.0, validator=attrs.validators.gt(0))
    high_water: int = attrs.field(default=10_000, validator=attrs.validators.ge(1))
    hello_s: float = attrs.field(default=10.0, validator=attrs.validators.gt(0))
    unread_s: float = attrs.field(default=60.0, validator=attrs.validators.gt(0))
    max_waiting_bytes: int = attrs.field(default=64 * 1024 * 1024, validator=_AT_LEAST_0)
    max_waiting_bytes_of_all: int = attrs.field(default=512 * 1024 * 1024, validator=_AT_LEAST_0)
    max_ahead_bytes: int = attrs.field(default=64 * 1024 * 1024, validator=_AT_LEAST_0)
    copy_bytes_per_s: int = attrs.field(default=64 * 1024 * 1024, validator=_AT_LEAST_0)
    # What the application says of its kinds; two settings with the same limits are equal.
    reserved_kinds: frozenset[int] = attrs.field(default=frozenset(), eq=False)
    published_kinds: frozenset[int] = attrs.field(default=frozenset(), eq=False)
    task_kinds: frozenset[int] = attrs.field(default=frozenset(), eq=False)
    read_kind: Callable[[bytes], int | None] | None = attrs.field(default=None, eq=False)
    release: str = attrs.field(default="", eq=False)
    wall_clock: Callable[[], float] | None = attrs.field(default=None, eq=False)
