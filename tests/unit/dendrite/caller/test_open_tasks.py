"""Open tasks at their caller: every one ends, and once."""

import attrs
import pytest

from cosmonapse import CODES, BadSignal, Directed, Signal, SignalType
from cosmonapse.dendrite.caller import open_tasks as delivery_module
from cosmonapse.dendrite.caller.open_tasks import OpenTask, OpenTasks
from cosmonapse.dendrite.caller.task_errors import code_of, error_for
from cosmonapse.ids import id_bytes, id_text, new_trace_id
from cosmonapse.tasks import repeated, task_for

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
    open_tasks = OpenTasks()
    for each in opened:
        open_tasks.open(each, now_s)
    return open_tasks


def test_a_reply_belongs_to_its_task_and_names_the_worker():
    opened = opened_of()
    open_tasks = delivery_of(opened)

    assert open_tasks.replied(TASK, WORKER, 0, settles=False) is opened
    assert opened.worker == WORKER
    assert len(open_tasks) == 1


def test_the_reply_that_settles_ends_the_task():
    open_tasks = delivery_of(opened_of())

    assert open_tasks.replied(TASK, WORKER, 0, settles=True)
    assert len(open_tasks) == 0
    assert open_tasks.expire(1e9) == []


def test_a_reply_that_comes_too_late_is_counted():
    open_tasks = delivery_of(opened_of())
    open_tasks.replied(TASK, WORKER, 0, settles=True)

    assert open_tasks.replied(TASK, WORKER, 1, settles=True) is None
    assert open_tasks.counts == {"drop.late_reply": 1}


def test_a_reply_that_comes_twice_is_taken_once():
    open_tasks = delivery_of(opened_of())

    taken = [open_tasks.replied(TASK, WORKER, n, settles=False) for n in (0, 0, 1, 0)]

    assert [each is not None for each in taken] == [True, False, True, False]
    assert open_tasks.counts == {"drop.repeated_reply": 2}


def test_a_reply_behind_missing_ones_waits_for_them():
    opened = opened_of()
    open_tasks = delivery_of(opened)
    open_tasks.replied(TASK, WORKER, 0, settles=False)

    assert open_tasks.replied(TASK, WORKER, 2, settles=True) is None
    assert open_tasks.missed(TASK, 2, 101.0) is opened
    assert open_tasks.missed(TASK, 2, 101.2) is None
    assert open_tasks.missed(TASK, 3, 101.2) is None
    assert opened.early_index == 3
    assert open_tasks.missed(TASK, 2, 101.3) is opened
    assert [each[:3] for each in open_tasks.opened(101.0)] == [(TASK, TRACE, 1)]
    assert open_tasks.counts == {"drop.early_reply": 1}


def test_replies_that_are_gone_for_good_are_counted():
    open_tasks = delivery_of(opened_of())
    for index in (0, 3, 4):
        assert open_tasks.replied(TASK, WORKER, index, settles=False, skips=True)

    assert open_tasks.counts == {"gap.replies": 2}


def test_a_task_ends_at_its_deadline():
    opened = opened_of(timeout_s=5.0)
    open_tasks = delivery_of(opened, opened_of(OTHER, timeout_s=50.0), now_s=100.0)

    assert open_tasks.expire(104.9) == []
    assert open_tasks.expire(105.1) == [opened]
    assert open_tasks.expire(106.0) == []
    assert len(open_tasks) == 1


def test_the_next_deadline_is_that_of_an_open_task():
    open_tasks = delivery_of(opened_of(timeout_s=1.0), opened_of(OTHER, timeout_s=5.0), now_s=100.0)
    assert open_tasks.next_deadline_at_s() == pytest.approx(101.0, abs=0.01)

    open_tasks.close(TASK)

    assert open_tasks.next_deadline_at_s() == pytest.approx(105.0, abs=0.01)


def test_a_task_is_closed_once():
    opened = opened_of()
    open_tasks = delivery_of(opened)

    assert [open_tasks.close(TASK), open_tasks.close(TASK)] == [opened, None]
    assert open_tasks.next_deadline_at_s() is None


def test_all_tasks_are_closed_together():
    tasks = [opened_of(), opened_of(OTHER)]
    open_tasks = delivery_of(*tasks)

    assert open_tasks.close_all() == tasks
    assert len(open_tasks) == 0


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


# -- questions ---------------------------------------------------------------------------------


def asked_of(open_tasks, opened, kind=SignalType.CLARIFICATION):
    """End an open task in a question; return the question."""
    question = opened.signal.reply(kind, payload={"question": "?"})
    open_tasks.replied(opened.task, WORKER, 0, settles=True)
    open_tasks.ask(opened, question)
    return question


def answer_of(question):
    return question.reply(SignalType.CLARIFICATION_ANSWER, payload={"answer": 1})


def follow_up_of(opened, task=b"f" * 16):
    return attrs.evolve(opened.signal, id=id_text("evt_", task))


def test_a_task_that_ended_in_a_question_waits_for_its_answer():
    opened = opened_of()
    open_tasks = delivery_of(opened)

    question = asked_of(open_tasks, opened)

    assert len(open_tasks) == 0
    assert open_tasks.question(question.id) is opened
    assert opened.question is question
    assert not open_tasks.is_over(question.id)
    assert open_tasks.next_deadline_at_s() == pytest.approx(105.0, abs=0.01)


