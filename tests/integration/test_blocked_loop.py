"""A Neuron that blocks the loop of its worker is named in the worker's own log."""

import asyncio

import pytest

from support.processes import axon


@pytest.mark.asyncio
async def test_a_blocked_loop_is_one_warning_that_names_the_neuron_the_place_and_the_remedy(
    url, namespace, join, children
):
    worker = children.worker(
        url, namespace, axon("blocks", "stuck"), axon("echo", "echo"), id="worker"
    )
    async with join() as caller:
        asked = asyncio.create_task(caller.ask(neuron="stuck", input={}, timeout_s=60.0))
        await asyncio.to_thread(worker.line, "blocking")
        told = await asyncio.to_thread(worker.says, "blocked the event loop")
        worker.tell("go on")
        await asked
        await caller.ask(neuron="echo", input={})

    assert told
    warnings = [line.text for line in worker.err if "blocked the event loop" in line.text]
    assert len(warnings) == 1
    assert "neuron stuck has blocked the event loop for 5." in warnings[0]
    assert "worker.py:" in warnings[0]
    assert "plain `def`" in warnings[0]
    assert "to_thread" in warnings[0]
