"""The actions of users over each transport: dispatch, stream, watch, wait, give up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from ... import Axon, Dendrite, DendriteProtocolError, Directed, NeuronError, SignalType
from ...ids import id_bytes
from ...tasks import task_for
from .harness import Harness
from .joined import Enter, Joiner
from .recording import about, deltas, recorded
from .waiting import until

pytestmark = pytest.mark.asyncio
TOKENS = 1_000


async def echo(input: Any, context: Any) -> Any:
    """Return the input."""
    return {"echo": input}


async def stream(input: Any, context: Any) -> AsyncIterator[Any]:
    """Stream numbers."""
    for number in range(input["count"]):
        yield f"{number} "


async def fails(input: Any, context: Any) -> None:
    """End in an ERROR."""
    raise NeuronError("NO_GOOD", input["why"])


class HeldNeuron:
    """A Neuron that works until it is released or cancelled."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.running: list[Any] = []
        self.cancelled: list[Any] = []

    async def __call__(self, input: Any, context: Any) -> Any:
        """See the class."""
        self.running.append(input)
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled.append(input)
            raise
        return {"n": input}


def axon(neuron_fn: Callable[..., Any] = echo, neuron_id: str = "worker", **options: Any) -> Any:
    """Return an Axon."""
    return Axon(neuron_id=neuron_id, neuron_fn=neuron_fn, **options)


async def test_ask_returns_the_output_by_name_and_by_capabilities(join: Joiner) -> None:
    """P34"""
    async with join(axon(capabilities=["text", "chat"])), join() as caller:
        by_name = await caller.ask(neuron="worker", input={"n": 1})
        by_capabilities = await caller.ask(capabilities=["chat", "text"], input={"n": 2})

    assert by_name == {"echo": {"n": 1}}
    assert by_capabilities == {"echo": {"n": 2}}


async def test_dispatch_and_wait_returns_the_signal_that_settles_the_task(join: Joiner) -> None:
    """P34"""
    async with join(axon(), dendrite_id="host"), join() as caller:
        reply = await caller.dispatch_and_wait(neuron="worker", input={}, meta={"note": 1})

    assert reply.type is SignalType.AGENT_OUTPUT
    assert reply.directed == Directed("worker", "neuron")
    assert reply.meta.keys() == {"dendrite", "queued_ms", "ran_ms"}
    assert reply.meta["dendrite"] == "host"


async def test_the_outcome_of_a_dispatched_task_shows_in_a_decorator(join: Joiner) -> None:
    """P34 P36"""
    caller = join()
    outputs, tasks = recorded(caller.on_agent_output), recorded(caller.on_task_signal)
    async with join(axon()), caller:
        task = await caller.dispatch_task(neuron="worker", input={"n": 1})
        await until(lambda: outputs and tasks)

    assert tasks == [task]
    assert [(sig.trace_id, sig.parent_id) for sig in outputs] == [(task.trace_id, task.id)]


async def test_every_failure_reaches_the_caller_with_its_code(join: Joiner) -> None:
    """P34"""
    async with join(axon(fails)), join() as caller:
        codes = {}
        for target in ({"neuron": "worker"}, {"neuron": "nobody"}, {"capabilities": ["nothing"]}):
            with pytest.raises(NeuronError) as caught:
                await caller.ask(**target, input={"why": "so"})
            codes[str(target)] = caught.value.code

    assert list(codes.values()) == ["NO_GOOD", "NO_SUCH_NEURON", "NO_CAPABLE_NEURON"]


@pytest.mark.parametrize(
    "names", [["c" * 100 + str(n) for n in range(60)], list(map(str, range(300)))]
)
async def test_more_capabilities_than_fit_are_refused_where_they_are_named(
    join: Joiner, names: list[str]
) -> None:
    """P5 P34"""
    with pytest.raises(ValueError, match="capabilities"):
        axon(capabilities=names)
    caller = join()
    tasks, errors = recorded(caller.on_task_signal), recorded(caller.on_error_signal)
    async with caller:
        with pytest.raises(ValueError, match="capabilities"):
            await caller.ask(capabilities=names, input=1)
        fence = await caller.dispatch_and_wait(neuron="nobody", input=2)
        await until(lambda: tasks and errors)

    assert [sig.payload["input"] for sig in tasks] == [2]
    assert errors == [fence]


async def test_an_axon_that_is_full_says_so(join: Joiner) -> None:
    """P34"""
    held = HeldNeuron()
    async with join(axon(held, concurrency=1, max_queued=1)), join() as caller:
        asked = [asyncio.create_task(caller.ask(neuron="worker", input=n)) for n in range(2)]
        await until(lambda: held.running)
        with pytest.raises(NeuronError, match="OVERLOADED"):
            await caller.ask(neuron="worker", input=3)
        held.release.set()

        assert [output["n"] for output in await asyncio.gather(*asked)] == [0, 1]


