"""A Synapse that dies and comes back on its port: everyone is there again without being told."""

import asyncio
import signal
import time

import pytest

from cosmonapse import SynapseAway
from cosmonapse.edge.outcomes import answer_of
from support.processes import axon, free_ports, measured, until
from support.watching import kept

BACK_S = 1.5
LEFT_TIMEOUT_S = 3.0


async def end(synapse, number):
    synapse.send(number)
    await asyncio.to_thread(synapse.wait)


async def come_back(children, port):
    """Start a Synapse on its old port; return when its first line was read."""
    child = children.cosmo("synapse", "start", "memory", "--port", port, "--quiet")
    return (await asyncio.to_thread(child.line, "Synapse listening on")).at_s


@pytest.mark.asyncio
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda each: each.name)
async def test_caller_worker_and_watcher_are_back_by_themselves(number, namespace, join, children):
    port = free_ports()
    synapse, url = children.synapse(port=port)
    children.worker(url, namespace, axon())
    async with join("caller", url=url) as caller, join("watcher", url=url) as watcher:
        outputs = kept(watcher.on_agent_output)
        await caller.ask(neuron="worker", input={"before": True})

        await end(synapse, number)
        up_at_s = await come_back(children, port)
        output = await caller.ask(neuron="worker", input={"after": True})
        answered_at_s = time.perf_counter()
        outputs.clear()
        while not outputs and time.perf_counter() < up_at_s + BACK_S:
            await caller.ask(neuron="worker", input={})
        watched_at_s = time.perf_counter()

    measured("answered after the Synapse listened again", answered_at_s - up_at_s)
    measured("watched after the Synapse listened again", watched_at_s - up_at_s)
    assert output["echo"] == {"after": True}
    assert answered_at_s - up_at_s <= BACK_S
    assert outputs


@pytest.mark.asyncio
async def test_what_is_dispatched_while_the_synapse_is_away_is_answered_when_it_is_back(
    namespace, join, children
):
    port = free_ports()
    synapse, url = children.synapse(port=port)
    worker = children.worker(url, namespace, axon("slow"))
    async with join(url=url) as caller:
        await end(synapse, signal.SIGKILL)
        asked = [
            asyncio.create_task(caller.ask(neuron="worker", input={"n": n, "for_s": 0}))
            for n in range(20)
        ]
        await come_back(children, port)
        outputs = await asyncio.gather(*asked)

    assert [output["n"] for output in outputs] == list(range(20))
    assert sorted(map(int, worker.lines("ran", 20))) == list(range(20))


@pytest.mark.asyncio
async def test_three_restarts_in_a_row_leave_every_plane_working(namespace, join, children):
    port = free_ports()
    synapse, url = children.synapse(port=port)
    children.worker(url, namespace, axon("stream", capabilities=["text"]))
    async with join(url=url) as caller:
        for _ in range(3):
            await end(synapse, signal.SIGKILL)
            synapse, _ = await asyncio.to_thread(children.synapse, port=port)
            output = await caller.ask(capabilities=["text"], input={"count": 3})

            assert output == {"response": "0 1 2 "}


@pytest.mark.asyncio
async def test_a_decorator_added_after_a_restart_is_in_force_for_the_next_dispatch(
    namespace, join, children
):
    port = free_ports()
    synapse, url = children.synapse(port=port)
    children.worker(url, namespace, axon())
    async with join(url=url) as caller:
        await end(synapse, signal.SIGKILL)
        await come_back(children, port)
        await caller.ask(neuron="worker", input={})

        tasks = kept(caller.on_task_signal)
        await caller.ask(neuron="worker", input={"n": 1})

    assert [sig.payload["input"] for sig in tasks] == [{"n": 1}]


@pytest.mark.asyncio
async def test_a_timeout_while_the_synapse_is_away_says_so_and_whether_the_task_had_left(
    namespace, join, children, caplog
):
    synapse, url = children.synapse()
    worker = children.worker(url, namespace, axon("held"))
    async with join(url=url) as caller:
        left = asyncio.create_task(
            caller.ask(neuron="worker", input={"n": 1}, timeout_s=LEFT_TIMEOUT_S)
        )
        await asyncio.to_thread(worker.line, "holding 1")
        await end(synapse, signal.SIGKILL)
        await until(lambda: "lost its Synapse" in caplog.text)
        with pytest.raises(SynapseAway) as waited:
            await caller.ask(neuron="worker", input={"n": 2}, timeout_s=0.2)
        with pytest.raises(TimeoutError) as gone:
            await left

    assert f"the Synapse at {url} has been away for " in str(waited.value)
    assert f"the Synapse at {url} has been away for " in str(gone.value)
    assert "it may have run" in str(gone.value)
    answers = [answer_of(each.value) for each in (waited, gone)]
    assert [(each.status, each.body["retry"]) for each in answers] == [(503, True), (503, False)]
