"""Enter and settle the tasks of a whole message in the ledger of a proxy. Pure.

Spec: docs/spec/03-routing.md, Life of a TASK in the proxy, Replies. Only the plain case is decided:
None is returned, and nothing changed, when an item needs a closer look, invalid ones included.
"""

from __future__ import annotations

import itertools
from collections.abc import Container
from typing import Any, Final

from .items import ITEM_BYTES, ITEMS_AT, REPLY, TASK, unpack_items

_SETTLES: Final = 1
_KEEP: Final = 2
_COUNT_AT: Final = 18
MAX_TTL_MS: Final = 24 * 3600 * 1000
"""The longest time of a task in a proxy; its time is cut to that."""


_numbers = itertools.count(1)


class Entry:
    """One task that a seat has. Slots, because every task makes one.

    Attributes:
        caller: Instance id of its caller.
        task: Task id.
        trace: Trace id.
        address: The address to which its caller sent it.
        seat: The seat that has it.
        expires_at_s: When it is forgotten unsettled, on the monotonic clock.
        keep: True if it runs on when its caller goes away: the flag KEEP.
        body_bytes: Length of the body of its TASK; 0 if that is not known.
        ttl_ms: The time that it had left when its entry was made.
        number: Grows with every entry of this process.
        cancelled: True once its caller sent CANCEL; its replies are not copied to subscribers.
    """

    __slots__ = (
        "address",
        "body_bytes",
        "caller",
        "cancelled",
        "expires_at_s",
        "keep",
        "number",
        "seat",
        "task",
        "trace",
        "ttl_ms",
    )

    def __init__(
        self,
        caller: bytes,
        task: bytes,
        trace: bytes,
        address: bytes,
        seat: Any,
        expires_at_s: float,
        keep: bool,
        body_bytes: int,
        ttl_ms: int,
    ) -> None:
        self.caller = caller
        self.task = task
        self.trace = trace
        self.address = address
        self.seat = seat
        self.expires_at_s = expires_at_s
        self.keep = keep
        self.body_bytes = body_bytes
        self.ttl_ms = ttl_ms
        self.number = next(_numbers)
        self.cancelled = False


def enter_tasks(
    head: bytes,
    body_bytes: int,
    caller: bytes,
    seat: Any,
    seat_address: bytes,
    entries: dict[bytes, Entry],
    kinds: Container[int],
    traces: Container[bytes],
    overdue_at_s: float,
) -> bytes | None:
    """Enter every TASK of a message for one seat; return the head for its worker.

    The TASKs are entered in `entries` and in `seat.open`, in their order. Of a message that is not
    plain nothing is entered. Plain means: a valid head of 1 to 64 TASKs, whose sizes add up, which
    all have time left and at most 24 h, and of which none is in `entries`, in here twice, or of a
    subscribed kind or trace.

    Args:
        head: As it came.
        body_bytes: Length of its body.
        caller: Instance id of its sender, 16 bytes; the peer of the head that is returned.
        seat: Gets the tasks; its attribute `open` is a dict whose keys are entries.
        seat_address: Replaces the address of the head.
        entries: The open tasks of the sender, by task id.
        kinds: The subscribed kinds, a dict.
        traces: The subscribed traces, a dict.
        overdue_at_s: When a task without time left would be forgotten, on the monotonic clock.
    """
    items = unpack_items(head, TASK)
    if items is None:
        return None
    end = ITEMS_AT + ITEM_BYTES * len(items)
    address = head[end:]
    new: dict[bytes, Entry] = {}
    total = 0
    for _, flags, kind, ttl_ms, task, trace, size in items:
        if not 0 < ttl_ms <= MAX_TTL_MS or task in entries or kind in kinds or trace in traces:
            return None
        at_s = overdue_at_s + ttl_ms / 1000
        keep = flags & _KEEP != 0
        new[task] = Entry(caller, task, trace, address, seat, at_s, keep, size, ttl_ms)
        total += size
    if total != body_bytes or len(new) != len(items):
        return None
    entries.update(new)
    seat.open.update(dict.fromkeys(new.values()))
    return b"".join((head[:2], caller, head[_COUNT_AT:end], seat_address))


def settle_replies(
    head: bytes,
    body_bytes: int,
    worker: bytes,
    peer: object,
    entries: dict[bytes, Entry],
    kinds: Container[int],
    traces: Container[bytes],
) -> tuple[bytes, Any, int, int] | None:
    """Settle the tasks that the REPLYs of a message end; return the head for their caller.

    The entries of the REPLYs with SETTLES are removed from `entries` and from `seat.open`. Of a
    message that is not plain nothing is removed. Plain means: a valid head of 1 to 64 REPLYs, whose
    sizes add up, whose tasks are all in `entries`, with one and the same seat, which is of `peer`,
    none of them cancelled and none behind its own end, and none is of a subscribed kind or trace.

    Args:
        head: As it came; its peer is the caller of every task.
        body_bytes: Length of its body.
        worker: Instance id of its sender, 16 bytes; the peer of the head that is returned.
        peer: Its sender; the attribute `peer` of the seat is it.
        entries: The open tasks of that caller, by task id.
        kinds: The subscribed kinds, a dict.
        traces: The subscribed traces, a dict.

    Returns:
        The head, the seat, how many of its tasks ended, and the length of their bodies; or None.
    """
    items = unpack_items(head, REPLY)
    if items is None:
        return None
    seat, total = None, 0
    settled: dict[Entry, None] = {}
    for _, flags, kind, _, task, trace, size in items:
        entry = entries.get(task)
        if entry is None or entry.cancelled or kind in kinds or trace in traces or entry in settled:
            return None
        if entry.seat is not seat:
            if seat is not None or entry.seat.peer is not peer:
                return None
            seat = entry.seat
        if flags & _SETTLES:
            settled[entry] = None
        total += size
    if seat is None or total != body_bytes:
        return None
    held, ended_bytes = seat.open, 0
    for entry in settled:
        del entries[entry.task]
        del held[entry]
        ended_bytes += entry.body_bytes
    return b"".join((head[:2], worker, head[_COUNT_AT:])), seat, len(settled), ended_bytes
