"""The handlers of a single trace leave with it, or with their block; contexts stay with each."""

import asyncio
import contextvars
import logging

import pytest

from cosmonapse import SignalType, new_trace_id
from cosmonapse.dendrite.watch import subscriptions
from cosmonapse.dendrite.watch.trace_deadlines import GRACE_S
from support.processes import until
from support.watching import kept

pytestmark = pytest.mark.asyncio
OUTPUT = SignalType.AGENT_OUTPUT
VARIABLE = contextvars.ContextVar("cell", default="nowhere")


async def echo(input, context):
    return {"echo": input}


def user_handlers(dendrite):
    return dendrite._subscriptions._trace_handlers


def listened(dendrite):
    """Return the number of handlers in force, of the program or not."""
    return len(dendrite._subscriptions._runners)


def decorated_by_trace(caller, trace_id):
    return caller.on_trace(trace_id)


def decorated_by_type(caller, trace_id):
    return caller.on_agent_output(trace_id=trace_id)


@pytest.mark.parametrize("decorator", [decorated_by_trace, decorated_by_type])
async def test_a_handler_of_each_request_ends_by_itself_after_its_trace(decorator, serve, clock):
    caller = await serve(echo)
    before = listened(caller)
    for number in range(50):
        trace_id = new_trace_id()
        seen = kept(decorator(caller, trace_id))
        await caller.ask(neuron="worker", input={"n": number}, trace_id=trace_id)
        await until(lambda seen=seen: seen and seen[-1].type is OUTPUT)
    during = len(user_handlers(caller))

    clock.advance(GRACE_S + 1.0)

    await until(lambda: not user_handlers(caller))
    assert during == 50
    assert listened(caller) == before
    assert caller._subscriptions._orders == {}
    assert caller._subscriptions._ending == {}


async def test_a_handler_of_the_trace_of_another_ends_by_itself_too(serve, join, clock):
    caller, trace_id = await serve(echo), new_trace_id()
    watcher = await join().__aenter__()
    seen = kept(watcher.on_trace(trace_id))
    await watcher._subscriptions.settle()

    await caller.ask(neuron="worker", input={}, trace_id=trace_id)
    await until(lambda: seen and seen[-1].type is OUTPUT)
    clock.advance(GRACE_S + 1.0)

    await until(lambda: not user_handlers(watcher))


async def test_a_task_that_is_open_keeps_the_handlers_of_its_trace(serve, clock):
    release = asyncio.Event()

    async def gated(input, context):
        await release.wait()
        return {}

    caller, trace_id = await serve(gated), new_trace_id()
    seen = kept(caller.on_trace(trace_id))
    asked = asyncio.create_task(
        caller.ask(neuron="worker", input={}, trace_id=trace_id, timeout_s=100 * GRACE_S)
    )
    await until(lambda: seen)
    clock.advance(3 * GRACE_S)
    await caller.dispatch_and_wait(neuron="nobody", input={})  # the timers had their turn
    release.set()
    await asked

    await until(lambda: seen[-1].type is OUTPUT)


async def test_the_handlers_of_a_block_see_all_that_has_arrived_and_leave_with_it(serve):
    caller, trace_id = await serve(echo), new_trace_id()
    before, seen = listened(caller), []

    async with caller.on_trace(trace_id) as on:

        @on
        async def each(signal):
            await asyncio.sleep(0)
            seen.append(signal.type)

        await caller.ask(neuron="worker", input={}, trace_id=trace_id)

    assert seen == [SignalType.TASK, OUTPUT]
    assert listened(caller) == before


async def test_the_handlers_of_a_block_stay_as_long_as_it_lasts(serve, clock):
    caller, trace_id, seen = await serve(echo), new_trace_id(), []
    traced = caller.on_trace(trace_id, OUTPUT)
    traced(seen.append)

    async with traced:
        for number in range(2):
            await caller.ask(neuron="worker", input={"n": number}, trace_id=trace_id)
            await until(lambda number=number: len(seen) == number + 1)
            clock.advance(3 * GRACE_S)

    assert not user_handlers(caller)


async def test_a_block_that_is_left_by_an_exception_waits_for_no_handler(serve):
    caller, trace_id = await serve(echo), new_trace_id()
    begun = asyncio.Event()

    async def fails():
        async with caller.on_trace(trace_id) as on:

            @on
            async def hangs(signal):
                begun.set()
                await asyncio.Event().wait()

            await caller.ask(neuron="worker", input={}, trace_id=trace_id)
            await begun.wait()
            raise ValueError("out")

    with pytest.raises(ValueError, match="out"):
        await fails()
    assert not user_handlers(caller)


async def test_many_handlers_of_single_traces_are_one_warning_that_names_the_last(
    serve, monkeypatch, caplog
):
    monkeypatch.setattr(subscriptions, "MANY_TRACES", 10)
    caller = await serve(echo)

    def watches(signal):
        """Is never called."""

    for _ in range(25):
        caller.on_trace(new_trace_id())(watches)

    told = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert len(told) == 1
    assert "10 handlers of single traces" in told[0].getMessage()
    assert "watches" in told[0].getMessage()
    assert "async with dendrite.on_trace(trace_id)" in told[0].getMessage()


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_handler_sees_the_context_in_which_it_was_decorated(is_async, serve):
    caller, seen = await serve(echo), []

    async def on_loop(signal):
        seen.append(VARIABLE.get())

    def in_thread(signal):
        seen.append(VARIABLE.get())

    async def cell(name):
        VARIABLE.set(name)
        caller.on_agent_output(on_loop if is_async else in_thread)

    await asyncio.create_task(cell("first"))
    VARIABLE.set("last")
    for _ in range(2):
        await caller.ask(neuron="worker", input={})

    await until(lambda: len(seen) == 2)
    assert seen == ["first", "first"]
