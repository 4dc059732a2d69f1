"""on_trace: every Signal of one workflow, in causal order; nothing more after `off`."""

import asyncio
from unittest import mock

import pytest

from cosmonapse import Axon, BadSignal, SignalType, new_trace_id
from support.processes import until
from support.watching import kept

pytestmark = pytest.mark.asyncio


async def says_everything(input, context):
    await context.plan(["all"])
    await context.think("hm")
    call = await context.tool_call("search")
    await context.tool_result(call, 1)
    child = await context.dispatch_and_wait(neuron="child", input={})
    await context.think("then")
    return child.output


async def child(input, context):
    await context.think("small")
    return {"small": True}


async def fails(input, context):
    raise ValueError("no")


@pytest.fixture
def trace_id():
    return new_trace_id()


async def workers(join):
    """Start a parent and its child, each on a worker of its own."""
    for name, function in (("worker", says_everything), ("child", child)):
        await join(Axon(neuron_id=name, neuron_fn=function), dendrite_id=name).start()


def of(signals):
    return [(sig.directed.id, sig.type.value) for sig in signals]


STORY = [
    ("worker", "TASK"),
    ("worker", "PLAN"),
    ("worker", "THOUGHT_DELTA"),
    ("worker", "TOOL_CALL"),
    ("worker", "TOOL_RESULT"),
    ("child", "TASK"),
    ("child", "THOUGHT_DELTA"),
    ("child", "AGENT_OUTPUT"),
    ("worker", "THOUGHT_DELTA"),
    ("worker", "AGENT_OUTPUT"),
]


@pytest.mark.parametrize("place", ["caller", "bystander", "worker"])
async def test_every_type_comes_in_causal_order_with_those_of_child_tasks(place, join, trace_id):
    dendrites = {name: join(dendrite_id=name) for name in ("caller", "bystander", "worker")}
    dendrites["worker"].attach_axon(Axon(neuron_id="worker", neuron_fn=says_everything))
    await join(Axon(neuron_id="child", neuron_fn=child)).start()
    for each in dendrites.values():
        await each.start()
    seen = kept(dendrites[place].on_trace(trace_id))
    await dendrites[place].dispatch_and_wait(neuron="nobody", input={})

    for _ in range(20):
        await dendrites["caller"].ask(neuron="worker", input={}, trace_id=trace_id)
    await until(lambda: len(seen) == 20 * len(STORY))

    assert of(seen) == STORY * 20
    assert len({sig.id for sig in seen}) == len(seen)


async def test_an_error_made_at_the_caller_is_in_its_place_too(join, trace_id):
    caller = await join().__aenter__()
    seen = kept(caller.on_trace(trace_id))

    await caller.dispatch_and_wait(neuron="nobody", input={}, trace_id=trace_id)
    await until(lambda: len(seen) == 2)

    assert of(seen) == [("nobody", "TASK"), ("nobody", "ERROR")]


async def test_a_question_its_answer_and_what_follows_are_one_story(serve, trace_id):
    async def asks(input, context):
        return input if "clarification" in input else {"__clarification__": True, "question": "?"}

    caller = await serve(asks)
    seen = kept(caller.on_trace(trace_id))

    @caller.on_clarification
    async def answers(sig):
        await caller.respond_to_clarification(sig, answer=1)

    await caller.ask(neuron="worker", input={}, trace_id=trace_id)
    await until(lambda: len(seen) == 5)

    assert [sig.type.value for sig in seen] == [
        "TASK",
        "CLARIFICATION",
        "CLARIFICATION_ANSWER",
        "TASK",
        "AGENT_OUTPUT",
    ]
    assert [sig.parent_id for sig in seen[1:]] == [
        seen[0].id,
        seen[1].id,
        seen[1].id,
        seen[3].id,
    ]


