"""Record which worker has which task of which caller. Spec: docs/spec/03-routing.md. Pure.

A task has one entry from the moment it is given to a seat until it is settled, lost or overdue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from ..kernel import Entry
from .routing import Seat


class Ledger:
    """The open tasks of one proxy; keeps the load of every seat in step.

    Attributes:
        entries: By key; for the hot path, which keeps the loads in step itself.
    """

    def __init__(self) -> None:
        self.entries: dict[bytes, Entry] = {}

    def __len__(self) -> int:
        """Return the number of open tasks."""
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry]:
        """Yield every open task, oldest first."""
        return iter(self.entries.values())

    @property
    def known(self) -> Callable[[bytes], Entry | None]:
        """The function from a ledger key to the open task: `find` for the hot path."""
        return self.entries.get

    def find(self, caller: bytes, task: bytes) -> Entry | None:
        """Return the open task of a caller by its task id."""
        return self.entries.get(caller + task)

    def enter(self, entry: Entry) -> None:
        """Enter a task, and add it to the load of its seat."""
        self.entries[entry.key] = entry
        seat, before = entry.seat, len(entry.seat.open)
        seat.open[entry.key] = entry
        for pool in seat.pools:
            pool.load_changed(seat, before)

    def enter_all(self, entries: Mapping[bytes, Entry], seat: Seat) -> None:
        """Enter tasks of one seat, by their keys."""
        self.entries.update(entries)
        before = len(seat.open)
        seat.open.update(entries)
        for pool in seat.pools:
            pool.load_changed(seat, before)

    def settle(self, entry: Entry) -> None:
        """Remove a task, and subtract it from the load of its seat."""
        del self.entries[entry.key]
        seat, before = entry.seat, len(entry.seat.open)
        del seat.open[entry.key]
        for pool in seat.pools:
            pool.load_changed(seat, before)

    def settle_all(self, entries: Iterable[Entry]) -> None:
        """Remove several tasks."""
        loads: dict[Seat, int] = {}
        for entry in entries:
            seat = entry.seat
            loads.setdefault(seat, len(seat.open))
            del self.entries[entry.key]
            del seat.open[entry.key]
        for seat, before in loads.items():
            for pool in seat.pools:
                pool.load_changed(seat, before)

    def settle_where(self, which: Callable[[Entry], bool]) -> list[Entry]:
        """Remove and return every task that `which` selects; it is called for each of them."""
        selected = [entry for entry in self.entries.values() if which(entry)]
        self.settle_all(selected)
        return selected
