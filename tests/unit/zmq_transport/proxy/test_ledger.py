"""Which task is whose."""

from types import SimpleNamespace

import pytest

from zmq_transport.proxy import ledger as ledger_module
from zmq_transport.proxy.ledger import Ledger
from zmq_transport.proxy.routing import Routes, Seat

TASK, OTHER = b"t" * 16, b"o" * 16
CALLER = b"c" * 16


@pytest.fixture
def worker():
    return SimpleNamespace(open_count=0, open_bytes=0)


@pytest.fixture
def seat(worker):
    return Seat(worker, "echo", frozenset(), {})


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
    assert list(ledger) == list(seat.open) == [first, second]
    assert list(ledger.open_of(OTHER)) == [second]


def test_an_open_task_is_load_of_its_seat_and_a_settled_one_is_not(seat, worker, entry_of):
    ledger, entry = Ledger(), entry_of(TASK, seat, body_bytes=5)

    ledger.enter(entry)
    assert (len(ledger), len(seat.open), worker.open_count, worker.open_bytes) == (1, 1, 1, 5)

    ledger.settle(entry)
    assert (len(ledger), len(seat.open), worker.open_count, worker.open_bytes) == (0, 0, 0, 0)
    assert ledger.find(CALLER, TASK) is None


def test_those_that_are_overdue_are_settled_and_no_others(seat, entry_of):
    ledger = Ledger()
    entries = [entry_of(b"%016d" % n, seat, expires_at_s=float(n)) for n in range(4)]
    for entry in entries:
        ledger.enter(entry)

    overdue = ledger.settle_overdue(1.0)

    assert overdue == entries[:2]
    assert list(ledger) == entries[2:]
    assert len(seat.open) == 2


def test_a_large_ledger_is_looked_at_in_turns(seat, entry_of, monkeypatch):
    monkeypatch.setattr(ledger_module, "_SWEPT", 5)
    ledger = Ledger()
    for number in range(12):
        caller = b"%016d" % (number % 4)
        ledger.enter(entry_of(b"%016d" % number, seat, caller=caller, expires_at_s=0.0))

    found = [len(ledger.settle_overdue(1.0)) for _ in range(4)]

    assert found == [6, 6, 0, 0]
    assert not ledger.by_caller


def test_there_is_room_up_to_both_limits(seat, entry_of):
    ledger = Ledger(max_tasks=3, max_tasks_of_caller=2)
    rooms = []
    for task, caller in ((TASK, CALLER), (OTHER, CALLER), (TASK, OTHER)):
        rooms.append((ledger.room_for(CALLER), ledger.room_for(OTHER)))
        ledger.enter(entry_of(task, seat, caller=caller))

    assert rooms == [(2, 2), (1, 2), (0, 1)]
    assert ledger.room_for(OTHER) == ledger.room_for(bytes(16)) == 0


def test_a_caller_without_a_task_is_forgotten(seat, entry_of):
    ledger, entry = Ledger(), entry_of(TASK, seat)
    ledger.enter(entry)
    ledger.enter(entry_of(TASK, seat, caller=OTHER))
    ledger.settle(entry)

    assert ledger.settle_overdue(0.0) == []

    assert list(ledger.by_caller) == [OTHER]


def test_the_load_of_a_seat_that_left_can_still_be_settled(seat, entry_of):
    routes, ledger, entry = Routes(), Ledger(), entry_of(TASK, seat)
    routes.add(seat)
    ledger.enter(entry)

    routes.remove(seat)
    ledger.settle(entry)

    assert not len(ledger)
