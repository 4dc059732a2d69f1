"""Find the seats that serve an address, and the next of them. Spec: docs/spec/03-routing.md. Pure.

A *seat* is one registered name at one connection; several seats under one name are replicas. A
*pool* holds the seats that serve one address. Its next seat is the one with the fewest
outstanding tasks; on ties the one that has been idle longest. Every step is O(1) in the number of
seats, so a call costs the same beside one seat and beside a thousand.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from ..errors import WireError
from ..wire.heads import read_address
from .offers import Offers
from .page_table import PageTable

MAX_MISSES: Final = 16


class Seat:
    """One registered name at one connection. Slots, because every message touches one.

    Attributes:
        peer: The peer that registered it.
        name: The name it serves; `address` is the same as bytes.
        capabilities: The capabilities that it offers.
        facts: The facts of its REGISTER, for the roster.
        vitals: The facts of its last HEARTBEAT.
        facts_bytes: The length of the former, as they came.
        vitals_bytes: The length of the latter.
        told: The capabilities that the roster tells, once somebody asked; see `roster`.
        open: Its outstanding tasks, as keys; their number is its load.
        number: Grows with every seat of its namespace.
        available: False while it gets no new tasks.
    """

    __slots__ = (
        "address",
        "available",
        "capabilities",
        "facts",
        "facts_bytes",
        "name",
        "number",
        "open",
        "peer",
        "pools",
        "told",
        "vitals",
        "vitals_bytes",
    )

    def __init__(
        self, peer: Any, name: str, capabilities: frozenset[str], facts: Mapping[str, Any]
    ) -> None:
        self.peer = peer
        self.name = name
        self.address = name.encode()
        self.capabilities = capabilities
        self.facts = facts
        self.vitals: Mapping[str, Any] = {}
        self.facts_bytes = 0
        self.vitals_bytes = 0
        self.told: list[str] | None = None
        self.open: dict[Any, None] = {}
        self.available = True
        self.number = 0
        self.pools: list[Pool] = []

    def take_over(self, other: Seat) -> None:
        """Take the tasks of a seat that stood in for this one; call it ahead of `Routes.add`."""
        self.open.update(other.open)
        other.open.clear()
        for entry in self.open:
            entry.seat = self

    def __repr__(self) -> str:
        """Name it as `Seat(name, 3 open)`."""
        return f"Seat({self.name}, {len(self.open)} open)"


class Pool:
    """The seats of one address. Levels exist from the second seat on.

    Attributes:
        seats: As keys, oldest first.
        names: How many of them have each name.

    Args:
        address: The address, for a set of capabilities.
    """

    __slots__ = ("_levels", "address", "names", "seats")

    def __init__(self, address: bytes = b"") -> None:
        self.address = address
        self.seats: dict[Seat, None] = {}
        self.names: dict[str, int] = {}
        self._levels: dict[int, dict[Seat, None]] = {}

    def add(self, seat: Seat) -> None:
        """Add a seat that serves this address."""
        self.seats[seat] = None
        self.names[seat.name] = self.names.get(seat.name, 0) + 1
        seat.pools.append(self)
        # The first seat had no level while it was alone, see `next`.
        for each in self.seats if len(self.seats) == 2 else (seat,):
            self.offer(each)

    def remove(self, seat: Seat) -> None:
        """Remove `seat`."""
        del self.seats[seat]
        self.names[seat.name] -= 1
        if not self.names[seat.name]:
            del self.names[seat.name]
        seat.pools.remove(self)
        self._remove_from_level(seat, len(seat.open))
        if len(self.seats) == 1:
            self._levels.clear()

    def next(self) -> Seat | None:
        """Return the available seat with the least load, longest idle on ties, or None."""
        if (
            len(self.seats) == 1
        ):  # the usual case needs no levels, and so no accounting for each task
            seat = next(iter(self.seats))
            return seat if seat.available else None
        if not self._levels:
            return None
        # 03-routing, "Seats and pools" 3: a level keeps the order in which seats came to it, so its
        # first one has waited longest. There are as many levels as different loads: few.
        return next(iter(self._levels[min(self._levels)]))

    def next_of(self, may: Callable[[str], bool]) -> Seat | None:
        """Return the next seat among those whose name `may` allows, or None."""
        if len(self.seats) == 1:
            seat = self.next()
            return seat if seat is not None and may(seat.name) else None
        for load in sorted(self._levels):
            for seat in self._levels[load]:
                if may(seat.name):
                    return seat
        return None

    def has_present_seat(self, may: Callable[[str], bool] | None = None) -> bool:
        """Return whether a seat has a connection, at any load; of those alone that `may` allows."""
        return any(
            seat.peer.absent_at_s is None and (may is None or may(seat.name)) for seat in self.seats
        )

    def load_changed(self, seat: Seat, before: int) -> None:
        """Move `seat` to the level of its load; `before` is its load until now."""
        if len(self.seats) > 1:
            levels, load = self._levels, len(seat.open)
            # Hot: what `_remove_from_level` and `offer` do, without a call and an empty level each.
            level = levels.get(before)
            if level is not None and level.pop(seat, self) is None and not level:
                del levels[before]
            if seat.available:
                level = levels.get(load)
                if level is None:
                    levels[load] = {seat: None}
                else:
                    level[seat] = None

    def withdraw(self, seat: Seat) -> None:
        """Stop choosing `seat`."""
        self._remove_from_level(seat, len(seat.open))

    def offer(self, seat: Seat) -> None:
        """Choose `seat` again from now on, if it is available."""
        if len(self.seats) > 1 and seat.available:
            self._levels.setdefault(len(seat.open), {})[seat] = None

    def _remove_from_level(self, seat: Seat, load: int) -> None:
        level = self._levels.get(load)
        if level is not None and level.pop(seat, self) is None and not level:
            del self._levels[load]


class Routes:
    """Every seat of one namespace, by name and by capabilities.

    Args:
        max_queries: How many sets of capabilities have a pool; the least recently used one is
            removed first, and built again when it is asked for.
        max_queries_of_seat: How many of them one seat may be in; its oldest one is removed first.
    """

    def __init__(self, max_queries: int = 1024, max_queries_of_seat: int = 64) -> None:
        self._by_address: dict[bytes, Pool] = {}
        self._queries: OrderedDict[bytes, tuple[frozenset[str], Pool]] = OrderedDict()
        self._max_queries = max_queries
        self._max_queries_of_seat = max_queries_of_seat
        self._offers: Offers[Seat] = Offers()
        self._misses: dict[bytes, str] = {}
        self._seats: PageTable[Seat] = PageTable()
        self._count = 0

    def __iter__(self) -> Iterator[Seat]:
        """Yield every seat, oldest first."""
        return iter(self._seats)

    def __len__(self) -> int:
        """Return the number of seats."""
        return len(self._seats)

    def named(self, name: str) -> Iterable[Seat]:
        """Return the seats of a name, oldest first."""
        pool = self._by_address.get(name.encode(errors="replace"))
        return () if pool is None else pool.seats

    def offering(self, capability: str) -> Iterable[Seat]:
        """Return the seats that offer a capability, oldest first."""
        return self._offers.of(capability)

    def after(self, number: int) -> Iterator[Seat]:
        """Yield the seats with higher numbers, oldest first."""
        return self._seats.after(number)

    def add(self, seat: Seat) -> None:
        """Add a seat to the pools of its name and of its capabilities."""
        self._count += 1
        seat.number = self._count
        self._seats.add(seat.number, seat)
        self._misses.clear()
        self._by_address.setdefault(seat.address, Pool()).add(seat)
        self._offers.add(seat, seat.capabilities)
        for wanted, pool in self._queries.values():
            if wanted <= seat.capabilities:
                pool.add(seat)
        self._leave_oldest_queries(seat)

    def remove(self, seat: Seat) -> None:
        """Remove `seat` from every pool."""
        self._seats.remove(seat.number)
        for pool in list(seat.pools):
            pool.remove(seat)
        if not self._by_address[seat.address].seats:
            del self._by_address[seat.address]
        self._offers.remove(seat, seat.capabilities)

    def known(self, address: bytes) -> Pool | None:
        """Return the pool that serves `address`, if it exists already."""
        pool = self._by_address.get(address)
        if pool is None and (query := self._queries.get(address)) is not None:
            self._queries.move_to_end(address)
            pool = query[1]
        return pool

    def find(self, address: bytes) -> Pool | None:
        """Return the pool that serves `address`, or None if it has no seat.

        Raises:
            WireError: It is malformed.
        """
        pool = self._by_address.get(address)
        if pool is not None:
            return pool
        # 03-routing, "Seats and pools" 2: a pool for capabilities is built when it is first asked
        # for, so that a REGISTER does not cost a pool for each subset of its capabilities.
        query = self._queries.get(address)
        if query is not None:
            self._queries.move_to_end(address)
            return query[1] if query[1].seats else None
        # 03-routing, "Seats and pools" 5: a message may ask 64 times for what nobody serves.
        fault = self._misses.get(address)
        if fault:
            raise WireError("bad_address", fault)
        return self._find_new(address) if fault is None else None

    def _find_new(self, address: bytes) -> Pool | None:
        """Parse an address that is not remembered, and build its pool if somebody serves it."""
        try:
            name, wanted = read_address(address)
        except WireError as error:
            self._remember_miss(address, str(error))
            raise
        if name is not None:
            return None
        pool = self._build(address, wanted)
        if pool is None:
            self._remember_miss(address, "")
        return pool

    def _remember_miss(self, address: bytes, fault: str) -> None:
        """Remember that nobody offers a set, and what is wrong with its address, if anything."""
        if len(self._misses) >= MAX_MISSES:
            del self._misses[next(iter(self._misses))]
        self._misses[address] = fault

    def _build(self, address: bytes, wanted: frozenset[str]) -> Pool | None:
        """Build and store the pool of a set of capabilities; None if no seat offers them all."""
        # Only those who offer the rarest of them are looked at.
        pool = Pool(address)
        for seat in min(map(self._offers.of, wanted), key=len):
            if wanted <= seat.capabilities:
                pool.add(seat)
        # A pool without a seat is not stored: sets of capabilities that no seat offers would push
        # out those in use (03-routing, "Seats and pools" 2).
        if not pool.seats:
            return None
        self._queries[address] = wanted, pool
        if len(self._queries) > self._max_queries:
            self._forget_query(next(iter(self._queries)))
        for seat in list(pool.seats):
            self._leave_oldest_queries(seat)
        return pool

    def _leave_oldest_queries(self, seat: Seat) -> None:
        # 03-routing, "Seats and pools" 5: each task of a seat costs a step for each of its pools,
        # and anybody may ask for any of the sets of what it offers. The first pool is its name.
        while len(seat.pools) > 1 + self._max_queries_of_seat:
            self._forget_query(seat.pools[1].address)

    def _forget_query(self, address: bytes) -> None:
        _, pool = self._queries.pop(address)
        for seat in list(pool.seats):
            pool.remove(seat)

    @staticmethod
    def set_available(seat: Seat, available: bool) -> None:
        """Offer new tasks to `seat`, or stop offering them."""
        for pool in seat.pools:
            pool.withdraw(seat)
        seat.available = available
        for pool in seat.pools:
            pool.offer(seat)