def test_an_answer_lets_the_task_go_on_within_the_same_deadline():
    opened = opened_of()
    open_tasks = delivery_of(opened)
    question = asked_of(open_tasks, opened)
    answer, signal = answer_of(question), follow_up_of(opened)

    open_tasks.answer(opened, answer, signal)

    assert (opened.signal, opened.question) == (signal, None)
    assert open_tasks.question(question.id) is None
    assert open_tasks.answered(question.id) is answer
    assert open_tasks.is_over(question.id)
    assert open_tasks.replied(TASK, WORKER, 0, settles=True) is None
    assert open_tasks.expire(104.0) == []
    assert open_tasks.expire(106.0) == [opened]


def test_replies_to_the_task_of_the_answer_are_numbered_from_the_beginning():
    opened = opened_of()
    open_tasks = delivery_of(opened)
    question = asked_of(open_tasks, opened)
    open_tasks.answer(opened, answer_of(question), follow_up_of(opened))

    assert open_tasks.replied(b"f" * 16, WORKER, 0, settles=True) is opened
    assert "gap.replies" not in open_tasks.counts


def test_a_question_without_an_answer_is_forgotten_at_the_deadline():
    opened = opened_of()
    open_tasks = delivery_of(opened)
    question = asked_of(open_tasks, opened)

    assert open_tasks.expire(106.0) == [opened]
    assert open_tasks.question(question.id) is None
    assert opened.question is question


def test_a_question_is_withdrawn_once_and_then_wants_no_answer():
    opened = opened_of()
    open_tasks = delivery_of(opened)
    question = asked_of(open_tasks, opened)

    assert [open_tasks.withdraw(opened), open_tasks.withdraw(opened)] == [True, False]
    assert open_tasks.question(question.id) is None
    assert open_tasks.is_over(question.id)
    assert open_tasks.answered(question.id) is None
    assert open_tasks.next_deadline_at_s() is None


def test_a_task_without_a_question_is_withdrawn_once():
    opened = opened_of()
    open_tasks = delivery_of(opened)

    assert [open_tasks.withdraw(opened), open_tasks.withdraw(opened)] == [True, False]
    assert len(open_tasks) == 0


def test_closing_all_ends_the_questions_too():
    asked, open_ = opened_of(), opened_of(OTHER)
    open_tasks = delivery_of(asked, open_)
    question = asked_of(open_tasks, asked)

    assert open_tasks.close_all() == [open_, asked]
    assert open_tasks.question(question.id) is None


def test_over_the_bound_the_oldest_question_is_forgotten_and_counted(monkeypatch):
    monkeypatch.setattr(delivery_module, "MAX_QUESTIONS", 2)
    tasks = [opened_of(bytes([n]) * 16) for n in range(3)]
    open_tasks = delivery_of(*tasks)
    first, second = (asked_of(open_tasks, each) for each in tasks[:2])
    third = tasks[2].signal.reply(SignalType.CLARIFICATION, payload={})
    open_tasks.close(tasks[2].task)

    assert open_tasks.ask(tasks[2], third) is tasks[0]
    assert open_tasks.counts["drop.question"] == 1
    assert [open_tasks.question(each.id) for each in (first, second, third)] == [None, *tasks[1:]]


def test_a_bounded_number_of_answers_is_remembered(monkeypatch):
    monkeypatch.setattr(delivery_module, "MAX_QUESTIONS", 2)
    questions = [opened_of().signal.reply(SignalType.CLARIFICATION, payload={}) for _ in range(3)]
    open_tasks = OpenTasks()

    for each in questions:
        open_tasks.end_question(each, answer_of(each))

    assert [open_tasks.is_over(each.id) for each in questions] == [False, True, True]


def test_the_open_tasks_of_a_trace_are_found():
    opened, other = opened_of(), opened_of(OTHER)
    open_tasks = delivery_of(opened, other)
    open_tasks.close(OTHER)

    assert open_tasks.on_trace(TRACE) == [opened]
    assert open_tasks.on_trace(b"x" * 16) == []


def test_a_further_attempt_is_a_new_task_with_the_id_of_the_first_as_its_key():
    first = task_for("echo", None, {"a": 1}, meta={"note": 1})

    second = repeated(first, 2)

    assert second.id != first.id
    assert (second.trace_id, second.payload, second.directed) == (
        first.trace_id,
        first.payload,
        first.directed,
    )
    assert second.meta == {"note": 1, "attempt": 2, "idempotency_key": first.id}
    assert first.meta == {"note": 1}


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"neuron": None}, ValueError),
        ({"capabilities": ["chat"]}, ValueError),
        ({"neuron": None, "capabilities": []}, ValueError),
        ({"neuron": "no name"}, ValueError),
        ({"parent_id": "mine"}, BadSignal),
        ({"meta": ["note"]}, TypeError),
    ],
)
def test_a_task_that_is_wrong_is_refused(wrong, error):
    with pytest.raises(error):
        task_for(**{"neuron": "echo", "capabilities": None, "input": {}, **wrong})


def test_a_task_holds_what_it_was_given():
    task = task_for(None, ["fr", "chat"], 1, context_ref=[2], finalize=True, meta={"m": 3})

    assert task.payload == {
        "input": 1,
        "capabilities": list(task.directed.capabilities),
        "context_ref": [2],
        "finalize": True,
    }
    assert set(task.directed.capabilities) == {"fr", "chat"}
    assert task.meta == {"m": 3}


def test_a_task_that_begins_a_trace_shares_the_bytes_of_its_id_with_it():
    begun, joined = task_for("echo", None, {}), task_for("echo", None, {}, new_trace_id())

    assert begun.trace_id == "trc_" + begun.id[4:]
    assert OpenTask(begun, 1.0).trace == OpenTask(begun, 1.0).task == id_bytes(begun.id)
    assert OpenTask(joined, 1.0).trace == id_bytes(joined.trace_id) != id_bytes(joined.id)
