"""The end of a workflow: finalize, scope="terminal", and Pathways on somebody else's trace."""

import asyncio

import pytest

from cosmonapse import Axon, PathwayClosedError, SignalType, SynapseUnreachable, new_trace_id
from support.processes import until
from support.watching import kept

pytestmark = pytest.mark.asyncio
FINAL = SignalType.FINAL


async def echo(input, context):
    await context.think("hm")
    return input


async def fails(input, context):
    raise ValueError("no")


@pytest.fixture
def trace_id():
    return new_trace_id()


def types(signals):
    return [sig.type.value for sig in signals]


async def test_the_output_of_a_task_that_finalizes_comes_as_final(serve):
    caller = await serve(echo)
    finals, outputs = kept(caller.on_final), kept(caller.on_agent_output)

    reply = await caller.dispatch_and_wait(neuron="worker", input={"a": 1}, finalize=True)
    await until(lambda: finals)

    assert (reply.type, reply.payload) == (FINAL, {"result": {"a": 1}})
    assert finals == [reply]
    assert outputs == []


async def test_a_task_that_finalizes_and_fails_ends_with_the_error(serve):
    caller = await serve(fails)

    reply = await caller.dispatch_and_wait(neuron="worker", input={}, finalize=True)

    assert reply.type is SignalType.ERROR


async def test_a_terminal_pathway_follows_the_whole_trace_until_a_final(serve, trace_id):
    caller = await serve(echo)
    pw = await caller.dispatch(neuron="worker", input={}, trace_id=trace_id, scope="terminal")
    assert (await pw.wait_for(SignalType.AGENT_OUTPUT)).output == {}

    await caller.ask(neuron="worker", input={"n": 2}, trace_id=trace_id)
    final = await caller.emit_final(trace_id=trace_id, result={"done": True})
    seen = [sig async for sig in pw]

    one = ["TASK", "THOUGHT_DELTA", "AGENT_OUTPUT"]
    assert types(seen) == [*one, *one, "FINAL"]
    assert await pw.outcome() == final
    assert pw.closed


async def test_a_terminal_pathway_of_a_task_that_finalizes_ends_with_it(serve):
    caller = await serve(echo)

    pw = await caller.dispatch(neuron="worker", input={}, finalize=True, scope="terminal")

    assert types([sig async for sig in pw]) == ["TASK", "THOUGHT_DELTA", "FINAL"]


async def test_a_terminal_pathway_ends_with_the_error_of_its_task(serve):
    caller = await serve(fails)

    pw = await caller.dispatch(neuron="worker", input={}, scope="terminal")

    assert types([sig async for sig in pw]) == ["TASK", "ERROR"]
    assert (await pw.outcome()).payload["message"] == "ValueError: no"


async def test_the_error_of_a_child_task_does_not_end_a_terminal_pathway(serve):
    async def copes(input, context):
        await context.dispatch_and_wait(neuron="nobody", input={})
        return {"coped": True}

    caller = await serve(copes)

    pw = await caller.dispatch(neuron="worker", input={}, finalize=True, scope="terminal")

    assert types([sig async for sig in pw]) == ["TASK", "TASK", "ERROR", "FINAL"]


async def test_a_terminal_pathway_of_a_question_that_is_answered_ends_with_what_follows(serve):
    async def asks(input, context):
        if "clarification" in input:
            raise ValueError("asked and failed")
        return {"__clarification__": True, "question": "?"}

    caller = await serve(asks)

    @caller.on_clarification
    async def answers(sig):
        await caller.respond_to_clarification(sig, answer=1)

    pw = await caller.dispatch(neuron="worker", input={}, scope="terminal")

    assert (await pw.outcome(5.0)).payload["message"] == "ValueError: asked and failed"


async def test_a_terminal_pathway_without_an_end_ends_when_its_time_is_over(serve):
    caller = await serve(echo)

    pw = await caller.dispatch(neuron="worker", input={}, scope="terminal", timeout_s=0.05)
    outcome = await pw.outcome(5.0)

    assert outcome.payload["code"] == "EXPIRED"
    assert caller._subscriptions._runners == {}


async def test_a_pathway_of_one_task_ends_with_it_whatever_the_trace_does(serve, trace_id):
    caller = await serve(echo)
    pw = await caller.dispatch(neuron="worker", input={}, trace_id=trace_id)

    await caller.ask(neuron="worker", input={}, trace_id=trace_id)

    assert types([sig async for sig in pw]) == ["THOUGHT_DELTA", "AGENT_OUTPUT"]


@pytest.mark.parametrize("place", ["caller", "bystander", "worker"])
async def test_an_observer_sees_a_trace_of_others_until_its_final(place, join, trace_id):
    caller, bystander = join(dendrite_id="caller"), join(dendrite_id="bystander")
    worker = join(Axon(neuron_id="worker", neuron_fn=echo), dendrite_id="worker")
    for each in (caller, bystander, worker):
        await each.start()
    observer = {"caller": caller, "bystander": bystander, "worker": worker}[place]

    pw = await observer.observe_pathway(trace_id)
    await caller.ask(neuron="worker", input={}, trace_id=trace_id)
    await caller.dispatch_and_wait(neuron="worker", input={}, trace_id=trace_id, finalize=True)
    seen = [sig async for sig in pw]

    one = ["TASK", "THOUGHT_DELTA", "AGENT_OUTPUT"]
    assert types(seen) == [*one, "TASK", "THOUGHT_DELTA", "FINAL"]
    assert (pw.role, pw.scope, pw.task) == ("observer", "terminal", None)


async def test_closing_an_observer_cancels_nothing(serve, trace_id):
    release = asyncio.Event()

    async def gated(input, context):
        await context.think("begun")
        await release.wait()

    caller = await serve(gated)
    async with await caller.observe_pathway(trace_id) as pw:
        asked = asyncio.create_task(
            caller.dispatch_and_wait(neuron="worker", input={}, trace_id=trace_id)
        )
        await pw.wait_for(SignalType.THOUGHT_DELTA)
    release.set()

    assert (await asked).type is SignalType.AGENT_OUTPUT
    with pytest.raises(PathwayClosedError):
        await pw.outcome()
    assert caller._subscriptions._runners == {}


async def test_several_observers_of_one_trace_each_see_all_and_end(serve, trace_id):
    caller = await serve(echo)
    observers = [await caller.observe_pathway(trace_id) for _ in range(3)]

    await caller.dispatch_and_wait(neuron="worker", input={}, trace_id=trace_id, finalize=True)

    for each in observers:
        assert types([sig async for sig in each]) == ["TASK", "THOUGHT_DELTA", "FINAL"]
    assert caller._subscriptions._runners == {}


async def test_an_observer_that_cannot_listen_leaves_nothing_behind(join, trace_id, monkeypatch):
    watcher = await join().__aenter__()

    async def fails_to_sync(timeout_s):
        raise SynapseUnreachable("memory://", "gone", "start it")

    monkeypatch.setattr(watcher._transport, "sync", fails_to_sync)
    with pytest.raises(SynapseUnreachable):
        await watcher.observe_pathway(trace_id)

    assert watcher._subscriptions._runners == {}
