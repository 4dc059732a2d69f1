"""Decorators between processes: each sees what it asks for, once."""

import asyncio

import pytest

from cosmonapse import Axon, SignalType
from support.processes import axon, until
from support.watching import about, deltas, kept


async def fence(dendrite, signals):
    """Return when `dendrite`, which keeps ERRORs in `signals`, saw all that was sent before."""
    error = await dendrite.dispatch_and_wait(neuron="fence", input={})
    await until(lambda: error in signals, what="the fence")


@pytest.mark.asyncio
async def test_an_output_is_seen_bare_by_neuron_and_by_capability_without_a_registry(
    url, namespace, join, children
):
    children.worker(
        url,
        namespace,
        axon("echo", "writer", ["text", "chat"]),
        axon("echo", "painter", ["image"]),
    )
    watcher = join("watcher")
    bare = kept(watcher.on_agent_output)
    by_neuron = kept(watcher.on_agent_output(neuron="writer"))
    by_capability = kept(watcher.on_agent_output(capability="text"))
    by_other = kept(watcher.on_agent_output(capability="image"))
    by_none = kept(watcher.on_agent_output(capability="sound"))
    async with watcher, join("caller") as caller:
        written = await caller.dispatch_and_wait(neuron="writer", input={})
        painted = await caller.dispatch_and_wait(capabilities=["image"], input={})
        await until(lambda: len(bare) == 2 and by_other)

    assert [sig.id for sig in bare] == [written.id, painted.id]
    assert [sig.id for sig in by_neuron] == [written.id]
    assert [sig.id for sig in by_capability] == [written.id]
    assert [sig.id for sig in by_other] == [painted.id]
    assert by_none == []


@pytest.mark.asyncio
async def test_errors_of_the_neuron_and_of_the_way_there_are_both_seen_by_a_bystander(
    url, namespace, join, children
):
    children.worker(url, namespace, axon("fails"))
    watcher = join("watcher")
    errors = kept(watcher.on_error_signal)
    of_nobody = kept(watcher.on_error_signal(neuron="nobody"))
    async with watcher, join("caller") as caller:
        failed = await caller.dispatch_and_wait(neuron="worker", input={"why": "so"})
        missing = await caller.dispatch_and_wait(neuron="nobody", input={})
        await until(lambda: len(errors) == 2)

    assert {sig.id for sig in errors} == {failed.id, missing.id}
    assert failed.payload == {"code": "NO_GOOD", "message": "so", "recoverable": False}
    assert [sig.payload["code"] for sig in of_nobody] == ["NO_SUCH_NEURON"]


@pytest.mark.asyncio
async def test_a_worker_is_seen_to_come_to_live_and_to_take_leave(url, namespace, join, children):
    async with join("watcher") as watcher:
        came = kept(watcher.on_register_signal)
        beats = kept(watcher.on_heartbeat_signal(neuron="worker"))
        left = kept(watcher.on_deregister_signal)
        await watcher.dispatch_and_wait(neuron="nobody", input={})  # from here on they are in force
        worker = children.worker(
            url, namespace, axon(capabilities=["text"]), axon("echo", "other"), heartbeat_s=0.05
        )
        await until(lambda: len(beats) >= 3)
        worker.send(15)
        await until(lambda: len(left) == 2)

    assert [sig.directed.id for sig in came] == ["worker", "other"]
    assert came[0].payload["capabilities"] == ["text"]
    assert came[0].payload["role"] == "worker"
    assert set(beats[0].payload) == {"status", "running", "queued", "loop_lag_ms"}
    assert len({sig.id for sig in beats}) == len(beats)
    assert {sig.directed.id for sig in left} == {"worker", "other"}
    assert all(sig.payload.get("reason") != "lost" for sig in left)


@pytest.mark.asyncio
async def test_a_worker_that_is_killed_is_deregistered_as_lost(url, namespace, join, children):
    watcher = join("watcher")
    left = kept(watcher.on_deregister_signal)
    by_capability = kept(watcher.on_deregister_signal(capability="text"))
    async with watcher:
        children.worker(url, namespace, axon(capabilities=["text"])).kill()
        await until(lambda: by_capability, timeout_s=2.0)

    (sig,) = left
    assert sig.directed.id == "worker"
    assert sig.payload == {"reason": "lost"}


@pytest.mark.asyncio
@pytest.mark.parametrize("place", ["caller", "bystander"])
async def test_thoughts_come_in_order_and_complete_before_the_output(
    place, url, namespace, join, children
):
    children.worker(url, namespace, axon("stream"))
    caller, bystander = join("caller"), join("bystander")
    watcher = caller if place == "caller" else bystander
    seen = kept(watcher.on_signal(SignalType.THOUGHT_DELTA, SignalType.AGENT_OUTPUT))
    thoughts = kept(watcher.on_thought_delta)
    async with caller, bystander:
        reply = await caller.dispatch_and_wait(neuron="worker", input={"count": 50})
        await until(lambda: seen and seen[-1].id == reply.id and len(thoughts) == 50)

    assert deltas(thoughts) == [f"{n} " for n in range(50)]
    assert [sig.payload["seq"] for sig in thoughts] == list(range(50))
    assert seen == [*thoughts, reply]
    assert {sig.trace_id for sig in seen} == {reply.trace_id}


