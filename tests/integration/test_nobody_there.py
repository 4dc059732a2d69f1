"""A TASK to nobody is told at once; whoever comes later is found."""

import statistics
import time

import pytest

from support.processes import axon, measured

QUICK_S = 0.05


@pytest.mark.asyncio
async def test_a_worker_started_after_the_caller_is_found(url, namespace, join, children):
    async with join() as caller:
        before = await caller.dispatch_and_wait(neuron="worker", input={})
        children.worker(url, namespace, axon())

        after = await caller.dispatch_and_wait(neuron="worker", input={"n": 1})

    assert before.payload["code"] == "NO_SUCH_NEURON"
    assert after.output["echo"] == {"n": 1}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("target", "code"),
    [
        ({"neuron": "nobody"}, "NO_SUCH_NEURON"),
        ({"capabilities": ["flying", "diving"]}, "NO_CAPABLE_NEURON"),
    ],
)
async def test_a_task_to_nobody_is_an_error_at_once(target, code, join):
    took_s = []
    async with join() as caller:
        for _ in range(15):
            asked_at_s = time.perf_counter()
            reply = await caller.dispatch_and_wait(**target, input={})
            took_s.append(time.perf_counter() - asked_at_s)

            assert reply.payload["code"] == code
            assert reply.payload["recoverable"] is True
            assert all(name in reply.payload["message"] for name in target.get("capabilities", ()))

    measured(f"{code}, median of 15", statistics.median(took_s))
    assert statistics.median(took_s) < QUICK_S


@pytest.mark.asyncio
async def test_a_neuron_whose_worker_took_leave_is_nobody_at_once(url, namespace, join, children):
    worker = children.worker(url, namespace, axon())
    async with join() as caller:
        await caller.ask(neuron="worker", input={})
        worker.send(15)
        worker.wait()

        reply = await caller.dispatch_and_wait(neuron="worker", input={})

    assert reply.payload["code"] == "NO_SUCH_NEURON"
