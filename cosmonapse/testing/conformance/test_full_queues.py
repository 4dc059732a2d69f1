"""A caller whose queue is full gets every end of its tasks, later."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from ... import Axon
from .harness import Harness
from .joined import Enter, Joiner
from .waiting import until

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.needs("small_queues", "not_reading", "crash", "counts"),
]
HIGH_WATER = 40
TASKS = 200
LARGE = bytes(150_000)


@pytest.fixture
def harness(harness_class: type[Harness]) -> Iterator[Harness]:
    """A Synapse of one transport where few messages may wait for one Dendrite."""
    narrow = harness_class(high_water=HIGH_WATER)
    yield narrow
    narrow.stop()


class Gated:
    """A Neuron that answers at length once it is released."""

    def __init__(self) -> None:
        self.running, self.release = 0, asyncio.Event()

    async def __call__(self, input: Any, context: Any) -> Any:
        """See the class."""
        self.running += 1
        await self.release.wait()
        return {"n": input["n"], "data": LARGE}

    async def runs(self, count: int) -> None:
        """Return when so many tasks run."""
        await until(lambda: self.running == count)

    def axon(self) -> Any:
        """Return an Axon."""
        return Axon(neuron_id="gated", neuron_fn=self, concurrency=TASKS)


async def test_last_replies_that_find_no_room_come_when_there_is(
    join: Joiner, harness: Harness
) -> None:
    """P17"""
    gated = Gated()
    with harness.small_queues():
        caller = join()
        await caller.start()
    async with join(gated.axon()), asyncio.TaskGroup() as group:
        asked = []
        for n in range(TASKS):
            asked.append(group.create_task(caller.ask(neuron="gated", input={"n": n})))
            if n % 10 == 9:
                await gated.runs(n + 1)
        with harness.not_reading(join.transport_of(caller)):
            gated.release.set()
            await until(lambda: harness.counts.get("later.reply", 0), what="a reply that waits")

    assert [each.result()["n"] for each in asked] == list(range(TASKS))
    assert gated.running == TASKS
    # A reply comes twice only if the caller, on a slow machine, asked for it again meanwhile.
    assert caller.counts.get("drop.late_reply", 0) <= caller.counts.get("asked_again", 0)


async def test_bounces_that_find_no_room_come_when_there_is(enter: Enter, harness: Harness) -> None:
    """P14"""
    caller = await enter()

    tasks = [caller.ask("nobody") for _ in range(20 * HIGH_WATER)]
    bounced = await caller.seen("on_bounce", len(tasks))

    assert sorted(each.task for each in bounced) == sorted(tasks)
    assert {each.reason for each in bounced} == {"no_route"}


async def test_every_loss_is_reported_however_many_come_at_once(
    enter: Enter, harness: Harness
) -> None:
    """P18"""
    worker, caller = await (await enter()).serve("worker"), await enter()
    tasks = []
    for _ in range(0, 10 * HIGH_WATER, 5):
        tasks += [caller.ask("worker") for _ in range(5)]
        await worker.seen("on_tasks", len(tasks))

    harness.crash(worker.transport)
    lost = await caller.seen("on_lost", len(tasks))

    assert sorted(each.task for each in lost) == sorted(tasks)
    assert {each.reason for each in lost} == {"worker_lost"}
    assert harness.counts.get("drop.lost_receiver_busy", 0) == 0
