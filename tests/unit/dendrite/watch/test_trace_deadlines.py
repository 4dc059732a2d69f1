"""A trace is over when all that was seen in it has ended, and not before."""

from cosmonapse import Signal, new_trace_id
from cosmonapse.dendrite.watch.trace_deadlines import GRACE_S, TraceDeadlines

TRACE = new_trace_id()


def of(kind, parent=None, trace_id=TRACE):
    return Signal(type=kind, trace_id=trace_id, parent_id=parent.id if parent else None)


def lives():
    made = TraceDeadlines()
    made.begin(TRACE)
    return made


def test_a_trace_is_over_some_time_after_its_last_task():
    observed, task = lives(), of("TASK")

    assert observed.saw(task, 1.0) is None
    assert observed.saw(of("AGENT_OUTPUT", task), 2.0) == 2.0 + GRACE_S
    assert observed.due(2.0 + GRACE_S - 0.1) == []
    assert observed.due(2.1 + GRACE_S) == [TRACE]
    assert TRACE not in observed
    assert observed.next_at_s() is None


def test_an_open_child_keeps_its_trace():
    observed, parent = lives(), of("TASK")
    child = of("TASK", parent)

    for signal in (parent, child, of("ERROR", parent)):
        assert observed.saw(signal, 1.0) is None

    assert observed.saw(of("AGENT_OUTPUT", child), 2.0) is not None


def test_a_question_keeps_its_trace_until_the_task_that_its_answer_led_to_has_ended():
    observed, task = lives(), of("TASK")
    question = of("PERMISSION", task)
    again = of("TASK", question)

    assert [observed.saw(each, 1.0) for each in (task, question, again)] == [None] * 3
    assert observed.saw(of("AGENT_OUTPUT", again), 9.0) is not None


def test_every_further_signal_puts_the_end_off_and_a_further_task_takes_it_back():
    observed, task = lives(), of("TASK")
    observed.saw(task, 1.0)
    observed.saw(of("FINAL", task), 2.0)

    assert observed.saw(of("MEMORY_APPEND"), 20.0) == 20.0 + GRACE_S
    assert observed.due(3.0 + GRACE_S) == []
    assert observed.saw(of("TASK"), 30.0) is None
    assert observed.due(1000.0) == []


def test_a_trace_that_never_began_is_not_over():
    observed = lives()

    assert observed.saw(of("PLAN"), 1.0) is None
    assert observed.due(1000.0) == []


def test_a_trace_that_nobody_observes_costs_nothing():
    observed = lives()
    task = of("TASK")
    observed.saw(task, 1.0)
    observed.saw(of("FINAL", task), 2.0)
    observed.forget(TRACE)

    assert observed.saw(of("FINAL"), 3.0) is None
    assert observed.next_at_s() is None
