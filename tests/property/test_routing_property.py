"""Pools and routes choose as a plain list would: fewest outstanding, longest idle on ties."""

from types import SimpleNamespace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from zmq_transport.kernel import Entry
from zmq_transport.proxy.ledger import Ledger
from zmq_transport.proxy.routing import Routes, Seat
from zmq_transport.wire.heads import read_address

NAMES = st.sampled_from(["a", "b"])
ABILITIES = st.frozensets(st.sampled_from(["x", "y", "z"]))
ADDRESSES = [b"a", b"b", b"?x", b"?y", b"?x,y", b"?x,y,z"]
PICK = st.integers(0, 1000)


def serves(seat, address):
    name, wanted = read_address(address)
    return seat.name == name if name is not None else wanted <= seat.capabilities


class RoutingMachine(RuleBasedStateMachine):
    """The model is a list of seats, each with the turn at which it last changed its load."""

    def __init__(self):
        super().__init__()
        self.routes, self.ledger = Routes(max_queries=2), Ledger()
        self.idle_since, self.entries, self.turn = {}, [], 0

    def expected(self, address):
        """Return the load of the next seat and who of its peers may be it."""
        fitting = [s for s in self.idle_since if serves(s, address) and s.available]
        least = min((len(seat.open) for seat in fitting), default=0)
        return [seat for seat in fitting if len(seat.open) == least]

    def next_of(self, address):
        pool = self.routes.find(address)
        return None if pool is None else pool.next()

    def stamp(self, seat):
        self.turn += 1
        self.idle_since[seat] = self.turn

    @rule(name=NAMES, abilities=ABILITIES)
    def add(self, name, abilities):
        seat = Seat(SimpleNamespace(open_count=0, open_bytes=0), name, abilities, {})
        self.routes.add(seat)
        self.stamp(seat)

    @precondition(lambda self: self.idle_since)
    @rule(pick=PICK)
    def remove(self, pick):
        seat = list(self.idle_since)[pick % len(self.idle_since)]
        self.routes.remove(seat)
        del self.idle_since[seat]
        assert not seat.pools

    @precondition(lambda self: self.idle_since)
    @rule(pick=PICK, available=st.booleans())
    def set_available(self, pick, available):
        seat = list(self.idle_since)[pick % len(self.idle_since)]
        self.routes.set_available(seat, available)
        self.stamp(seat)

    @rule(address=st.sampled_from(ADDRESSES))
    def give(self, address):
        seat, ties = self.next_of(address), self.expected(address)
        assert (seat in ties) if ties else seat is None
        if seat is None:
            return
        if not address.startswith(b"?"):  # a set of capabilities may have been asked for just now
            assert seat is min(ties, key=self.idle_since.__getitem__)
        entry = Entry(
            b"c" * 16, self.turn.to_bytes(16, "big"), b"", address, seat, 0.0, False, 3, 0
        )
        self.ledger.enter(entry)
        self.entries.append(entry)
        self.stamp(seat)

    @precondition(lambda self: self.entries)
    @rule(pick=PICK)
    def settle(self, pick):
        entry = self.entries.pop(pick % len(self.entries))
        self.ledger.settle(entry)
        if entry.seat in self.idle_since:
            self.stamp(entry.seat)

    @invariant()
    def everyone_is_found_by_what_they_serve_and_nobody_else(self):
        for address in ADDRESSES:
            pool = self.routes.find(address)
            found = set(pool.seats) if pool is not None else set()
            assert found == {seat for seat in self.idle_since if serves(seat, address)}

    @invariant()
    def what_is_kept_is_bounded(self):
        assert len(self.routes) == len(self.idle_since)
        assert len(self.ledger) == len(self.entries)
        held = [(len(seat.open), 3 * len(seat.open)) for seat in self.idle_since]
        assert [(s.peer.open_count, s.peer.open_bytes) for s in self.idle_since] == held
        assert all(len(seat.pools) <= 1 + 2 for seat in self.idle_since)


RoutingMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestRouting = RoutingMachine.TestCase
