"""Workers that stop under load, one after the other, as in a rolling deployment."""

import asyncio
from collections import Counter

import pytest

from cosmonapse import Axon, Dendrite, SynapseServer, connect_synapse


async def echo(value, context):
    return value


async def started(url):
    worker = Dendrite(synapse=await connect_synapse(url), dendrite_id="worker")
    worker.attach_axon(Axon(neuron_id="echo", neuron_fn=echo))
    await worker.start()
    return worker


@pytest.mark.asyncio
async def test_a_worker_that_stops_under_load_loses_nothing_that_it_was_given():
    outcomes, over = Counter(), asyncio.Event()
    with SynapseServer(port=0) as server:
        workers = [await started(server.url) for _ in range(2)]
        async with Dendrite(synapse=await connect_synapse(server.url)) as caller:

            async def call():
                while not over.is_set():
                    reply = await caller.dispatch_and_wait(neuron="echo", input={})
                    outcomes[reply.payload.get("code", "answered")] += 1

            calls = [asyncio.create_task(call()) for _ in range(64)]
            for turn in range(6):
                await workers[turn % 2].stop("rolling")
                workers[turn % 2] = await started(server.url)
            over.set()
            await asyncio.gather(*calls)
        await asyncio.gather(*(worker.stop() for worker in workers))

    assert outcomes["answered"] > 500
    assert set(outcomes) == {"answered"}
