"""Dendrites on a Synapse in this process, stopped at the end of each test."""

import pytest
import pytest_asyncio

from cosmonapse import Axon, Dendrite, MemorySynapse
from support.joining import joining
from support.loop_time import LoopTime

MAX_SIGNAL_BYTES = 1_000_000  # what is over it is made quickly


@pytest.fixture
def synapse():
    """One Synapse object for all Dendrites of a test."""
    return MemorySynapse(max_signal_bytes=MAX_SIGNAL_BYTES)


@pytest_asyncio.fixture
async def clock():
    """The time of the loop of this test."""
    return LoopTime()


@pytest_asyncio.fixture
async def join(synapse):
    """Make Dendrites that host Axons, not started yet."""
    made = []

    def make(*axons, **settings):
        made.append(Dendrite(**{"synapse": synapse, **settings}))
        for axon in axons:
            made[-1].attach_axon(axon)
        return made[-1]

    yield make
    for dendrite in reversed(made):
        await dendrite.stop(drain_s=0.0)


@pytest.fixture
def serve(join):
    """Start a worker with one Axon, `worker`, and a caller; return the caller."""

    async def make(neuron_fn, **settings):
        axon = Axon(**{"neuron_id": "worker", "neuron_fn": neuron_fn, **settings})
        await join(axon, dendrite_id="worker", role="worker").start()
        return await join(dendrite_id="caller").__aenter__()

    return make


@pytest_asyncio.fixture
async def join_as(rights):
    """Start Dendrites of users, on a Synapse where each has its `rights`."""
    async with joining(MemorySynapse("users", rights=rights)) as join:
        yield join
