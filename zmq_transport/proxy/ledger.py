"""Record which worker has which task of which caller. Spec: docs/spec/03-routing.md. Pure.

A task has one entry from the moment it is given to a seat until it is settled, lost or overdue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from .routing import Seat


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
        cancelled: True once its caller sent CANCEL; its replies are not copied to subscribers.
    """

    __slots__ = (
        "address",
        "caller",
        "cancelled",
        "expires_at_s",
        "keep",
        "key",
        "seat",
        "task",
        "trace",
    )

    def __init__(
        self,
        caller: bytes,
        task: bytes,
        trace: bytes,
        address: bytes,
        seat: Seat,
        expires_at_s: float,
        keep: bool,
    ) -> None:
        self.key = caller + task
        self.caller = caller
        self.task = task
        self.trace = trace
        self.address = address
        self.seat = seat
        self.expires_at_s = expires_at_s
        self.keep = keep
        self.cancelled = False


class Ledger:
    """The open tasks of one proxy; keeps the load of every seat in step."""

    def __init__(self) -> None:
        self._entries: dict[bytes, Entry] = {}

    def __len__(self) -> int:
        """Return the number of open tasks."""
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        """Yield every open task, oldest first."""
        return iter(self._entries.values())

    @property
    def known(self) -> Callable[[bytes], Entry | None]:
        """The function from a ledger key to the open task: `find` for the hot path."""
        return self._entries.get

    def find(self, caller: bytes, task: bytes) -> Entry | None:
        """Return the open task of a caller by its task id."""
        return self._entries.get(caller + task)

    def enter(self, entry: Entry) -> None:
        """Enter a task, and add it to the load of its seat."""
        self._entries[entry.key] = entry
        seat, before = entry.seat, len(entry.seat.open)
        seat.open[entry.key] = entry
        for pool in seat.pools:
            pool.load_changed(seat, before)

    def enter_all(self, entries: Mapping[bytes, Entry], seat: Seat) -> None:
        """Enter tasks of one seat, by their keys."""
        self._entries.update(entries)
        before = len(seat.open)
        seat.open.update(entries)
        for pool in seat.pools:
            pool.load_changed(seat, before)

    def settle(self, entry: Entry) -> None:
        """Remove a task, and subtract it from the load of its seat."""
        del self._entries[entry.key]
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
            del self._entries[entry.key]
            del seat.open[entry.key]
        for seat, before in loads.items():
            for pool in seat.pools:
                pool.load_changed(seat, before)

    def settle_where(self, which: Callable[[Entry], bool]) -> list[Entry]:
        """Remove and return every task that `which` selects; it is called for each of them."""
        selected = [entry for entry in self._entries.values() if which(entry)]
        self.settle_all(selected)
        return selected
