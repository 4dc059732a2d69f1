"""What `--failed` chooses: ERRORs, and the TASKs above them, once each."""

import pytest

from cosmonapse.doppler import failed
from cosmonapse.doppler.failed import FailedOnly
from cosmonapse.doppler.signal_filter import SignalFilter
from cosmonapse.signals import SignalType
from support.observed import observed, reply, task

FAULT = {"code": "BAD", "message": "no"}


def child(parent, neuron="child"):
    return task(neuron, trace_id=parent.signal.trace_id, parent_id=parent.signal.id)


def error(asked, neuron="worker"):
    return reply(asked, SignalType.ERROR, FAULT, neuron)


ALL = SignalFilter()


def chosen(*seen, wanted=ALL):
    choose = FailedOnly(wanted)
    return [each for one in seen for each in choose(one)]


def test_an_error_comes_below_its_tasks_from_the_question_down():
    root = task()
    below = child(root)
    fault = error(below)

    assert chosen(root, below, task(), fault) == [root, below, fault]


def test_a_task_is_shown_once():
    root = task()
    below = child(root)
    first, second = error(below), error(root)

    assert chosen(root, below, first, second) == [root, below, first, second]


def test_what_went_well_and_what_is_no_error_is_not_shown():
    asked = task()

    assert chosen(asked, reply(asked), observed()) == []


def test_an_error_whose_task_was_not_seen_stands_alone():
    fault = error(task())

    assert chosen(fault) == [fault]


def test_the_errors_of_one_neuron_come_with_the_tasks_of_others():
    root = task("asker")
    below = child(root, "writer")
    fault = error(below, "writer")

    wanted = SignalFilter(frozenset({SignalType.TASK}), neuron="writer")

    assert chosen(root, below, fault, error(root, "asker"), wanted=wanted) == [root, below, fault]


def test_one_trace_is_chosen():
    mine, other = task(), task()
    fault = error(mine)

    wanted = SignalFilter(trace=mine.signal.trace_id[:8])

    assert chosen(mine, other, error(other), fault, wanted=wanted) == [mine, fault]


@pytest.mark.parametrize(("name", "most"), [("MOST_TASKS", 2), ("MOST_BYTES", 250)])
def test_the_oldest_tasks_are_forgotten(monkeypatch, name, most):
    monkeypatch.setattr(failed, name, most)
    tasks = [task() for _ in range(3)]
    faults = [error(each) for each in tasks]
    assert 2 * len(tasks[0].body) < 250 < 3 * len(tasks[0].body)

    assert chosen(*tasks, faults[0], faults[2]) == [faults[0], tasks[2], faults[2]]


def test_parents_in_a_circle_end():
    one = task()
    other = child(one)
    circle = task(id=one.signal.id, parent_id=other.signal.id, trace_id=one.signal.trace_id)
    fault = error(other)

    assert chosen(circle, other, fault) == [circle, other, fault]
