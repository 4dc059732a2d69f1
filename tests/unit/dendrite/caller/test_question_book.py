"""Questions that ended our tasks: each waits for one answer, and no longer than its deadline."""

from collections import Counter

import attrs
import pytest

from cosmonapse import Signal, SignalType
from cosmonapse.dendrite.caller import question_book
from cosmonapse.dendrite.caller.open_tasks import OpenTask, OpenTasks
from cosmonapse.dendrite.caller.question_book import QuestionBook
from cosmonapse.ids import id_text
from cosmonapse.tasks import task_for

FOLLOW_UP, WORKER = b"f" * 16, b"w" * 16


@pytest.fixture
def book():
    return QuestionBook(Counter())


def opened_of(timeout_s=5.0, now_s=100.0):
    """Return a task that was opened and has ended."""
    opened, open_tasks = OpenTask.of(task_for("echo", None, {}), timeout_s), OpenTasks()
    open_tasks.open(opened, now_s)
    open_tasks.close(opened.task)
    return opened


def question_of(opened):
    return opened.signal.reply(SignalType.CLARIFICATION, payload={"question": "?"})


def asked_in(book, opened):
    """Add a task that ended in a question; return the question."""
    question = question_of(opened)
    book.add(opened, question)
    return question


def answer_of(question):
    return question.reply(SignalType.CLARIFICATION_ANSWER, payload={"answer": 1})


def follow_up_of(opened) -> Signal:
    return attrs.evolve(opened.signal, id=id_text("evt_", FOLLOW_UP))


def test_a_task_that_ended_in_a_question_waits_for_its_answer(book):
    opened = opened_of()

    question = asked_in(book, opened)

    assert book.waiting_for(question.id) is opened
    assert book.of_trace(opened.trace) == [opened]
    assert opened.question is question
    assert not book.is_over(question.id)
    assert book.next_deadline_at_s() == pytest.approx(105.0, abs=0.01)


def test_an_answered_question_waits_no_more_and_its_answer_is_known(book):
    opened = opened_of()
    question = asked_in(book, opened)
    answer = answer_of(question)

    book.answer(opened, answer)

    assert book.waiting_for(question.id) is None
    assert book.answer_to(question.id) is answer
    assert book.is_over(question.id)
    assert book.next_deadline_at_s() is None


def test_an_answer_lets_the_task_go_on_within_the_same_deadline(book):
    opened, open_tasks = opened_of(), OpenTasks()
    first_task = opened.task
    book.answer(opened, answer_of(asked_in(book, opened)))
    signal = follow_up_of(opened)

    opened.continue_with(signal)
    open_tasks.reopen(opened)

    assert (opened.signal, opened.question) == (signal, None)
    assert open_tasks.replied(first_task, WORKER, 0, settles=True) is None
    assert open_tasks.expire(104.0) == []
    assert open_tasks.expire(106.0) == [opened]


def test_replies_to_the_task_of_the_answer_are_numbered_from_the_beginning(book):
    opened, open_tasks = opened_of(), OpenTasks()
    opened.next_index = 7
    book.answer(opened, answer_of(asked_in(book, opened)))

    opened.continue_with(follow_up_of(opened))
    open_tasks.reopen(opened)

    assert open_tasks.replied(FOLLOW_UP, WORKER, 0, settles=True) is opened
    assert not open_tasks.counts


def test_a_question_without_an_answer_is_forgotten_at_the_deadline(book):
    opened = opened_of()
    question = asked_in(book, opened)

    assert book.expire(104.0) == []
    assert book.expire(106.0) == [opened]
    assert book.waiting_for(question.id) is None
    assert opened.question is question


def test_a_question_is_withdrawn_once_and_then_wants_no_answer(book):
    question = asked_in(book, opened_of())

    assert [book.withdraw(question), book.withdraw(question)] == [True, False]
    assert book.waiting_for(question.id) is None
    assert book.is_over(question.id)
    assert book.answer_to(question.id) is None
    assert book.next_deadline_at_s() is None


def test_closing_all_ends_every_question(book):
    opened = opened_of()
    question = asked_in(book, opened)

    assert book.close_all() == [opened]
    assert book.waiting_for(question.id) is None
    assert book.close_all() == []


def test_over_the_bound_the_oldest_question_is_forgotten_and_counted(monkeypatch):
    monkeypatch.setattr(question_book, "MAX_QUESTIONS", 2)
    counts = Counter()
    book, tasks = QuestionBook(counts), [opened_of() for _ in range(3)]
    first, second = (asked_in(book, each) for each in tasks[:2])
    third = question_of(tasks[2])

    assert book.add(tasks[2], third) is tasks[0]
    assert counts == {"drop.question": 1}
    assert [book.waiting_for(each.id) for each in (first, second, third)] == [None, *tasks[1:]]


def test_a_bounded_number_of_answers_is_remembered(monkeypatch, book):
    monkeypatch.setattr(question_book, "MAX_QUESTIONS", 2)
    questions = [question_of(opened_of()) for _ in range(3)]

    for each in questions:
        book.end(each, answer_of(each))

    assert [book.is_over(each.id) for each in questions] == [False, True, True]