@pytest.mark.needs("crash")
async def test_the_work_of_a_dendrite_that_vanishes_is_reported_lost(
    join: Joiner, harness: Harness
) -> None:
    """P18 P34"""
    held = HeldNeuron()
    host = join(axon(held))
    await host.start()
    async with join() as caller:
        asking = asyncio.create_task(caller.dispatch_and_wait(neuron="worker", input=1))
        await until(lambda: held.running)

        harness.crash(join.transport_of(host))
        lost = await asyncio.wait_for(asking, 5.0)

    assert lost.payload["code"] == "WORKER_LOST"
    assert lost.payload["recoverable"] is True


async def test_a_thousand_tokens_arrive_in_order_ahead_of_the_output(join: Joiner) -> None:
    """P35"""
    caller, bystander = join(), join()
    kinds = (SignalType.THOUGHT_DELTA, SignalType.AGENT_OUTPUT)
    at_caller, at_bystander = (recorded(each.on_signal(*kinds)) for each in (caller, bystander))
    async with join(axon(stream)), caller, bystander:
        reply = await caller.dispatch_and_wait(neuron="worker", input={"count": TOKENS})
        await until(lambda: len(at_caller) == len(at_bystander) == TOKENS + 1)

        assert caller.counts.get("gap.replies", 0) == 0

    for seen in (at_caller, at_bystander):
        assert deltas(seen[:-1]) == [f"{n} " for n in range(TOKENS)]
        assert seen[-1] == reply
    assert at_caller == at_bystander  # each under its own id, whatever travelled together
    assert len({each.id for each in at_caller}) == TOKENS + 1
    assert reply.output["response"] == "".join(deltas(at_caller[:-1]))


async def test_streams_at_the_same_time_do_not_mix(join: Joiner) -> None:
    """P35"""
    caller = join()
    thoughts = recorded(caller.on_thought_delta)
    async with join(axon(stream)), caller:
        asked = (caller.dispatch_and_wait(neuron="worker", input={"count": 50}) for _ in range(10))
        replies = await asyncio.gather(*asked)
        await until(lambda: len(thoughts) == 500)

    for reply in replies:
        assert deltas(about(thoughts, reply.trace_id)) == [f"{n} " for n in range(50)]


async def test_each_signal_fires_once_wherever_it_is_watched(join: Joiner) -> None:
    """P36"""
    kinds = (SignalType.TASK, SignalType.THOUGHT_DELTA, SignalType.AGENT_OUTPUT)
    dendrites = [join(axon(stream)), join(), join()]
    seen = [recorded(each.on_signal(*kinds)) for each in dendrites]
    errors = [recorded(each.on_error_signal) for each in dendrites]
    async with dendrites[0], dendrites[1], dendrites[2]:
        reply = await dendrites[1].dispatch_and_wait(neuron="worker", input={"count": 1})
        fence = await dendrites[1].dispatch_and_wait(neuron="nobody", input={})
        await until(lambda: all(fence in each for each in errors))
        await until(lambda: all(len(about(each, reply.trace_id)) >= 3 for each in seen))

    for signals in seen:
        assert sorted(sig.type for sig in about(signals, reply.trace_id)) == sorted(kinds)


async def test_a_filter_lets_through_what_it_names(join: Joiner) -> None:
    """P36"""
    watcher = join()
    by_neuron = recorded(watcher.on_agent_output(neuron="writer"))
    by_capability = recorded(watcher.on_agent_output(capability="image"))
    everything = recorded(watcher.on_agent_output)
    hosts = (axon(neuron_id="writer"), axon(neuron_id="painter", capabilities=["image"]))
    async with join(*hosts), watcher, join() as caller:
        written = await caller.dispatch_and_wait(neuron="writer", input={})
        painted = await caller.dispatch_and_wait(neuron="painter", input={})
        of_trace = recorded(watcher.on_signal(trace_id=written.trace_id))
        await watcher.dispatch_and_wait(neuron="nobody", input={})
        await caller.ask(neuron="writer", input={}, trace_id=written.trace_id)
        await until(lambda: len(everything) == 3 and len(of_trace) == 2)

    assert [sig.trace_id for sig in by_neuron] == [written.trace_id] * 2
    assert by_capability == [painted]


async def test_presence_is_watched_from_coming_to_leaving(join: Joiner) -> None:
    """P22 P36"""
    watcher = join()
    came, left = recorded(watcher.on_register_signal), recorded(watcher.on_deregister_signal)
    beats = recorded(watcher.on_heartbeat_signal)
    async with watcher:
        async with join(axon(capabilities=["text"]), heartbeat_s=0.02):
            await until(lambda: came and beats)
        await until(lambda: left)

    assert came[0].directed == left[0].directed == Directed("worker", "neuron", ("text",))