@pytest.mark.asyncio
async def test_each_signal_fires_once_on_a_caller_a_worker_a_bystander_and_one_that_is_both(join):
    async def echo(input, context):
        await context.think("hm")
        return input

    dendrites = {name: join(name) for name in ("caller", "worker", "bystander", "both")}
    dendrites["worker"].attach_axon(Axon(neuron_id="far", neuron_fn=echo))
    dendrites["both"].attach_axon(Axon(neuron_id="near", neuron_fn=echo))
    kinds = (SignalType.TASK, SignalType.THOUGHT_DELTA, SignalType.AGENT_OUTPUT)
    seen = {name: kept(each.on_signal(*kinds)) for name, each in dendrites.items()}
    errors = {name: kept(each.on_error_signal) for name, each in dendrites.items()}
    pairs = [("caller", "far"), ("caller", "near"), ("both", "far"), ("both", "near")]
    async with contextual(dendrites.values()):
        replies = [
            await dendrites[name].dispatch_and_wait(neuron=neuron, input={})
            for name, neuron in pairs
        ]
        for name, dendrite in dendrites.items():
            await fence(dendrite, errors[name])
        # Each handler has a queue of its own: the one for errors may be ahead of this one.
        await until(lambda: all(len(each) >= len(kinds) * len(pairs) for each in seen.values()))

    traces = [reply.trace_id for reply in replies]
    for signals in seen.values():
        for trace in traces:
            found = about(signals, trace)
            assert sorted(sig.type for sig in found) == sorted(kinds)
    for signals in errors.values():
        assert len({sig.id for sig in signals}) == len(signals)


@pytest.mark.asyncio
async def test_presence_fires_once_on_the_dendrite_it_is_about_and_on_others(join):
    async def echo(input, context):
        return input

    async with join("watcher") as watcher:
        seen = kept(watcher.on_register_signal)
        errors = kept(watcher.on_error_signal)
        await fence(watcher, errors)
        host = join("host")
        host.attach_axon(Axon(neuron_id="worker", neuron_fn=echo))
        own = kept(host.on_register_signal)
        own_errors = kept(host.on_error_signal)
        async with host:
            await fence(watcher, errors)
            await fence(host, own_errors)

    assert [sig.directed.id for sig in seen] == ["worker"]
    assert [sig.id for sig in own] == [sig.id for sig in seen]


@pytest.mark.asyncio
async def test_a_trace_is_watched_from_beginning_to_end(url, namespace, join, children):
    children.worker(url, namespace, axon("stream"))
    async with join("caller") as caller, join("watcher") as watcher:
        first = await caller.dispatch_and_wait(neuron="worker", input={"count": 1})
        errors = kept(watcher.on_error_signal)
        seen = kept(watcher.on_signal(trace_id=first.trace_id))
        await fence(watcher, errors)
        await caller.ask(neuron="worker", input={"count": 2}, trace_id=first.trace_id)
        await caller.ask(neuron="worker", input={"count": 2})
        await until(lambda: len(seen) >= 4)
        await fence(watcher, errors)

    assert [sig.type.value for sig in seen] == [
        "TASK",
        "THOUGHT_DELTA",
        "THOUGHT_DELTA",
        "AGENT_OUTPUT",
    ]


@pytest.mark.asyncio
async def test_a_decorator_added_after_start_is_in_force_for_the_next_dispatch(
    url, namespace, join, children
):
    children.worker(url, namespace, axon())
    async with join("caller") as caller, join("watcher") as watcher:
        for _ in range(20):
            outputs = kept(watcher.on_agent_output)
            await watcher.dispatch_and_wait(neuron="nobody", input={})
            reply = await caller.dispatch_and_wait(neuron="worker", input={})
            await until(lambda: [reply] == outputs)  # noqa: B023, runs before the next turn


@pytest.mark.asyncio
async def test_a_decorator_taken_off_sees_nothing_more_and_the_others_go_on(
    url, namespace, join, children
):
    children.worker(url, namespace, axon())
    async with join("caller") as caller, join("watcher") as watcher:
        others = kept(watcher.on_agent_output)
        mine = []

        @watcher.on_agent_output
        @watcher.on_task_signal
        async def keep(sig):
            mine.append(sig.type)

        await watcher.dispatch_and_wait(neuron="nobody", input={})
        await caller.ask(neuron="worker", input={})
        await until(lambda: len(mine) >= 3 and others)
        mine.clear()
        taken = watcher.off(keep)
        await caller.ask(neuron="worker", input={})
        await until(lambda: len(others) == 2)

    assert taken == 2
    assert watcher.off(keep) == 0
    assert mine == []


@pytest.mark.asyncio
async def test_a_handler_that_raises_or_hangs_does_not_hurt_another(
    url, namespace, join, children, caplog
):
    children.worker(url, namespace, axon())
    watcher = join("watcher")

    @watcher.on_agent_output
    async def raises(sig):
        raise ValueError("no")

    @watcher.on_agent_output
    async def hangs(sig):
        await asyncio.Event().wait()

    threaded = []
    watcher.on_agent_output(threaded.append)
    outputs = kept(watcher.on_agent_output)
    async with watcher, join("caller") as caller:
        for _ in range(3):
            await caller.ask(neuron="worker", input={})
        await until(lambda: len(outputs) == len(threaded) == 3)
        await until(lambda: watcher.counts.get("handler_raised") == 3)

    assert "raises" in caplog.text


@pytest.mark.asyncio
async def test_signals_nobody_watches_are_not_sent_to_a_bystander(url, namespace, join, children):
    children.worker(url, namespace, axon("stream"))
    watcher = join("watcher")
    tasks = kept(watcher.on_task_signal)
    async with watcher, join("caller") as caller:
        await caller.ask(neuron="worker", input={"count": 10})
        await until(lambda: tasks)

        assert watcher.counts.get("drop.no_handler", 0) == 0


class contextual:
    """Start Dendrites one after the other, and stop them all."""

    def __init__(self, dendrites):
        self._dendrites = list(dendrites)

    async def __aenter__(self):
        for dendrite in self._dendrites:
            await dendrite.start()

    async def __aexit__(self, *_):
        for dendrite in self._dendrites:
            await dendrite.stop()
