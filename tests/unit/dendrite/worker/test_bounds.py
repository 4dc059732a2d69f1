"""How many tasks run at once, how many may wait, and in which order."""

import asyncio
import threading

import pytest

from cosmonapse import Axon
from support.processes import TIMEOUT_S, until

pytestmark = pytest.mark.asyncio


class Gate:
    """A Neuron that keeps its tasks until they are let go; knows how many run at once."""

    def __init__(self):
        self.ran = []
        self.running = self.most = 0
        self._open = asyncio.Event()

    async def __call__(self, input, context):
        self.ran.append(input)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self._open.wait()
        finally:
            self.running -= 1
        return input

    def open(self):
        self._open.set()


@pytest.fixture
def gate():
    return Gate()


def asked_of(caller, inputs):
    """Send a task for each input; return what waits for the replies."""
    return [
        asyncio.create_task(caller.dispatch_and_wait(neuron="worker", input=each))
        for each in inputs
    ]


async def test_at_most_concurrency_tasks_run_at_once_and_all_of_them_run(gate, serve):
    caller = await serve(gate, concurrency=3)
    asked = asked_of(caller, range(10))
    await until(lambda: gate.running == 3)
    gate.open()

    replies = await asyncio.gather(*asked)

    assert gate.most == 3
    assert [reply.output["value"] for reply in replies] == list(range(10))


async def test_what_waits_runs_in_the_order_in_which_it_came(gate, serve):
    caller = await serve(gate, concurrency=1)
    asked = asked_of(caller, range(50))
    gate.open()

    await asyncio.gather(*asked)

    assert gate.ran == list(range(50))


async def test_one_over_what_may_run_and_wait_is_overloaded_and_may_try_again(gate, serve):
    caller = await serve(gate, concurrency=1, max_queued=2)
    asked = asked_of(caller, range(4))

    refused = await asked[3]
    gate.open()
    replies = await asyncio.gather(*asked[:3])

    assert refused.payload["code"] == "OVERLOADED"
    assert refused.payload["recoverable"] is True
    assert "1 tasks run and 2 wait" in refused.payload["message"]
    assert [reply.output["value"] for reply in replies] == [0, 1, 2]
    assert (await caller.ask(neuron="worker", input=4)) == {"value": 4}


async def test_without_a_queue_a_second_task_is_refused_and_nothing_of_it_runs(gate, serve):
    caller = await serve(gate, concurrency=1, max_queued=0)
    asked = asked_of(caller, "ab")

    refused = await asked[1]
    gate.open()
    await asked[0]

    assert refused.payload["code"] == "OVERLOADED"
    assert gate.ran == ["a"]


async def test_axons_of_one_dendrite_have_bounds_of_their_own(gate, join):
    other = Gate()
    other.open()
    full = Axon(neuron_id="full", neuron_fn=gate, concurrency=1, max_queued=0)
    worker = join(full, Axon(neuron_id="free", neuron_fn=other))
    await worker.start()
    busy = asyncio.create_task(worker.ask(neuron="full", input=0))
    await until(lambda: gate.running == 1)

    assert (await worker.ask(neuron="free", input=1)) == {"value": 1}
    gate.open()
    assert (await busy) == {"value": 0}


async def test_a_task_that_failed_makes_room_for_the_next(serve):
    async def fails(input, context):
        raise ValueError(input)

    caller = await serve(fails, concurrency=1)
    replies = await asyncio.gather(*asked_of(caller, range(5)))

    assert [each.payload["message"] for each in replies] == [f"ValueError: {n}" for n in range(5)]


async def test_a_cancelled_task_makes_room_for_the_next(gate, serve):
    caller = await serve(gate, concurrency=1)
    first, second = asked_of(caller, "ab")
    await until(lambda: gate.ran == ["a"])

    first.cancel()
    await until(lambda: gate.ran == ["a", "b"])
    gate.open()

    assert (await second).output == {"value": "b"}
    assert first.cancelled()


async def test_a_queued_task_that_is_cancelled_never_runs(gate, serve):
    caller = await serve(gate, concurrency=1)
    asked = asked_of(caller, "abc")
    await until(lambda: gate.ran == ["a"])

    asked[1].cancel()
    await asyncio.wait([asked[1]])
    gate.open()
    await asked[2]

    assert gate.ran == ["a", "c"]


async def test_a_queued_task_whose_time_is_over_never_runs(gate, serve):
    caller = await serve(gate, concurrency=1)
    first = asked_of(caller, "a")[0]
    await until(lambda: gate.ran == ["a"])

    with pytest.raises(TimeoutError, match=r"'worker'.*0\.05 s"):
        await caller.dispatch_and_wait(neuron="worker", input="b", timeout_s=0.05)
    gate.open()
    await first

    assert (await caller.ask(neuron="worker", input="c")) == {"value": "c"}
    assert gate.ran == ["a", "c"]


async def test_a_thread_that_is_not_free_yet_makes_the_next_one_wait(serve):
    release, ran = threading.Event(), []

    def blocks(input, context):
        ran.append(input)
        release.wait(TIMEOUT_S)
        return input

    caller = await serve(blocks, concurrency=1)
    first, second = asked_of(caller, "ab")
    await until(lambda: ran == ["a"])
    first.cancel()
    await asyncio.wait([first])
    release.set()

    assert (await second).output == {"value": "b"}
    assert ran == ["a", "b"]
