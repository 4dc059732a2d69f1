"""Which task is whose: caller, worker, expiry. Spec: docs/spec/03-routing.md. Pure.

One entry a task from the moment it is given to a seat until it is settled, lost or long overdue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from .routing import Seat


class Entry:
    """One task in somebody's hands. Slots, because every task makes one.

    Attributes:
        caller: Instance id of who waits for it.
        task: Task id.
        trace: Trace id.
        address: Where its caller had sent it.
        seat: Who has it.
        expires_at_s: When it may be forgotten unsettled.
        keep: True if it shall run on when its caller goes away.
        cancelled: True once its caller sent CANCEL; its replies are copied to nobody any more.
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
        """What returns the open task with a ledger key: `find` for the hot path."""
        return self._entries.get

    def find(self, caller: bytes, task: bytes) -> Entry | None:
        """Return the open task of that caller under that id."""
        return self._entries.get(caller + task)

    def enter(self, entry: Entry) -> None:
        """Put a task into the hands of its seat."""
        self._entries[entry.key] = entry
        seat, before = entry.seat, len(entry.seat.open)
        seat.open[entry.key] = entry
        for pool in seat.pools:
            pool.moved(seat, before)

    def enter_all(self, entries: Mapping[bytes, Entry], seat: Seat) -> None:
        """Put tasks, by their keys, into the hands of one seat."""
        self._entries.update(entries)
        before = len(seat.open)
        seat.open.update(entries)
        for pool in seat.pools:
            pool.moved(seat, before)

    def settle(self, entry: Entry) -> None:
        """Take a task out; its seat is free of it."""
        del self._entries[entry.key]
        seat, before = entry.seat, len(entry.seat.open)
        del seat.open[entry.key]
        for pool in seat.pools:
            pool.moved(seat, before)

    def settle_all(self, entries: Iterable[Entry]) -> None:
        """Take several tasks out."""
        loads: dict[Seat, int] = {}
        for entry in entries:
            seat = entry.seat
            loads.setdefault(seat, len(seat.open))
            del self._entries[entry.key]
            del seat.open[entry.key]
        for seat, before in loads.items():
            for pool in seat.pools:
                pool.moved(seat, before)

    def settle_where(self, which: Callable[[Entry], bool]) -> list[Entry]:
        """Take out and return every task that `which` picks; looks at all of them."""
        picked = [entry for entry in self._entries.values() if which(entry)]
        self.settle_all(picked)
        return picked
