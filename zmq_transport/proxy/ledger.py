"""Record which worker has which task of which caller. Spec: docs/spec/03-routing.md. Pure.

A task has one entry from the moment it is given to a seat until it is settled, lost or overdue. The
entries stand under their caller, and once more at their seat: what a client costs when it comes,
lists or leaves is a matter of its own tasks, however many others there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from ..kernel import Entry
from .routing import Seat

_SWEPT: Final = 20_000
"""Tasks that one call of `settle_overdue` looks at, and at most those of one caller more."""
_NONE: Final[Mapping[bytes, Entry]] = {}


class Ledger:
    """The open tasks of one proxy; keeps the load of every seat in step.

    Attributes:
        by_caller: By caller and task id; for the hot path, which keeps the rest in step itself. One
            without a task stays until `settle_overdue` looks at it.
        count: How many there are.

    Args:
        max_tasks: Limit of all of them.
        max_tasks_of_caller: Limit of those of one caller.
    """

    def __init__(self, max_tasks: int = 500_000, max_tasks_of_caller: int = 20_000) -> None:
        self.by_caller: dict[bytes, dict[bytes, Entry]] = {}
        self.count = 0
        self.max_tasks = max_tasks
        self.max_tasks_of_caller = max_tasks_of_caller
        self._to_sweep: list[bytes] = []

    def __len__(self) -> int:
        """Return the number of open tasks."""
        return self.count

    def __iter__(self) -> Iterator[Entry]:
        """Yield every open task, by caller."""
        for entries in self.by_caller.values():
            yield from entries.values()

    def find(self, caller: bytes, task: bytes) -> Entry | None:
        """Return the open task of a caller by its task id."""
        entries = self.by_caller.get(caller)
        return None if entries is None else entries.get(task)

    def open_of(self, caller: bytes) -> Collection[Entry]:
        """Return the open tasks of a caller, oldest first, to look at and not to keep."""
        return self.by_caller.get(caller, _NONE).values()

    def room_for(self, caller: bytes) -> int:
        """Return how many tasks of a caller may be entered."""
        of_caller = self.max_tasks_of_caller - len(self.by_caller.get(caller, _NONE))
        return max(0, min(of_caller, self.max_tasks - self.count))

    def enter(self, entry: Entry) -> None:
        """Enter a task, and add it to the load of its seat."""
        seat, worker, before = entry.seat, entry.seat.peer, len(entry.seat.open)
        of_caller = self.by_caller.get(entry.caller)
        if of_caller is None:
            of_caller = self.by_caller[entry.caller] = {}
        of_caller[entry.task] = entry
        seat.open[entry] = None
        self.count += 1
        worker.open_count += 1
        worker.open_bytes += entry.body_bytes
        for pool in seat.pools:
            pool.load_changed(seat, before)

    def enter_all(self, caller: bytes, entries: Mapping[bytes, Entry], seat: Seat) -> None:
        """Enter tasks of one caller at one seat, by their ids; none of them is known."""
        before = len(seat.open)
        self.by_caller.setdefault(caller, {}).update(entries)
        seat.open.update(dict.fromkeys(entries.values()))
        self.count += len(entries)
        seat.peer.open_count += len(entries)
        seat.peer.open_bytes += sum(entry.body_bytes for entry in entries.values())
        for pool in seat.pools:
            pool.load_changed(seat, before)

    def settle(self, entry: Entry) -> None:
        """Remove a task, and subtract it from the load of its seat."""
        seat, before = entry.seat, len(entry.seat.open)
        self._remove(entry)
        for pool in seat.pools:
            pool.load_changed(seat, before)

    def settle_all(self, entries: Iterable[Entry]) -> None:
        """Remove several tasks."""
        loads: dict[Seat, int] = {}
        for entry in entries:
            loads.setdefault(entry.seat, len(entry.seat.open))
            self._remove(entry)
        for seat, before in loads.items():
            for pool in seat.pools:
                pool.load_changed(seat, before)

    def _remove(self, entry: Entry) -> None:
        del self.by_caller[entry.caller][entry.task]
        self.count -= 1
        del entry.seat.open[entry]
        entry.seat.peer.open_bytes -= entry.body_bytes
        entry.seat.peer.open_count -= 1

    def settle_overdue(self, now_s: float) -> list[Entry]:
        """Remove and return tasks that are overdue, out of the next of those to look at.

        Each call goes on where the last one ended, so that a full ledger costs no more a second
        than one of 20,000 tasks, which is looked at as a whole.
        """
        overdue: list[Entry] = []
        looked_at = 0
        callers = self._to_sweep = self._to_sweep or list(self.by_caller)
        while callers and looked_at < _SWEPT:
            caller = callers.pop()
            entries = self.by_caller[caller]
            if not entries:  # nobody removes it when its last task is settled: callers come back
                del self.by_caller[caller]
            looked_at += 1 + len(entries)
            overdue += [each for each in entries.values() if each.expires_at_s <= now_s]
        self.settle_all(overdue)
        return overdue
