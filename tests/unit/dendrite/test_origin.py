"""`sig.origin`: the key behind a Signal, for everybody who gets one."""

import asyncio
import os
from collections import Counter

import pytest

from cosmonapse import Axon, Signal, SignalType, kernel, new_trace_id
from cosmonapse.ids import id_bytes
from support.processes import until

pytestmark = pytest.mark.asyncio
RIGHTS = {"ada": ["member"], "ben": ["member"], "eve": ["watch"]}


@pytest.fixture
def rights():
    return RIGHTS


def told(sig):
    return sig.type.value, sig.origin


async def worker(input, context):
    await context.think("well")
    return {"asked_by": context.task.origin}


@pytest.mark.parametrize("plain", [True, False])
async def test_a_neuron_knows_its_caller_and_the_caller_its_worker(join_as, plain):
    await join_as("ben", Axon(neuron_id="worker", neuron_fn=worker))
    caller = await join_as("ada")
    caller._dispatcher.plain_calls.enabled = plain

    reply = await caller.dispatch_and_wait(neuron="worker", input={})

    assert reply.output == {"asked_by": "ada"}
    assert reply.origin == "ben"


async def test_a_pathway_names_who_sent_each_of_its_signals(join_as):
    async def talker(input, context):
        for n in range(3):
            await context.think(str(n))
        await context.tool_call("look")
        return {}

    await join_as("ben", Axon(neuron_id="talker", neuron_fn=talker))
    caller = await join_as("ada")

    async with await caller.dispatch(neuron="talker", input={}) as pathway:
        seen = [told(sig) async for sig in pathway]

    kinds = ["THOUGHT_DELTA"] * 3 + ["TOOL_CALL", "AGENT_OUTPUT"]
    assert seen == [(kind, "ben") for kind in kinds]


@pytest.mark.parametrize("ordered", [True, False])
async def test_a_watcher_reads_in_the_header_who_sent_what(join_as, ordered):
    await join_as("ben", Axon(neuron_id="worker", neuron_fn=worker))
    caller, watcher = await join_as("ada"), await join_as("eve")
    trace_id, seen = new_trace_id(), []
    kinds = [SignalType.TASK, SignalType.THOUGHT_DELTA, SignalType.AGENT_OUTPUT, SignalType.PLAN]
    listen = watcher.on_trace(trace_id) if ordered else watcher.on_signal(*kinds)

    @listen
    async def see(sig):
        seen.append(told(sig))

    await watcher._subscriptions.settle()
    await caller.ask(neuron="worker", input={}, trace_id=trace_id)
    await caller.emit_plan(steps=[], trace_id=trace_id)
    await until(lambda: len(seen) == 4)

    assert sorted(seen) == [
        ("AGENT_OUTPUT", "ben"),
        ("PLAN", "ada"),
        ("TASK", "ada"),
        ("THOUGHT_DELTA", "ben"),
    ]


async def test_presence_is_of_the_dendrite_that_it_is_about(join_as):
    watcher, seen = await join_as("eve"), []

    @watcher.on_register_signal
    async def see(sig):
        seen.append(told(sig))

    await watcher._subscriptions.settle()
    await join_as("ben", Axon(neuron_id="worker", neuron_fn=worker))
    await until(lambda: seen)

    assert seen == [("REGISTER", "ben")]


async def test_what_is_handed_over_names_who_did_it(join_as):
    async def asks(input, context):
        if "permission" in input:
            return {"granted": input["permission"]["granted"]}
        return {"__permission__": True, "action": "delete"}

    await join_as("ben", Axon(neuron_id="asks", neuron_fn=asks))
    caller, decider, seen = await join_as("ada"), await join_as("ben"), []

    @decider.on_permission
    async def decide(sig):
        seen.append(told(sig))
        await decider.grant_permission(sig)

    @caller.on_permission_decision
    async def see(sig):
        seen.append(told(sig))

    await decider._subscriptions.settle()
    reply = await caller.dispatch_and_wait(neuron="asks", input={}, answer_elsewhere=True)
    await until(lambda: len(seen) == 2)

    assert reply.output == {"granted": True}
    assert seen == [("PERMISSION", "ben"), ("PERMISSION_DECISION", "ben")]


async def test_ones_own_signals_have_ones_own_name_for_ones_own_handlers(join_as):
    await join_as("ben", Axon(neuron_id="worker", neuron_fn=worker))
    caller, seen = await join_as("ada"), []

    @caller.on_signal(SignalType.TASK, SignalType.PLAN, SignalType.AGENT_OUTPUT)
    async def see(sig):
        seen.append(told(sig))

    await caller.emit_plan(steps=[])
    await caller.ask(neuron="worker", input={})
    await until(lambda: len(seen) == 3)

    assert seen == [("PLAN", "ada"), ("TASK", "ada"), ("AGENT_OUTPUT", "ben")]


async def test_a_worker_that_watches_sees_its_own_replies_under_its_own_name(join_as):
    serving = await join_as("ben", Axon(neuron_id="worker", neuron_fn=worker))
    caller, seen = await join_as("ada"), []

    @serving.on_signal(SignalType.TASK, SignalType.THOUGHT_DELTA, SignalType.AGENT_OUTPUT)
    async def see(sig):
        seen.append(told(sig))

    await serving._subscriptions.settle()
    await caller.ask(neuron="worker", input={})
    await until(lambda: len(seen) == 3)

    assert seen == [("TASK", "ada"), ("THOUGHT_DELTA", "ben"), ("AGENT_OUTPUT", "ben")]


