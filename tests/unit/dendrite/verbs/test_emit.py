"""Emitting: a Signal for everyone who watches, or for the caller of a task that runs here."""

import asyncio

import pytest

from cosmonapse import (
    Axon,
    DendriteProtocolError,
    Signal,
    SignalTooLarge,
    SignalType,
    UnencodableValue,
    new_trace_id,
)
from cosmonapse.payloads import SHAPES
from support.processes import until
from support.watching import kept

pytestmark = pytest.mark.asyncio
FULL = {
    SignalType.FINAL: {"result": {"a": 1}, "cost": 2},
    SignalType.ERROR: {"code": "MINE", "message": "m", "recoverable": True},
    SignalType.ESCALATION: {"reason": "r", "target": "t", "context": {}},
    SignalType.THOUGHT_DELTA: {"delta": "d", "seq": 7},
    SignalType.TOOL_CALL: {"tool_name": "t", "args": {}, "call_id": "c"},
    SignalType.TOOL_RESULT: {"tool_name": "t", "result": 1, "call_id": "c"},
    SignalType.PLAN: {"steps": ["s"], "rationale": "r"},
    SignalType.CRITIQUE: {"target_event_id": "e", "issues": [], "verdict": "v"},
    SignalType.CONSENSUS: {"members": ["m"], "verdict": "v", "votes": {}},
    SignalType.CONTEXT_SYNC: {"snapshot": {}, "version": 1},
    SignalType.MEMORY_APPEND: {"key": "k", "value": None},
}


@pytest.mark.parametrize("kind", sorted(FULL))
async def test_each_type_has_its_verb_and_is_seen_once_here_and_elsewhere(kind, join):
    speaker, watcher = join(dendrite_id="speaker"), join(dendrite_id="watcher")
    here, there = kept(speaker.on_signal(kind)), kept(watcher.on_signal(kind))
    traced = kept(watcher.on_signal(kind, trace_id=(trace_id := new_trace_id())))
    for each in (speaker, watcher):
        await each.start()

    signal = await getattr(speaker, f"emit_{kind.value.lower()}")(trace_id=trace_id, **FULL[kind])
    await until(lambda: here and there and traced)

    assert here == there == traced == [signal]
    assert FULL[kind].items() <= signal.payload.items()
    assert (signal.trace_id, signal.directed.id) == (trace_id, "speaker")


async def test_every_shape_has_a_test_here():
    assert SHAPES.keys() - {SignalType.BID} == FULL.keys()


async def test_it_may_be_about_another_signal_and_be_said_by_a_neuron(join):
    async def echo(input, context):
        return input

    axon = Axon(neuron_id="critic", neuron_fn=echo, capabilities=["judge"])
    speaker = await join(axon).__aenter__()
    about = Signal(type=SignalType.AGENT_OUTPUT, payload={"output": {}})

    signal = await speaker.emit_plan(about=about, neuron="critic", steps=[], meta={"n": 1})
    other = await speaker.emit_plan(neuron="far", steps=[])

    assert (signal.trace_id, signal.parent_id) == (about.trace_id, about.id)
    assert signal.directed.capabilities == ("judge",)
    assert signal.meta == {"n": 1}
    assert (other.directed.id, other.parent_id) == ("far", None)
    assert other.trace_id != signal.trace_id


async def test_thoughts_of_a_dendrite_are_numbered(join):
    speaker = await join().__aenter__()

    thoughts = [await speaker.emit_thought_delta(delta="x") for _ in range(3)]

    assert [sig.payload["seq"] for sig in thoughts] == [0, 1, 2]


async def test_what_belongs_to_a_task_that_runs_here_goes_to_its_caller(join):
    caller = await join(dendrite_id="caller").__aenter__()

    async def works(input, context):
        await worker.emit_tool_call(about=context.task, neuron="worker", tool_name="search")
        await worker.emit_thought_delta(about=context.task, delta="hm")
        await worker.emit_plan(trace_id=context.trace_id, steps=["not about the task"])

    worker = join(Axon(neuron_id="worker", neuron_fn=works), role="worker")
    await worker.start()
    pw = await caller.dispatch(neuron="worker", input={})
    seen = [sig async for sig in pw]

    assert [sig.type.value for sig in seen] == ["TOOL_CALL", "THOUGHT_DELTA", "AGENT_OUTPUT"]


async def test_what_belongs_to_a_task_that_has_ended_is_published(join):
    async def echo(input, context):
        return input

    dendrite = await join(Axon(neuron_id="worker", neuron_fn=echo)).__aenter__()
    plans = kept(dendrite.on_plan)
    reply = await dendrite.dispatch_and_wait(neuron="worker", input={})

    signal = await dendrite.emit_plan(parent_id=reply.parent_id, steps=[])
    await until(lambda: plans)

    assert plans == [signal]


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ({}, TypeError),
        ({"steps": [], "colour": "red"}, TypeError),
        ({"steps": [object()]}, UnencodableValue),
        ({"steps": ["x" * 1_000_001]}, SignalTooLarge),
    ],
)
async def test_what_is_wrong_is_refused_and_seen_by_nobody(payload, error, join):
    dendrite = await join().__aenter__()
    plans = kept(dendrite.on_plan)

    with pytest.raises(error):
        await dendrite.emit_plan(**payload)

    await dendrite.dispatch_and_wait(neuron="nobody", input={})
    assert plans == []


@pytest.mark.parametrize("kind", [SignalType.TASK, SignalType.REGISTER, SignalType.DISCOVER])
async def test_what_the_fabric_says_is_not_emitted(kind, join):
    dendrite = await join().__aenter__()

    with pytest.raises(DendriteProtocolError, match="cannot be emitted"):
        await dendrite.emit(Signal(type=kind, payload={"input": {}}))


async def test_a_dendrite_that_does_not_run_emits_nothing(join):
    dendrite = join()

    with pytest.raises(DendriteProtocolError, match="is new"):
        await dendrite.emit_plan(steps=[])


async def test_a_plain_signal_may_be_emitted_and_is_seen_as_it_is(join):
    speaker, watcher = join(), join()
    seen = kept(watcher.on_consensus)
    for each in (speaker, watcher):
        await each.start()
    signal = Signal(type=SignalType.CONSENSUS, payload={"anything": 1}, meta={"m": 2})

    assert await speaker.emit(signal) is signal

    await until(lambda: seen)
    assert seen == [signal]


async def test_emitting_waits_for_no_watcher_that_hangs(join):
    speaker, watcher = await join().__aenter__(), join()

    @watcher.on_plan
    async def hangs(sig):
        await asyncio.Event().wait()

    await watcher.start()
    async with asyncio.timeout(5.0):
        for _ in range(100):
            await speaker.emit_plan(steps=[])
