"""What a Neuron is told about its task."""

import asyncio
import threading

import pytest

from cosmonapse import new_trace_id
from support.processes import TIMEOUT_S, until
from support.watching import kept

pytestmark = pytest.mark.asyncio


async def facts(input, context):
    return {
        "trace_id": context.trace_id,
        "task": context.task.id,
        "remaining_s": context.remaining_s,
        "cancelled": context.cancelled,
        "items": list(context),
    }


def facts_in_a_thread(input, context):
    return {
        "trace_id": context.trace_id,
        "task": context.task.id,
        "remaining_s": context.remaining_s,
        "cancelled": context.cancelled,
        "items": list(context),
    }


@pytest.mark.parametrize("neuron_fn", [facts, facts_in_a_thread])
async def test_a_neuron_knows_its_trace_its_task_and_the_time_that_is_left(neuron_fn, serve):
    caller = await serve(neuron_fn)
    trace_id = new_trace_id()

    reply = await caller.dispatch_and_wait(
        neuron="worker", input={}, timeout_s=20.0, trace_id=trace_id
    )

    assert reply.output["trace_id"] == trace_id == reply.trace_id
    assert reply.output["task"] == reply.parent_id
    assert 18.0 < reply.output["remaining_s"] <= 20.0
    assert reply.output["cancelled"] is False
    assert reply.output["items"] == []


async def test_the_time_that_is_left_shrinks_while_a_task_waits_its_turn(serve, clock):
    release = asyncio.Event()
    left_s = []

    async def gated(input, context):
        left_s.append(context.remaining_s)
        await release.wait()
        left_s.append(context.remaining_s)

    caller = await serve(gated, concurrency=1, max_queued=1)
    asked = [
        asyncio.create_task(
            caller.dispatch_and_wait(neuron="worker", input={}, timeout_s=timeout_s)
        )
        for timeout_s in (20.0, 10.0)  # far apart: two tasks have two deadlines
    ]
    await until(lambda: left_s)
    third = await caller.dispatch_and_wait(neuron="worker", input={}, timeout_s=30.0)
    assert third.payload["code"] == "OVERLOADED"  # so the first one runs, and the second one waits
    clock.advance(1.0)
    release.set()
    await asyncio.gather(*asked)

    first, second = left_s[:2], left_s[2:]
    assert 20.0 > first[0] > first[1] > 18.0
    assert 10.0 > second[0] > second[1] > 8.0
    assert 10.0 - second[0] > 20.0 - first[0]  # it waited for the first


async def test_no_time_is_left_after_the_deadline(serve, clock):
    began, left_s = asyncio.Event(), []

    async def stays(input, context):
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            left_s.append(context.remaining_s)

    caller = await serve(stays)
    asked = asyncio.create_task(caller.dispatch_and_wait(neuron="worker", input={}, timeout_s=60.0))
    await began.wait()
    clock.advance(60.0)
    with pytest.raises(TimeoutError):
        await asked
    await until(lambda: left_s)

    assert left_s == [pytest.approx(0.0, abs=0.01)]


async def test_several_threads_of_one_neuron_may_think_and_no_number_comes_twice(serve):
    def spawns(input, context):
        def think():
            for _ in range(20):
                context.think(threading.current_thread().name)

        threads = [threading.Thread(target=think) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(TIMEOUT_S)

    caller = await serve(spawns)
    thoughts = kept(caller.on_thought_delta)

    await caller.ask(neuron="worker", input={})
    await until(lambda: len(thoughts) == 80)

    assert sorted(sig.payload["seq"] for sig in thoughts) == list(range(80))


async def test_a_coroutine_may_think_from_a_thread_that_it_starts(serve):
    async def hands_over(input, context):
        await asyncio.to_thread(context.think, "from a thread")

    caller = await serve(hands_over)
    thoughts = kept(caller.on_thought_delta)

    await caller.ask(neuron="worker", input={})
    await until(lambda: thoughts)

    assert thoughts[0].payload["delta"] == "from a thread"


async def test_a_thought_is_a_signal_of_the_neuron_on_its_trace(serve):
    said = []

    async def thinks(input, context):
        said.append(await context.think("aloud"))

    caller = await serve(thinks, capabilities=["chat"])
    thoughts = kept(caller.on_thought_delta)

    reply = await caller.dispatch_and_wait(neuron="worker", input={})
    await until(lambda: thoughts)

    assert thoughts == said
    assert (thoughts[0].trace_id, thoughts[0].parent_id) == (reply.trace_id, reply.parent_id)
    assert thoughts[0].directed.id == "worker"
    assert thoughts[0].directed.capabilities == ("chat",)


async def test_a_thought_after_the_reply_is_refused_and_reaches_nobody(serve):
    kept_context = []

    async def leaks(input, context):
        kept_context.append(context)

    caller = await serve(leaks)
    thoughts = kept(caller.on_thought_delta)
    await caller.ask(neuron="worker", input={})

    with pytest.raises(asyncio.CancelledError):
        await kept_context[0].think("too late")

    assert kept_context[0].cancelled
    await caller.dispatch_and_wait(neuron="nobody", input={})
    assert thoughts == []
