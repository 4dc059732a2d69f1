"""Tell which tasks are open, page by page. Spec: docs/spec/04-liveness.md, "Open tasks". Pure.

A page is a bounded piece of a walk over the callers of a namespace, and over the tasks of each.
Every place of that walk has a key, and the keys are in order. The next page begins behind a key, so
nothing is kept between two of them, and a task that is open all the time is not missed.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from ..access.origin import has_tag, tag_of
from ..kernel import Entry
from ..wire import heads
from ..wire.open_task_messages import (
    PAGE_TASKS,
    PARKED,
    RUNNING,
    WANTED,
    OpenTaskInfo,
    TasksQuery,
    pack_task,
    pack_tasks,
)
from .parking import Parked
from .peers import Peer
from .roster import PAGE_BYTES
from .tables import Tables
from .worker_queries import WorkerQuery

_MAX_CALLERS: Final = 1000
"""Callers that a page looks at; many may have no open task."""
_FEW_CALLERS: Final = 500
_LOOK_AGAIN_S: Final = 1.0
_PLACE: Final = struct.Struct(">B16sB16s")
_HERE, _GONE = range(2)
_PARKED, _WANTED, _RUNNING, _END = range(4)  # so that one that finds its worker is not missed
_START: Final = bytes(_PLACE.size)
_BEHIND: Final = b"\xff" * 16

Place = tuple[int, bytes, int, bytes]
"""(whether its caller has gone, which caller, what kind of task, which task)"""
Found = tuple[Place, OpenTaskInfo | None]
"""A place of the walk, and the task there; None behind the last one of a caller."""
WantedOf = Callable[[bytes], Iterable[WorkerQuery]]


class OpenTaskPages:
    """Tells which tasks are open.

    Args:
        tables: The state of the proxy.
        wanted_of: Returns the queries about the tasks of a caller.
    """

    def __init__(self, tables: Tables, wanted_of: WantedOf) -> None:
        self._tables = tables
        self._wanted_of = wanted_of
        self._gone: tuple[float, Sequence[bytes]] = (float("-inf"), ())

    def page(self, asker: Peer, query: TasksQuery, now_s: float) -> bytes:
        """Return one packed page: at most 100 tasks and 256 KiB, of at most 1,000 callers."""
        rows: list[bytes] = []
        size = callers = 0
        last = _place_of(query.after)
        for place, info in self._walk(asker, last, now_s):
            if info is None:
                callers += 1
            else:
                row = pack_task(info)
                size += len(row)
                if rows and (len(rows) == PAGE_TASKS or size > PAGE_BYTES):
                    return pack_tasks(rows, _PLACE.pack(*last))
                rows.append(row)
            last = place
            if callers == _MAX_CALLERS:
                return pack_tasks(rows, _PLACE.pack(*last))
        return pack_tasks(rows, None)

    def _walk(self, asker: Peer, after: Place, now_s: float) -> Iterator[Found]:
        """Yield the tasks behind a place that one may see, and the end of each caller."""
        parked = self._parked()
        gone, who, _, _ = after
        if gone == _HERE:
            first = int.from_bytes(who, "big")
            for peer in asker.namespace.numbered.after(first - 1):
                if _may_see(asker, peer):
                    yield from self._of_caller(asker, peer, after, parked, now_s)
                yield (_HERE, _number(peer), _END, _BEHIND), None
        for instance in self._gone_callers(now_s):
            if (gone, who) <= (_GONE, instance):
                if _may_see_of(asker, instance):
                    place = _GONE, instance
                    yield from self._running(asker, place, None, instance, after, now_s)
                yield (_GONE, instance, _END, _BEHIND), None

    def _of_caller(
        self,
        asker: Peer,
        peer: Peer,
        after: Place,
        parked: dict[bytes, list[Parked]],
        now_s: float,
    ) -> Iterator[Found]:
        place = _HERE, _number(peer)
        if peer.instance in parked:
            yield from _behind(after, _parked(place, peer, parked[peer.instance], now_s))
        if self._tables.wanted:
            yield from _behind(after, self._wanted(place, peer, now_s))
        yield from self._running(asker, place, peer, peer.instance, after, now_s)

    def _running(
        self,
        asker: Peer,
        place: tuple[int, bytes],
        peer: Peer | None,
        caller: bytes,
        after: Place,
        now_s: float,
    ) -> Iterator[Found]:
        """Yield the tasks that workers have, oldest first."""
        first = 0
        if after[:2] == place and after[2] >= _RUNNING:
            first = int.from_bytes(after[3], "big")  # behind the end there is none
        overdue_s, namespace = self._tables.settings.overdue_s, asker.namespace
        for entry in self._tables.ledger.open_of(caller):
            if entry.number > first and entry.seat.peer.namespace is namespace:
                at = *place, _RUNNING, entry.number.to_bytes(16, "big")
                yield at, _of_entry(entry, peer, now_s - entry.expires_at_s + overdue_s)

    def _wanted(self, place: tuple[int, bytes], peer: Peer, now_s: float) -> Iterator[Found]:
        for query in self._wanted_of(peer.instance):
            if query.only is not None:
                continue  # it is about tasks that a worker has
            age_s = now_s - query.since_s if query.number else 0.0
            for task, trace in query.tasks.items():
                address = query.addresses.get(task, b"")
                info = _unserved(peer, task, trace, address, WANTED, age_s)
                yield (*place, _WANTED, task), info

    def _parked(self) -> dict[bytes, list[Parked]]:
        by_caller: dict[bytes, list[Parked]] = defaultdict(list)
        for each in self._tables.parking.by_key.values():
            by_caller[each.caller].append(each)
        return by_caller

    def _gone_callers(self, now_s: float) -> Sequence[bytes]:
        """Return the callers that left tasks behind, in order; of many, those of a second ago."""
        by_caller, here = self._tables.ledger.by_caller, self._tables.peers.by_instance
        at_s, found = self._gone
        if len(by_caller) <= _FEW_CALLERS or now_s - at_s >= _LOOK_AGAIN_S:
            found = sorted(each for each, open_ in by_caller.items() if open_ and each not in here)
            self._gone = now_s, found
        return found


def _place_of(after: bytes) -> Place:
    """Return the place that a question names; any other bytes are the start."""
    if len(after) != _PLACE.size:
        after = _START
    gone, who, kind, which = _PLACE.unpack(after)
    return gone, who, kind, which


def _number(peer: Peer) -> bytes:
    return peer.number.to_bytes(16, "big")


def _may_see(asker: Peer, caller: Peer) -> bool:
    # 11-access, "What is checked" 5: who calls, and how much, is told to those who may watch.
    if asker.grant.watches or caller is asker:
        return True
    return bool(asker.user) and caller.user == asker.user


def _may_see_of(asker: Peer, caller: bytes) -> bool:
    """Tell whether one may see the tasks of a caller that has left: only its id is known."""
    if asker.grant.watches:
        return True
    return has_tag(asker.user) and caller.endswith(tag_of(asker.user))


def _behind(after: Place, found: Iterable[Found]) -> list[Found]:
    """Return what is behind a place, in order."""
    return sorted((each for each in found if each[0] > after), key=lambda each: each[0])


def _ms(seconds: float) -> int:
    return max(0, int(seconds * 1000))


def _of_entry(entry: Entry, caller: Peer | None, late_s: float) -> OpenTaskInfo:
    """Return what is known of a task that a worker has; `late_s` is counted from its deadline."""
    worker = entry.seat.peer
    return OpenTaskInfo(
        task=entry.task,
        trace=entry.trace,
        caller=entry.caller,
        caller_name="" if caller is None else caller.name,
        user="" if caller is None else caller.user,
        address=entry.address.decode(errors="replace"),
        state=RUNNING,
        worker=worker.instance,
        worker_name=worker.name,
        seat=entry.seat.name,
        cancelled=entry.cancelled,
        age_ms=max(0, entry.ttl_ms + round(late_s * 1000)),
        left_ms=max(0, round(-late_s * 1000)),
        size_bytes=entry.body_bytes or None,
    )


def _parked(
    place: tuple[int, bytes], peer: Peer, tasks: Iterable[Parked], now_s: float
) -> Iterator[Found]:
    for each in tasks:
        single = heads.unpack_single(each.head)
        if single is None:  # it was one when it came
            continue
        _, _, _, _, ttl_ms, task, trace, size, address = single
        age_s = now_s - each.parked_at_s
        left_ms = max(0, ttl_ms - _ms(age_s))
        info = _unserved(peer, task, trace, address, PARKED, age_s, left_ms, size)
        yield (*place, _PARKED, task), info


def _unserved(
    peer: Peer,
    task: bytes,
    trace: bytes,
    address: bytes,
    state: str,
    age_s: float,
    left_ms: int | None = None,
    size_bytes: int | None = None,
) -> OpenTaskInfo:
    """Return what is known of a task that no worker has, as far as anybody knows."""
    return OpenTaskInfo(
        task=task,
        trace=trace,
        caller=peer.instance,
        caller_name=peer.name,
        user=peer.user,
        address=address.decode(errors="replace"),
        state=state,
        worker=b"",
        worker_name="",
        seat="",
        cancelled=False,
        age_ms=_ms(age_s),
        left_ms=left_ms,
        size_bytes=size_bytes,
    )
