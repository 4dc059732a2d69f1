"""Replicas in processes of their own share the load; capabilities ask for one Axon that has all."""

import asyncio
from collections import Counter

import pytest

from support.processes import axon

TASKS = 100


@pytest.mark.asyncio
async def test_two_workers_of_one_neuron_id_share_the_load_and_run_each_task_once(
    url, namespace, join, children
):
    replicas = [
        children.worker(url, namespace, axon("slow"), id=name, ready=False)
        for name in ("left", "right")
    ]
    for replica in replicas:
        replica.line("ready")
    async with join() as caller:
        replies = await asyncio.gather(
            *(
                caller.dispatch_and_wait(neuron="worker", input={"n": n, "for_s": 0.02})
                for n in range(TASKS)
            )
        )

    shares = Counter(reply.meta["dendrite"] for reply in replies)
    left, right = (
        replica.lines("ran", shares[name])
        for replica, name in zip(replicas, ("left", "right"), strict=True)
    )

    assert [reply.output["n"] for reply in replies] == list(range(TASKS))
    assert sorted(map(int, left + right)) == list(range(TASKS))
    assert min(shares["left"], shares["right"]) >= TASKS // 4


@pytest.mark.asyncio
async def test_a_slow_replica_gets_fewer_tasks_than_a_quick_one(url, namespace, join, children):
    busy = children.worker(url, namespace, axon("gated"), id="busy")
    async with join() as caller:
        stuck = [
            asyncio.create_task(caller.ask(neuron="worker", input={"n": n})) for n in range(10)
        ]
        await asyncio.to_thread(busy.line, "holding 9")
        children.worker(url, namespace, axon(), id="free")
        replies = [await caller.dispatch_and_wait(neuron="worker", input={}) for _ in range(20)]
        busy.tell("go")
        await asyncio.gather(*stuck)

    assert {reply.meta["dendrite"] for reply in replies} == {"free"}


@pytest.mark.asyncio
async def test_a_task_for_two_capabilities_goes_to_an_axon_that_offers_both(
    url, namespace, join, children
):
    children.worker(
        url,
        namespace,
        axon("slow", "reader", ["read"]),
        axon("slow", "writer", ["write"]),
        axon("echo", "both", ["read", "write", "more"]),
    )
    async with join() as caller:
        replies = [
            await caller.dispatch_and_wait(capabilities=["write", "read"], input={"n": n})
            for n in range(10)
        ]

    assert {reply.directed.id for reply in replies} == {"both"}


@pytest.mark.asyncio
async def test_an_axon_that_offers_one_of_two_capabilities_gets_nothing(
    url, namespace, join, children
):
    worker = children.worker(
        url, namespace, axon("slow", "reader", ["read"]), axon("slow", "writer", ["write"])
    )
    async with join() as caller:
        replies = [
            await caller.dispatch_and_wait(
                capabilities=["read", "write"], input={"n": n, "for_s": 0}
            )
            for n in range(10)
        ]
        await caller.ask(capabilities=["read"], input={"n": 10, "for_s": 0})

    assert {reply.payload["code"] for reply in replies} == {"NO_CAPABLE_NEURON"}
    assert worker.lines("ran", 1) == ["10"]


@pytest.mark.asyncio
async def test_what_a_full_worker_cannot_queue_is_overloaded(url, namespace, join, children):
    worker = children.worker(url, namespace, axon("gated", concurrency=1, max_queued=1))
    async with join() as caller:
        first, second = (
            asyncio.create_task(caller.ask(neuron="worker", input={"n": n})) for n in range(2)
        )
        await asyncio.to_thread(worker.line, "holding 0")

        refused = await caller.dispatch_and_wait(neuron="worker", input={"n": 2})
        worker.tell("go")
        await asyncio.gather(first, second)

    assert refused.payload["code"] == "OVERLOADED"
    assert refused.payload["recoverable"] is True
    assert worker.lines("holding", 2) == ["0", "1"]
