"""Open tasks at their caller: every one ends, and once."""

import pytest

from cosmonapse import CODES, Directed, Signal, SignalType
from cosmonapse.delivery import Delivery, OpenTask, code_of, error_for
from cosmonapse.ids import id_text

TASK, OTHER, TRACE, WORKER = b"t" * 16, b"o" * 16, b"r" * 16, b"w" * 16
NAMED = Directed("echo", "neuron")
ABLE = Directed(None, "neuron", ("chat", "fr"))


def opened_of(task=TASK, timeout_s=5.0, directed=NAMED):
    signal = Signal(
        type=SignalType.TASK,
        payload={"input": {}},
        directed=directed,
        id=id_text("evt_", task),
        trace_id=id_text("trc_", TRACE),
    )
    return OpenTask(signal, timeout_s)


def delivery_of(*opened, now_s=100.0):
    delivery = Delivery()
    for each in opened:
        delivery.open(each, now_s)
    return delivery


def test_a_reply_belongs_to_its_task_and_names_the_worker():
    opened = opened_of()
    delivery = delivery_of(opened)

    assert delivery.replied(TASK, WORKER, 0, settles=False) is opened
    assert opened.worker == WORKER
    assert len(delivery) == 1


def test_the_reply_that_settles_ends_the_task():
    delivery = delivery_of(opened_of())

    assert delivery.replied(TASK, WORKER, 0, settles=True)
    assert len(delivery) == 0
    assert delivery.expire(1e9) == []


def test_a_reply_that_comes_too_late_is_counted():
    delivery = delivery_of(opened_of())
    delivery.replied(TASK, WORKER, 0, settles=True)

    assert delivery.replied(TASK, WORKER, 1, settles=True) is None
    assert delivery.counts == {"drop.late_reply": 1}


def test_a_reply_that_comes_twice_is_taken_once():
    delivery = delivery_of(opened_of())

    taken = [delivery.replied(TASK, WORKER, n, settles=False) for n in (0, 0, 1, 0)]

    assert [each is not None for each in taken] == [True, False, True, False]
    assert delivery.counts == {"drop.repeated_reply": 2}


def test_replies_that_are_missing_are_counted():
    delivery = delivery_of(opened_of())
    for index in (0, 3, 4):
        assert delivery.replied(TASK, WORKER, index, settles=False)

    assert delivery.counts == {"gap.replies": 2}


def test_a_task_ends_at_its_deadline():
    opened = opened_of(timeout_s=5.0)
    delivery = delivery_of(opened, opened_of(OTHER, timeout_s=50.0), now_s=100.0)

    assert delivery.expire(104.9) == []
    assert delivery.expire(105.1) == [opened]
    assert delivery.expire(106.0) == []
    assert len(delivery) == 1


def test_the_next_deadline_is_that_of_an_open_task():
    delivery = delivery_of(opened_of(timeout_s=1.0), opened_of(OTHER, timeout_s=5.0), now_s=100.0)
    assert delivery.next_deadline_at_s() == pytest.approx(101.0, abs=0.01)

    delivery.close(TASK)

    assert delivery.next_deadline_at_s() == pytest.approx(105.0, abs=0.01)


def test_a_task_is_closed_once():
    opened = opened_of()
    delivery = delivery_of(opened)

    assert [delivery.close(TASK), delivery.close(TASK)] == [opened, None]
    assert delivery.next_deadline_at_s() is None


def test_all_tasks_are_closed_together():
    tasks = [opened_of(), opened_of(OTHER)]
    delivery = delivery_of(*tasks)

    assert delivery.close_all() == tasks
    assert len(delivery) == 0


@pytest.mark.parametrize(
    ("reason", "named", "able"),
    [
        ("no_route", "NO_SUCH_NEURON", "NO_CAPABLE_NEURON"),
        ("bad_address", "NO_SUCH_NEURON", "NO_CAPABLE_NEURON"),
        ("busy", "OVERLOADED", "OVERLOADED"),
        ("expired", "EXPIRED", "EXPIRED"),
        ("worker_lost", "WORKER_LOST", "WORKER_LOST"),
        ("reply_lost", "REPLY_LOST", "REPLY_LOST"),
        ("unknown", "TASK_LOST", "TASK_LOST"),
        ("of next year", "TASK_LOST", "TASK_LOST"),
    ],
)
def test_a_reason_of_the_transport_becomes_a_code(reason, named, able):
    assert code_of(reason, opened_of(directed=NAMED)) == named
    assert code_of(reason, opened_of(directed=ABLE)) == able


@pytest.mark.parametrize(
    "code",
    [
        "NO_SUCH_NEURON",
        "NO_CAPABLE_NEURON",
        "OVERLOADED",
        "EXPIRED",
        "WORKER_LOST",
        "REPLY_LOST",
        "TASK_LOST",
    ],
)
def test_an_error_of_the_callers_side_says_what_is_known(code):
    opened = opened_of(timeout_s=2.5)

    error = error_for(opened, code)

    assert (error.type, error.payload["code"]) == (SignalType.ERROR, code)
    assert error.payload["recoverable"] is CODES[code].recoverable
    assert "'echo'" in error.payload["message"]
    assert (error.trace_id, error.parent_id) == (opened.signal.trace_id, opened.signal.id)
    assert error.directed == NAMED


def test_a_target_is_named_for_people():
    assert opened_of(directed=NAMED).target == "neuron 'echo'"
    assert opened_of(directed=ABLE).target == "a neuron that offers chat, fr"
