"""A worker that dies with tasks in hand: its callers are told within a second."""

import asyncio
import time

import pytest

from cosmonapse import RetryStrategy
from support.processes import axon, measured, until
from support.rude import LimitedSynapse
from support.watching import kept

TOLD_S = 1.0
MANY = 600


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
async def test_each_of_many_losses_at_once_is_told_also_where_few_messages_may_wait(
    namespace, join, children
):
    synapse = LimitedSynapse(children, high_water=20)
    held = axon("held", concurrency=MANY)
    worker = children.worker(synapse.url, namespace, held)
    async with join(url=synapse.url) as caller:
        asked = []
        for n in range(MANY):
            asked.append(
                asyncio.create_task(caller.dispatch_and_wait(neuron="worker", input={"n": n}))
            )
            if n % 100 == 99:
                await asyncio.to_thread(worker.line, f"holding {n}")
        worker.kill()
        killed_at_s = time.perf_counter()
        replies = await asyncio.gather(*asked)
        told_s = time.perf_counter() - killed_at_s
        counts = synapse.counts

    measured(f"{MANY:,} told of the lost worker", told_s)
    assert {reply.payload["code"] for reply in replies} == {"WORKER_LOST"}
    assert told_s <= 2 * TOLD_S
    assert counts["lost.worker_lost"] == MANY
    assert "drop.lost_receiver_busy" not in counts


@pytest.mark.asyncio
async def test_with_retry_the_task_of_a_killed_worker_moves_to_another_replica(
    url, namespace, join, children
):
    dying = children.worker(url, namespace, axon("held"), id="dying")
    told = []
    retry = RetryStrategy(on_retry=lambda attempt, outcome, pause_s: told.append(outcome.payload))
    async with join() as caller:
        asked = asyncio.create_task(
            caller.dispatch_and_wait(neuron="worker", input={"n": 1}, retry=retry)
        )
        await asyncio.to_thread(dying.line, "holding 1")
        children.worker(url, namespace, axon("echo"), id="living")
        dying.kill()
        reply = await asked

    assert [payload["code"] for payload in told] == ["WORKER_LOST"]
    assert reply.meta["dendrite"] == "living"
    assert reply.output["echo"] == {"n": 1}


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
