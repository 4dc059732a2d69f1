"""Which task is whose."""

import pytest

from zmq_transport.proxy.ledger import Ledger
from zmq_transport.proxy.routing import Routes, Seat

TASK, OTHER = b"t" * 16, b"o" * 16
CALLER = b"c" * 16


@pytest.fixture
def seat():
    return Seat(None, "echo", frozenset(), {})


def test_a_task_is_found_under_its_caller_and_id(seat, entry_of):
    ledger, entry = Ledger(), entry_of(TASK, seat)
    ledger.enter(entry)

    assert ledger.find(CALLER, TASK) is entry
    assert ledger.find(CALLER, OTHER) is None
    assert ledger.find(OTHER, TASK) is None


def test_two_callers_may_use_the_same_task_id(seat, entry_of):
    ledger = Ledger()
    first, second = entry_of(TASK, seat), entry_of(TASK, seat, caller=OTHER)
    ledger.enter(first)
    ledger.enter(second)

    assert ledger.find(CALLER, TASK) is first
    assert ledger.find(OTHER, TASK) is second
    assert list(ledger) == [first, second]


def test_an_open_task_is_load_of_its_seat_and_a_settled_one_is_not(seat, entry_of):
    ledger, entry = Ledger(), entry_of(TASK, seat)

    ledger.enter(entry)
    assert (len(ledger), len(seat.open)) == (1, 1)

    ledger.settle(entry)
    assert (len(ledger), len(seat.open)) == (0, 0)
    assert ledger.find(CALLER, TASK) is None


def test_those_that_are_picked_are_settled_and_no_others(seat, entry_of):
    ledger = Ledger()
    entries = [entry_of(b"%016d" % n, seat, expires_at_s=float(n)) for n in range(4)]
    for entry in entries:
        ledger.enter(entry)

    picked = ledger.settle_where(lambda entry: entry.expires_at_s < 2.0)

    assert picked == entries[:2]
    assert list(ledger) == entries[2:]
    assert len(seat.open) == 2


def test_the_load_of_a_seat_that_left_can_still_be_settled(seat, entry_of):
    routes, ledger, entry = Routes(), Ledger(), entry_of(TASK, seat)
    routes.add(seat)
    ledger.enter(entry)

    routes.remove(seat)
    ledger.settle(entry)

    assert not len(ledger)
