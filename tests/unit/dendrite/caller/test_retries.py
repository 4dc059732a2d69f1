"""dispatch_and_wait(retry=...): each attempt is a task of its own, and the losers are cancelled."""

import asyncio
from unittest import mock

import pytest

from cosmonapse import RetryStrategy, SignalType, SynapseUnreachable, new_trace_id
from support.processes import until
from support.watching import kept

pytestmark = pytest.mark.asyncio


class Flaky:
    """A Neuron that fails a number of times; keeps its tasks, and which were cancelled."""

    def __init__(self, failures, how="busy"):
        self.tasks, self.cancelled = [], []
        self._failures = failures
        self._how = how

    async def __call__(self, input, context):
        self.tasks.append(context.task)
        if len(self.tasks) > self._failures:
            return {"attempt": len(self.tasks)}
        if self._how == "busy":
            return {"__error__": True, "code": "OVERLOADED", "message": "later"}
        if self._how == "broken":
            raise ValueError("no")
        if self._how == "asks":
            return {"__clarification__": True, "question": "?"}
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.append(context.task.id)
            raise


def ask(caller, retry, **task):
    task = {"neuron": "worker", "input": {"a": 1}, "timeout_s": 10.0, **task}
    return caller.dispatch_and_wait(retry=retry, **task)


async def test_each_attempt_is_a_new_task_under_one_key_on_one_trace(serve):
    flaky = Flaky(2)
    caller = await serve(flaky)

    reply = await ask(caller, RetryStrategy(max_attempts=3, backoff=0.0), meta={"note": 1})

    first, *others = flaky.tasks
    assert reply.output == {"attempt": 3}
    assert len({task.id for task in flaky.tasks}) == 3
    assert {task.trace_id for task in flaky.tasks} == {reply.trace_id}
    assert [task.meta["idempotency_key"] for task in others] == [first.id, first.id]
    assert [task.meta["attempt"] for task in others] == [2, 3]
    assert all(task.meta["note"] == 1 for task in flaky.tasks)
    assert all(task.payload == first.payload for task in others)


async def test_an_attempt_that_takes_too_long_is_cancelled_and_the_next_one_wins(serve, clock):
    flaky = Flaky(1, "hangs")
    caller = await serve(flaky)

    strategy = RetryStrategy(max_attempts=2, timeout_s=60.0, backoff=0.0)
    asked = asyncio.create_task(ask(caller, strategy, timeout_s=600.0))
    await until(lambda: flaky.tasks)
    clock.advance(60.0)
    reply = await asked

    assert reply.output == {"attempt": 2}
    await until(lambda: flaky.cancelled == [flaky.tasks[0].id])


async def test_after_the_last_attempt_its_outcome_is_that_of_all(serve):
    flaky = Flaky(9)
    caller = await serve(flaky)

    reply = await ask(caller, RetryStrategy(max_attempts=2, backoff=0.0))

    assert reply.payload["code"] == "OVERLOADED"
    assert len(flaky.tasks) == 2


async def test_attempts_that_all_take_too_long_end_in_a_timeout_that_tells_how_many(serve, clock):
    flaky = Flaky(9, "hangs")
    caller = await serve(flaky)

    strategy = RetryStrategy(max_attempts=2, timeout_s=60.0, backoff=0.0)
    asked = asyncio.create_task(ask(caller, strategy, timeout_s=600.0))
    for attempt in (1, 2):
        await until(lambda: len(flaky.tasks) == attempt)  # noqa: B023  # called at once
        clock.advance(60.0)
    with pytest.raises(TimeoutError, match=r"neuron 'worker'.*2 attempts"):
        await asked

    await until(lambda: len(flaky.cancelled) == 2)


@pytest.mark.parametrize("how", ["broken", "asks"])
async def test_what_would_not_get_better_is_not_tried_again(how, serve):
    flaky = Flaky(9, how)
    caller = await serve(flaky)

    reply = await ask(caller, RetryStrategy(max_attempts=3, backoff=0.0))

    assert reply.type in (SignalType.ERROR, SignalType.CLARIFICATION)
    assert len(flaky.tasks) == 1


async def test_a_caller_that_is_cancelled_cancels_the_attempt_and_makes_no_other(serve):
    flaky = Flaky(9, "hangs")
    caller = await serve(flaky)
    asked = asyncio.create_task(ask(caller, RetryStrategy(max_attempts=3, backoff=0.0)))
    await until(lambda: flaky.tasks)

    asked.cancel()

    await until(lambda: flaky.cancelled)
    await caller.dispatch_and_wait(neuron="nobody", input={})
    assert asked.cancelled()
    assert len(flaky.tasks) == 1