async def test_an_error_that_ones_own_dendrite_made_has_no_origin(join_as):
    caller = await join_as("ada")

    error = await caller.dispatch_and_wait(neuron="nobody", input={})

    assert error.payload["code"] == "NO_SUCH_NEURON"
    assert error.origin is None


async def test_a_run_of_thoughts_has_the_origin_of_its_body(join_as):
    async def talker(input, context):
        await asyncio.gather(*(context.think(str(n)) for n in range(20)))
        return {}

    await join_as("ben", Axon(neuron_id="talker", neuron_fn=talker))
    caller, watcher, seen = await join_as("ada"), await join_as("eve"), []

    @watcher.on_thought_delta
    async def see(sig):
        seen.append(sig.origin)

    await watcher._subscriptions.settle()
    for watched_here in (False, True):
        seen.clear()
        if watched_here:
            caller.on_thought_delta(see)
        async with await caller.dispatch(neuron="talker", input={}) as pathway:
            thoughts = [sig.origin async for sig in pathway if sig.type is SignalType.THOUGHT_DELTA]
        await until(lambda: len(seen) == 20 * (1 + watched_here))  # noqa: B023

        assert thoughts == ["ben"] * 20
        assert set(seen) == {"ben"}


async def test_a_body_that_claims_another_origin_is_not_believed(join_as):
    await join_as("ben", Axon(neuron_id="worker", neuron_fn=worker))
    caller = await join_as("ada")
    claims = {"origin": "eve", "user": "eve", "directed": "eve"}

    reply = await caller.dispatch_and_wait(neuron="worker", input=claims, meta=claims)

    assert reply.output == {"asked_by": "ada"}


async def test_without_keys_nobody_has_an_origin_and_nobody_asks(join, serve):
    async def asked(input, context):
        return {"asked_by": context.task.origin}

    caller = await serve(asked)
    assert not caller._subscriptions.senders.have_names

    reply = await caller.dispatch_and_wait(neuron="worker", input={})

    assert (reply.output, reply.origin) == ({"asked_by": None}, None)
    assert kernel.decode_signal(reply.encode()) == reply


@pytest.mark.parametrize("by_trace", [True, False])
async def test_a_task_that_says_it_is_a_reply_is_not_shown_as_one_of_its_worker(join_as, by_trace):
    async def works(input, context):
        return {"true": True}

    await join_as("ben", Axon(neuron_id="worker", neuron_fn=works))
    hostile, watcher, seen = await join_as("ada"), await join_as("eve"), []
    forged = Signal(type=SignalType.AGENT_OUTPUT, payload={"output": {"true": False}})
    kinds = SignalType.AGENT_OUTPUT, SignalType.TASK
    listen = watcher.on_trace(forged.trace_id) if by_trace else watcher.on_signal(*kinds)
    listen(lambda sig: seen.append((sig.type, sig.origin, sig.payload)))
    await watcher._subscriptions.settle()

    for kind in kinds:
        hostile._transport.send_task(
            hostile._transport.address_of("worker", ()),
            os.urandom(16),
            id_bytes(forged.trace_id),
            kind.code,
            forged.encode(),
            5_000,
            0,
        )
    await hostile.ask(neuron="worker", input={}, trace_id=forged.trace_id)
    await until(lambda: seen and seen[-1][0] is SignalType.AGENT_OUTPUT)

    assert [each for each in seen if each[0] is SignalType.AGENT_OUTPUT] == [
        (SignalType.AGENT_OUTPUT, "ben", {"output": {"true": True}})
    ]
    assert join_as.synapse.counts["drop.reserved_kind"] == 2


async def test_a_reply_that_says_it_is_a_task_is_not_shown_as_one_of_its_caller(join_as):
    serving, trace_id, seen = None, new_trace_id(), []
    forged = Signal(type=SignalType.TASK, payload={"input": "forged"}, trace_id=trace_id)

    async def works(input, context):
        [job] = serving._inbox.jobs.values()
        for kind in (SignalType.TASK, SignalType.THOUGHT_DELTA):
            said = (job.caller, job.task, job.trace, kind.code, forged.encode(), job.index, 0)
            serving._transport.send_reply(*said)
            job.index += 1
        return {}

    serving = await join_as("ben", Axon(neuron_id="worker", neuron_fn=works))
    caller, watcher = await join_as("ada"), await join_as("eve")
    watcher.on_trace(trace_id)(seen.append)
    watcher.on_task_signal(seen.append)
    await watcher._subscriptions.settle()

    await caller.ask(neuron="worker", input="true", trace_id=trace_id)
    # Each function has its own order: the one of the trace ends with the output, the other one
    # may run after it.
    types = [SignalType.TASK, SignalType.TASK, SignalType.AGENT_OUTPUT]
    await until(lambda: not Counter(types) - Counter(sig.type for sig in seen))

    tasks = {(sig.payload["input"], sig.origin) for sig in seen if sig.type is SignalType.TASK}
    assert tasks == {("true", "ada")}
