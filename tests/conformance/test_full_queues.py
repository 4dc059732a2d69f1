"""A caller whose queue is full is told of every end of its tasks, later."""

import asyncio

import pytest

from conformance.transports import TRANSPORTS
from cosmonapse import Axon
from support.processes import until

pytestmark = pytest.mark.asyncio
HIGH_WATER = 40
TASKS = 200
LARGE = bytes(150_000)


@pytest.fixture(params=TRANSPORTS)
def fabric(request):
    """A Synapse of one transport where few messages may wait for one Dendrite."""
    narrow = TRANSPORTS[request.param](high_water=HIGH_WATER)
    yield narrow
    narrow.stop()


class Gated:
    """A Neuron that answers at length once it is let go."""

    def __init__(self):
        self.running, self.release = 0, asyncio.Event()

    async def __call__(self, input, context):
        self.running += 1
        await self.release.wait()
        return {"n": input["n"], "data": LARGE}

    def axon(self):
        return Axon(neuron_id="gated", neuron_fn=self, concurrency=TASKS)


async def test_last_replies_that_find_no_room_come_when_there_is(join, fabric):
    """P17"""
    gated = Gated()
    with fabric.small_queues():
        caller = join()
        await caller.start()
    async with join(gated.axon()), asyncio.TaskGroup() as group:
        asked = []
        for n in range(TASKS):
            asked.append(group.create_task(caller.ask(neuron="gated", input={"n": n})))
            if n % 10 == 9:
                await until(lambda begun=n + 1: gated.running == begun)
        with fabric.deaf(caller._transport):
            gated.release.set()
            await until(lambda: fabric.count("later.reply"), what="a reply that waits")

    assert [each.result()["n"] for each in asked] == list(range(TASKS))
    assert gated.running == TASKS
    assert caller.counts.get("drop.late_reply", 0) == 0


async def test_bounces_that_find_no_room_come_when_there_is(enter, fabric):
    """P14"""
    caller = await enter()

    tasks = [caller.ask("nobody") for _ in range(20 * HIGH_WATER)]
    bounced = await caller.seen("on_bounce", len(tasks))

    assert sorted(each.task for each in bounced) == sorted(tasks)
    assert {each.reason for each in bounced} == {"no_route"}


async def test_every_loss_is_told_however_many_come_at_once(enter, fabric):
    """P18"""
    worker, caller = await (await enter()).serve("worker"), await enter()
    tasks = []
    for _ in range(0, 10 * HIGH_WATER, 5):
        tasks += [caller.ask("worker") for _ in range(5)]
        await worker.seen("on_task", len(tasks))

    fabric.vanish(worker.transport)
    lost = await caller.seen("on_lost", len(tasks))

    assert sorted(each.task for each in lost) == sorted(tasks)
    assert {each.reason for each in lost} == {"worker_lost"}
    assert fabric.count("drop.lost_receiver_busy") == 0
