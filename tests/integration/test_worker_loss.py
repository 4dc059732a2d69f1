"""A worker that dies with tasks in hand: its callers are told within a second."""

import asyncio
import time

import pytest

from support.processes import axon, measured, until
from support.watching import kept

TOLD_S = 1.0


@pytest.mark.asyncio
async def test_callers_of_a_killed_worker_get_worker_lost_within_a_second(
    url, namespace, join, children
):
    worker = children.worker(url, namespace, axon("held"))
    async with join() as caller:
        asked = [
            asyncio.create_task(caller.dispatch_and_wait(neuron="worker", input={"n": n}))
            for n in range(20)
        ]
        await asyncio.to_thread(worker.line, "holding 19")
        worker.kill()
        killed_at_s = time.perf_counter()
        replies = await asyncio.gather(*asked)
        told_s = time.perf_counter() - killed_at_s
        nobody = await caller.dispatch_and_wait(neuron="worker", input={})

    measured("told of the lost worker", told_s)
    assert {reply.payload["code"] for reply in replies} == {"WORKER_LOST"}
    assert {reply.payload["recoverable"] for reply in replies} == {True}
    assert told_s <= TOLD_S
    assert nobody.payload["code"] == "NO_SUCH_NEURON"


@pytest.mark.asyncio
async def test_the_other_replica_keeps_its_tasks_and_gets_the_new_ones(
    url, namespace, join, children
):
    dying = children.worker(url, namespace, axon("gated"), id="dying")
    async with join() as caller:
        lost = asyncio.create_task(caller.dispatch_and_wait(neuron="worker", input={"n": 1}))
        await asyncio.to_thread(dying.line, "holding 1")
        living = children.worker(url, namespace, axon("gated"), id="living")
        safe = asyncio.create_task(caller.dispatch_and_wait(neuron="worker", input={"n": 2}))
        await asyncio.to_thread(living.line, "holding 2")
        dying.kill()
        error = await lost
        living.tell("go")
        kept_reply = await safe
        next_reply = await caller.dispatch_and_wait(neuron="worker", input={"n": 3})

    assert error.payload["code"] == "WORKER_LOST"
    assert kept_reply.output == {"n": 2}
    assert next_reply.meta["dendrite"] == "living"


@pytest.mark.asyncio
async def test_a_bystander_sees_the_error_of_a_lost_task(url, namespace, join, children):
    worker = children.worker(url, namespace, axon("held"))
    watcher = join("watcher")
    errors = kept(watcher.on_error_signal(neuron="worker"))
    async with watcher, join("caller") as caller:
        asked = asyncio.create_task(caller.dispatch_and_wait(neuron="worker", input={"n": 1}))
        await asyncio.to_thread(worker.line, "holding 1")
        worker.kill()
        error = await asked
        await until(lambda: errors)

    assert [sig.id for sig in errors] == [error.id]
