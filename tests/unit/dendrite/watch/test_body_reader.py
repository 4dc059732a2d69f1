"""Bodies that say another type than the one that they were sent as."""

from collections import Counter

import pytest

from cosmonapse import Signal, SignalType
from cosmonapse.dendrite.watch.body_reader import BodyReader

CALLER, WORKER, NOBODY = b"c" * 16, b"w" * 16, bytes(16)
ORDERS = [
    SignalType.STOP,
    SignalType.PERMISSION_DECISION,
    SignalType.CLARIFICATION_ANSWER,
    SignalType.TASK_OFFER,
    SignalType.BID,
]


@pytest.fixture
def counts():
    return Counter()


@pytest.fixture
def reader(counts):
    return BodyReader(counts)


def test_a_body_of_the_type_that_it_was_sent_as_is_read(reader, counts):
    plan = Signal(type=SignalType.PLAN, payload={"steps": []})

    assert reader.signals(plan.encode(), SignalType.PLAN) == [plan]
    assert reader.signals(plan.encode()) == [plan]
    assert not counts


def test_a_decision_that_was_sent_as_a_plan_is_dropped(reader, counts, caplog):
    decision = Signal(type=SignalType.PERMISSION_DECISION, payload={"granted": True})

    assert reader.signals(decision.encode(), SignalType.PLAN) == []
    assert counts == {"drop.bad_signal": 1}
    assert "a PERMISSION_DECISION was sent as a PLAN" in caplog.text


@pytest.mark.parametrize("type", ORDERS)
def test_a_worker_gives_no_orders_with_a_reply(reader, counts, type):
    assert not reader.belongs(type, CALLER, WORKER, 3)
    assert not reader.is_of_task(type)
    assert counts == {"drop.bad_signal": 4}


@pytest.mark.parametrize("type", ORDERS)
def test_who_publishes_may_give_them_as_far_as_the_synapse_lets_it(reader, counts, type):
    assert reader.belongs(type, CALLER, NOBODY, 1)
    assert not counts


def test_tasks_and_replies_belong_to_a_caller_and_a_worker(reader, counts):
    for each in (SignalType.TASK, SignalType.THOUGHT_DELTA, SignalType.PERMISSION):
        assert reader.belongs(each, CALLER, WORKER, 1)
    assert reader.belongs(SignalType.REGISTER, NOBODY, WORKER, 1)
    assert not counts