async def test_only_the_types_that_are_named_are_seen(join, trace_id):
    await workers(join)
    caller = await join().__aenter__()
    seen = kept(caller.on_trace(trace_id, SignalType.PLAN, SignalType.TOOL_CALL))
    outputs = kept(caller.on_trace(trace_id, SignalType.AGENT_OUTPUT))

    await caller.ask(neuron="worker", input={}, trace_id=trace_id)
    await until(lambda: len(outputs) == 2)

    assert of(seen) == [("worker", "PLAN"), ("worker", "TOOL_CALL")]


async def test_another_trace_is_not_seen(join, trace_id):
    await workers(join)
    caller = await join().__aenter__()
    seen = kept(caller.on_trace(trace_id))

    await caller.ask(neuron="worker", input={})
    await caller.ask(neuron="worker", input={}, trace_id=trace_id)
    await until(lambda: len(seen) >= len(STORY))

    assert {sig.trace_id for sig in seen} == {trace_id}


async def test_after_off_nothing_is_listened_to_any_more(join, trace_id):
    await workers(join)
    caller = await join(dendrite_id="caller").__aenter__()
    seen = []

    @caller.on_trace(trace_id)
    async def each(sig):
        seen.append(sig)

    await caller.ask(neuron="worker", input={}, trace_id=trace_id)
    await until(lambda: len(seen) == len(STORY))
    reader = caller._subscriptions._reader
    with mock.patch.object(reader, "signals", wraps=reader.signals) as reading:
        assert caller.off(each) == 1
        await caller.dispatch_and_wait(neuron="nobody", input={})
        before = caller.counts
        await caller.ask(neuron="worker", input={}, trace_id=trace_id)
        await caller.dispatch_and_wait(neuron="nobody", input={})

    assert len(seen) == len(STORY)
    assert not reading.called  # no copy came, and nothing was decoded
    assert caller.counts.get("drop.no_handler") == before.get("drop.no_handler")
    assert caller._subscriptions._orders == {}


async def test_off_takes_one_of_two_and_the_other_sees_on(join, trace_id):
    await workers(join)
    caller = await join().__aenter__()
    seen = kept(caller.on_trace(trace_id))
    other = []
    caller.on_trace(trace_id)(other.append)
    caller.off(other.append)

    await caller.ask(neuron="worker", input={}, trace_id=trace_id)
    await until(lambda: len(seen) == len(STORY))

    assert other == []


async def test_a_handler_added_before_the_start_is_in_force(join, trace_id):
    caller = join()
    seen = kept(caller.on_trace(trace_id))
    await caller.start()

    await caller.dispatch_and_wait(neuron="nobody", input={}, trace_id=trace_id)

    await until(lambda: len(seen) == 2)


async def test_a_trace_that_is_no_id_is_refused_at_once(join):
    caller = await join().__aenter__()

    with pytest.raises(BadSignal):
        caller.on_trace("mine")
    with pytest.raises(BadSignal):
        await caller.observe_pathway("mine")


async def test_a_handler_that_hangs_does_not_hold_another(join, trace_id):
    caller = await join().__aenter__()

    @caller.on_trace(trace_id)
    async def hangs(sig):
        await asyncio.Event().wait()

    seen = kept(caller.on_trace(trace_id))
    await caller.dispatch_and_wait(neuron="nobody", input={}, trace_id=trace_id)

    await until(lambda: len(seen) == 2)


async def test_a_long_stream_is_seen_in_order_and_once(serve, trace_id):
    async def streams(input, context):
        for n in range(6_000):
            yield str(n)

    caller = await serve(streams)
    seen = kept(caller.on_trace(trace_id))

    await caller.ask(neuron="worker", input={}, trace_id=trace_id)
    await until(lambda: seen and seen[-1].type is SignalType.AGENT_OUTPUT, timeout_s=10.0)

    assert [sig.payload["delta"] for sig in seen[1:-1]] == [str(n) for n in range(6_000)]
    assert caller.counts.get("gap.broadcast", 0) == 0
