"""Dendrites that come and go: quick, many, and without a trace."""

import asyncio
import statistics
import time
from pathlib import Path

import pytest

from cosmonapse import Axon, Dendrite, DendriteProtocolError, SynapseUnreachable, connect_synapse
from support.processes import axon, closed_port, free_ports, measured, until

STARTED_S = 0.15
CYCLES = 200


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


async def echo(input, context):
    return input


@pytest.mark.asyncio
async def test_a_dendrite_is_started_quickly(join):
    took_s = []
    for _ in range(10):
        dendrite = join()
        began_s = time.perf_counter()
        await dendrite.start()
        took_s.append(time.perf_counter() - began_s)
        await dendrite.stop()
    median_s = statistics.median(took_s)

    measured("start of a Dendrite, median of 10", median_s)
    assert median_s < STARTED_S


@pytest.mark.asyncio
async def test_200_dendrites_that_came_and_went_leave_no_descriptor_and_no_task(url, namespace):
    synapse = await connect_synapse(url)

    async def cycle():
        dendrite = Dendrite(synapse=synapse, namespace=namespace)
        dendrite.attach_axon(Axon(neuron_id="worker", neuron_fn=echo))
        async with dendrite:
            pass

    await cycle()
    tasks, files = asyncio.all_tasks(), open_files()
    for _ in range(CYCLES):
        await cycle()

    assert asyncio.all_tasks() == tasks
    await until(lambda: open_files() <= files, what="every descriptor closed")
    await synapse.close()


@pytest.mark.asyncio
async def test_a_dendrite_that_never_came_up_leaves_no_descriptor(join, children):
    synapse, url = children.synapse("--namespace", "served")
    tasks, files = asyncio.all_tasks(), open_files()
    for _ in range(10):
        with pytest.raises(ConnectionError):
            await join(url=url, namespace="not-served").start()
    synapse.kill()
    for _ in range(3):
        with pytest.raises(ConnectionError):
            await join(url=url).start(timeout_s=0.1)

    assert asyncio.all_tasks() == tasks
    await until(lambda: open_files() <= files, what="every descriptor closed")


@pytest.mark.asyncio
async def test_16_dendrites_of_one_process_share_one_synapse_object(url, namespace, children):
    children.worker(url, namespace, axon())
    synapse = await connect_synapse(url)
    dendrites = [
        Dendrite(synapse=synapse, namespace=namespace, dendrite_id=f"caller-{n}") for n in range(16)
    ]
    await asyncio.gather(*(each.start() for each in dendrites))

    replies = await asyncio.gather(
        *(
            each.dispatch_and_wait(neuron="worker", input={"caller": n, "task": task})
            for n, each in enumerate(dendrites)
            for task in range(20)
        )
    )
    await asyncio.gather(*(each.stop() for each in dendrites))
    await synapse.close()

    expected = [{"caller": n, "task": task} for n in range(16) for task in range(20)]
    assert [reply.output["echo"] for reply in replies] == expected


@pytest.mark.asyncio
async def test_a_synapse_object_does_not_keep_dendrites_that_are_gone(url, namespace):
    synapse = await connect_synapse(url)
    for _ in range(3):
        async with Dendrite(synapse=synapse, namespace=namespace):
            pass

    assert len(synapse._transports) == 0
    await synapse.close()


@pytest.mark.asyncio
async def test_closing_the_synapse_object_closes_what_is_still_open(url, namespace):
    synapse = await connect_synapse(url)
    dendrite = Dendrite(synapse=synapse, namespace=namespace)
    await dendrite.start()

    await synapse.close()
    await dendrite.stop()

    assert "stopped" in repr(dendrite)


@pytest.mark.asyncio
async def test_the_counters_can_be_read_in_every_state(join):
    dendrite = join()

    before = dendrite.counts
    await dendrite.start()
    during = dendrite.counts
    await dendrite.stop()

    assert [type(each) for each in (before, during, dendrite.counts)] == [dict] * 3


@pytest.mark.asyncio
async def test_a_dendrite_whose_start_failed_is_over_and_says_so(join):
    dendrite = join(url=f"cosmo://127.0.0.1:{closed_port()}")
    with pytest.raises(SynapseUnreachable):
        await dendrite.start(timeout_s=0.1)

    with pytest.raises(DendriteProtocolError, match="stopped"):
        await dendrite.dispatch_and_wait(neuron="worker", input={})
    with pytest.raises(DendriteProtocolError, match="make a new one"):
        await dendrite.start()


@pytest.mark.asyncio
async def test_a_handler_that_hangs_and_was_taken_off_does_not_outlive_its_dendrite(join):
    tasks = asyncio.all_tasks()
    hanging = asyncio.Event()

    async def hangs(sig):
        hanging.set()
        await asyncio.Event().wait()

    async with join() as dendrite:
        dendrite.on_error_signal(hangs)
        await dendrite.dispatch_and_wait(neuron="nobody", input={})
        await hanging.wait()
        dendrite.off(hangs)

    assert asyncio.all_tasks() == tasks


@pytest.mark.asyncio
async def test_a_dendrite_that_starts_before_its_synapse_waits_without_a_limit(
    namespace, join, children
):
    port = free_ports()
    url = f"cosmo://127.0.0.1:{port}"
    worker = join("worker", url=url)
    worker.attach_axon(Axon(neuron_id="echo", neuron_fn=echo))
    starting = asyncio.create_task(worker.start(timeout_s=None))
    with pytest.raises(SynapseUnreachable):  # nobody is there yet
        await connect_synapse(url, timeout_s=0.5)

    await asyncio.to_thread(children.synapse, port=port)
    await starting
    async with join("caller", url=url) as caller:
        output = await caller.ask(neuron="echo", input={"n": 1})

    assert output == {"n": 1}


@pytest.mark.asyncio
async def test_a_start_without_a_limit_can_be_stopped(join):
    worker = join("worker", url=f"cosmo://127.0.0.1:{free_ports()}")
    starting = asyncio.create_task(worker.start(timeout_s=None))
    await asyncio.sleep(0)

    await worker.stop()

    with pytest.raises(DendriteProtocolError, match="stopped while it started"):
        await starting