async def test_a_caller_that_is_cancelled_in_a_pause_makes_no_other_attempt(serve):
    flaky = Flaky(9)
    caller = await serve(flaky)
    pausing = asyncio.Event()
    retry = RetryStrategy(max_attempts=3, backoff=5.0, on_retry=lambda *_: pausing.set())
    asked = asyncio.create_task(ask(caller, retry))
    await pausing.wait()

    asked.cancel()
    await asyncio.wait([asked])

    assert asked.cancelled()
    assert len(flaky.tasks) == 1


async def test_nobody_there_is_tried_again_until_somebody_is(join, serve):
    caller = await join().__aenter__()
    flaky, joined = Flaky(0), []

    async def on_retry(number, outcome, pause_s):
        assert outcome.payload["code"] == "NO_SUCH_NEURON"
        joined.append(await serve(flaky))

    reply = await ask(caller, RetryStrategy(max_attempts=2, backoff=0.0, on_retry=on_retry))

    assert reply.output == {"attempt": 1}
    assert len(joined) == 1


async def test_the_handlers_see_every_attempt(serve):
    flaky = Flaky(1)
    caller = await serve(flaky)
    seen = kept(caller.on_signal(SignalType.TASK, SignalType.ERROR, SignalType.AGENT_OUTPUT))

    await ask(caller, RetryStrategy(max_attempts=2, backoff=0.0))
    await until(lambda: len(seen) == 4)

    assert [sig.type.value for sig in seen] == ["TASK", "ERROR", "TASK", "AGENT_OUTPUT"]


async def test_a_question_in_an_attempt_may_be_answered(serve):
    async def asks(input, context):
        return input if "clarification" in input else {"__clarification__": True, "question": "?"}

    caller = await serve(asks)

    @caller.on_clarification
    async def answers(sig):
        await caller.respond_to_clarification(sig, answer=1)

    reply = await ask(caller, RetryStrategy(max_attempts=3, backoff=0.0))

    assert reply.output["clarification"]["answer"] == 1


@pytest.mark.parametrize("who", ["itself", "another"])
async def test_a_stop_of_its_trace_ends_a_pause_at_once_and_no_attempt_follows(serve, join, who):
    flaky, paused = Flaky(9), asyncio.Event()
    caller = await serve(flaky)
    stopper = caller if who == "itself" else await join(dendrite_id="stopper").__aenter__()
    trace_id = new_trace_id()
    retry = RetryStrategy(backoff=9.0, on_retry=lambda *_: paused.set())
    asked = asyncio.create_task(ask(caller, retry, trace_id=trace_id))
    await asyncio.wait_for(paused.wait(), 2.0)

    await stopper.stop_trace(trace_id)
    reply = await asyncio.wait_for(asked, 1.0)

    assert reply.payload["code"] == "CANCELLED"
    assert reply.parent_id == flaky.tasks[0].id
    assert len(flaky.tasks) == 1


async def test_no_attempt_follows_one_that_was_stopped_whatever_the_strategy_says(serve):
    flaky = Flaky(9, "hangs")
    caller = await serve(flaky)
    trace_id = new_trace_id()
    retry = RetryStrategy(backoff=0.0, retry_on=lambda outcome: True)
    asked = asyncio.create_task(ask(caller, retry, trace_id=trace_id))
    await until(lambda: flaky.tasks)

    await caller.stop_trace(trace_id)
    reply = await asyncio.wait_for(asked, 1.0)

    assert reply.payload["code"] == "CANCELLED"
    assert len(flaky.tasks) == 1


async def test_a_stop_of_another_trace_leaves_a_pause_alone(serve):
    flaky, paused = Flaky(1), asyncio.Event()
    caller = await serve(flaky)
    retry = RetryStrategy(backoff=0.2, on_retry=lambda *_: paused.set())
    asked = asyncio.create_task(ask(caller, retry))
    await asyncio.wait_for(paused.wait(), 2.0)

    await caller.stop_trace(new_trace_id())

    assert (await asked).output == {"attempt": 2}


async def test_the_first_task_with_a_strategy_waits_out_a_synapse_that_is_away(serve, monkeypatch):
    caller = await serve(Flaky(0))
    refuse = mock.AsyncMock(side_effect=SynapseUnreachable("memory://demo", "nobody there", ""))
    monkeypatch.setattr(caller._transport, "sync", refuse)

    reply = await ask(caller, RetryStrategy())

    assert reply.output == {"attempt": 1}
