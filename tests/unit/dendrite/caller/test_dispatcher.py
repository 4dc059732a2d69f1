"""The caller's side: one timer for tasks and questions, and what a task costs there."""

import asyncio
from unittest import mock

import pytest

from cosmonapse import Signal, SignalType
from cosmonapse.dendrite.caller.dispatcher import Dispatcher
from cosmonapse.dendrite.caller.open_tasks import OpenTask
from cosmonapse.dendrite.watch.handlers import Handler
from cosmonapse.dendrite.watch.subscriptions import Subscriptions
from cosmonapse.tasks import task_for
from cosmonapse.transport import Outcome

pytestmark = pytest.mark.asyncio


@pytest.fixture
def transport():
    made = mock.Mock(instance=bytes(16), max_signal_bytes=10_000)
    made.send_task.return_value = Outcome.SENT
    made.is_heard.return_value = False
    return made


@pytest.fixture
def dispatcher(transport):
    made = Dispatcher(transport, Subscriptions(transport))
    yield made
    made.close()


def ended_in_question(dispatcher, timeout_s, now_s):
    """Add a task that was opened at `now_s` and ended in a question; return it."""
    opened = OpenTask.of(task_for("worker", None, {}), timeout_s)
    dispatcher.open_tasks.open(opened, now_s)
    dispatcher.open_tasks.close(opened.task)
    dispatcher.questions.add(opened, opened.signal.reply(SignalType.CLARIFICATION, payload={}))
    return opened


@pytest.mark.parametrize(("task_s", "question_s"), [(1.0, 5.0), (5.0, 1.0)])
async def test_the_next_deadline_is_the_earlier_one_of_tasks_and_questions(
    task_s, question_s, dispatcher
):
    task = OpenTask.of(task_for("worker", None, {}), task_s)
    dispatcher.open_tasks.open(task, 100.0)
    question = ended_in_question(dispatcher, question_s, 100.0)

    assert dispatcher._next_deadline_at_s() == pytest.approx(101.0, abs=0.01)

    dispatcher._expire(102.0)

    assert dispatcher._next_deadline_at_s() == pytest.approx(105.0, abs=0.01)
    left = [task, question][task_s < question_s]
    assert dispatcher.of_trace(left.trace) == [left]
    dispatcher._expire(106.0)
    assert dispatcher._next_deadline_at_s() is None


async def test_a_task_and_a_question_are_abandoned_once(dispatcher, transport):
    task = OpenTask.of(task_for("worker", None, {}), 5.0)
    dispatcher.open_tasks.open(task, 100.0)
    question = ended_in_question(dispatcher, 5.0, 100.0)

    for _ in range(2):
        dispatcher.abandon(task)
        dispatcher.abandon(question)

    assert transport.send_cancel.call_count == 1  # a question has ended its task
    assert dispatcher.of_trace(task.trace) == dispatcher.of_trace(question.trace) == []


@pytest.mark.parametrize(
    ("event", "reason", "counter"),
    [
        ("on_bounce", "busy", "bounced.busy"),
        ("on_bounce", "of next year", "bounced.unknown"),
        ("on_lost", "worker_lost", "lost.worker_lost"),
        ("on_lost", "of next year", "lost.unknown"),
    ],
)
async def test_each_reason_has_its_counter_and_an_unknown_one_counts_as_unknown(
    event, reason, counter, dispatcher
):
    waiting = asyncio.create_task(dispatcher.wait(task_for("worker", None, {}), 30.0))
    await asyncio.sleep(0)
    (opened,) = dispatcher.open_tasks.opened(0.0)

    getattr(dispatcher, event)(opened.task, reason)

    assert (await waiting).type is SignalType.ERROR
    assert dispatcher.counts == {counter: 1}


async def test_a_task_that_its_key_may_no_longer_send_again_ends_with_access_denied(
    dispatcher, transport
):
    waiting = asyncio.ensure_future(dispatcher.wait(task_for("worker", None, {}), 5.0))
    await asyncio.sleep(0)
    [opened] = dispatcher.open_tasks.opened(0.0)
    transport.user, transport.may = "ben", ("dispatch=other",)
    dispatcher._subscriptions.own_rights.on_welcomed()

    dispatcher.on_lost(opened.task, "not_started")

    assert (await waiting).payload["code"] == "ACCESS_DENIED"
    assert transport.send_task.call_count == 1


@pytest.mark.parametrize("settles", [True, False])
@pytest.mark.parametrize("type", [SignalType.STOP, SignalType.PERMISSION_DECISION])
async def test_a_worker_gives_no_orders_with_a_reply(dispatcher, type, settles):
    got = []
    heard = dispatcher._subscriptions
    heard.add(Handler(got.append, frozenset({type, SignalType.FINAL}), direct=True))
    waiting = asyncio.ensure_future(dispatcher.wait(task_for("worker", None, {}), 5.0))
    await asyncio.sleep(0)
    [opened] = dispatcher.open_tasks.opened(0.0)
    order = Signal(type=type, payload={"granted": True})

    reply = (type.code, 0, int(settles), order.encode())
    dispatcher.plain_calls.on_replies(b"w" * 16, [(opened.task, opened.trace, *reply)])

    assert got == []
    assert heard.counts == {"drop.bad_signal": 1}
    if settles:
        assert await waiting == order
    waiting.cancel()
