"""One Dendrite for each process: started by whoever comes first, and again after a failure."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cosmonapse import Axon, BlockingDendrite, NeuronError, SynapseUnreachable
from cosmonapse.edge.outcomes import trace_of
from cosmonapse.edge.per_process import PerProcess


class Making:
    """Makes Dendrites on a Synapse in memory, and counts them.

    Attributes:
        fails: How many of them cannot be started.
    """

    def __init__(self):
        self.made, self.fails = [], 0
        self.started = threading.Event()

    def __call__(self):
        if self.fails:
            self.fails -= 1
            raise SynapseUnreachable("cosmo://nowhere:1", "nobody listens", "start one")
        axons = [Axon(neuron_id=each.__name__, neuron_fn=each) for each in (echo, self.held)]
        self.made.append(BlockingDendrite("memory://per-process", axons=axons))
        return self.made[-1]

    async def held(self, input, context):
        self.started.set()
        await asyncio.Event().wait()


async def echo(input, context):
    return {"echo": input}


@pytest.fixture
def making():
    return Making()


@pytest.fixture
def mine(making):
    per_process = PerProcess(making)
    yield per_process
    per_process.stop()


def test_many_that_come_at_once_start_one(mine, making):
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: mine.get(), range(8)))

    assert set(got) == set(making.made)
    assert len(making.made) == 1


def test_a_start_that_failed_is_tried_again_by_the_next(mine, making):
    making.fails = 1

    with pytest.raises(SynapseUnreachable):
        mine.get()

    assert mine.get().ask(neuron="echo", input=1) == {"echo": 1}


def test_after_stop_the_next_one_starts_another(mine, making):
    first = mine.get()
    mine.stop()

    assert mine.get() is not first


def test_an_answer_that_nobody_waits_for_is_cancelled(mine, making):
    with pytest.raises(NeuronError, match="CANCELLED") as caught:
        mine.ask(making.started.is_set, {"neuron": "held", "input": {}})

    assert trace_of(caught.value).startswith("trc_")


def test_a_failure_knows_the_trace_that_was_asked_for(mine, making):
    with pytest.raises(ValueError, match="neuron= or capabilities=") as caught:
        mine.stream({"input": {}})

    assert trace_of(caught.value).startswith("trc_")