async def test_a_timeout_is_raised_in_time_and_cancels_the_work(join: Joiner) -> None:
    """P37"""
    held = HeldNeuron()
    caller = join()
    errors = recorded(caller.on_error_signal)
    async with join(axon(held)), caller:
        with pytest.raises(TimeoutError, match="worker"):
            await caller.ask(neuron="worker", input=1, timeout_s=0.05)
        await until(lambda: held.cancelled and errors)

    assert [sig.payload["code"] for sig in errors] == ["EXPIRED"]


async def test_a_caller_that_is_cancelled_cancels_the_work(join: Joiner) -> None:
    """P37"""
    held = HeldNeuron()
    async with join(axon(held)), join() as caller:
        asking = asyncio.create_task(caller.ask(neuron="worker", input=1))
        await until(lambda: held.running)

        asking.cancel()
        await until(lambda: held.cancelled)

    assert asking.cancelled()


async def test_a_dendrite_that_stops_finishes_what_it_runs(join: Joiner) -> None:
    """P4 P37"""
    held = HeldNeuron()
    host, caller = join(axon(held)), join()
    left = recorded(caller.on_deregister_signal)
    async with caller:
        await host.start()
        asking = asyncio.create_task(caller.ask(neuron="worker", input=1))
        await until(lambda: held.running)
        stopping = asyncio.create_task(host.stop())
        await until(lambda: left)

        held.release.set()
        await stopping

        assert await asking == {"n": 1}
        with pytest.raises(NeuronError, match="NO_SUCH_NEURON"):
            await caller.ask(neuron="worker", input=2)


async def test_a_caller_that_waits_when_its_dendrite_stops_gets_an_error(join: Joiner) -> None:
    """P37"""
    held = HeldNeuron()
    caller = join()
    async with join(axon(held)):
        await caller.start()
        asking = asyncio.create_task(caller.ask(neuron="worker", input=1))
        await until(lambda: held.running)

        await caller.stop()

        with pytest.raises(DendriteProtocolError, match="stopped"):
            await asking
        await until(lambda: held.cancelled)


async def test_work_goes_on_by_itself_after_a_restart_of_the_synapse(
    mortal: Harness, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    """P31 P32 P34"""
    host = Dendrite(synapse=mortal.synapse(), namespace=namespace)
    host.attach_axon(axon())
    caller = Dendrite(synapse=mortal.synapse(), namespace=namespace)
    async with host, caller:
        before = await caller.ask(neuron="worker", input=1)
        await mortal.kill()
        await until(lambda: caplog.text.count("lost its Synapse") == 2)
        asking = asyncio.create_task(caller.ask(neuron="worker", input=2))
        await mortal.revive()
        during = await asking
        outputs = recorded(caller.on_agent_output)
        after = await caller.dispatch_and_wait(neuron="worker", input=3)
        await until(lambda: caplog.text.count("is back at its Synapse after") == 2)
        await until(lambda: outputs)

    assert [before, during, after.output] == [{"echo": n} for n in (1, 2, 3)]
    assert outputs == [after]


async def test_several_dendrites_share_one_synapse_object(join: Joiner, harness: Harness) -> None:
    """P9 P40"""
    synapse = harness.synapse()
    hosts = [join(axon(neuron_id=f"worker-{n}"), synapse=synapse) for n in range(3)]
    caller = join(synapse=synapse)
    for dendrite in (*hosts, caller):
        await dendrite.start()
    outputs = [await caller.ask(neuron=f"worker-{n}", input=n) for n in range(3)]
    await hosts[0].stop()
    still = await caller.ask(neuron="worker-1", input="still")

    await synapse.close()

    assert outputs == [{"echo": n} for n in range(3)]
    assert still == {"echo": "still"}
    with pytest.raises(DendriteProtocolError):
        await caller.ask(neuron="worker-1", input=1)


async def test_a_task_that_comes_twice_runs_once_and_its_reply_is_given_twice(
    join: Joiner, enter: Enter
) -> None:
    """P13"""
    held = HeldNeuron()
    signal = task_for("worker", None, {"n": 1})
    body, trace = signal.encode(), id_bytes(signal.trace_id)
    async with join(axon(held)):
        caller = await enter()
        task = caller.ask("worker", body, trace=trace)
        await until(lambda: held.running)
        caller.ask("worker", body, task=task, trace=trace)
        await caller.fence()
        held.release.set()
        await caller.seen("on_replies")
        caller.ask("worker", body, task=task, trace=trace)
        first, again = await caller.seen("on_replies", 2)

    assert held.running == [{"n": 1}]
    assert first == again
    assert first.task == task
