"""A Synapse and the event loops of its users: made before one runs, used on one after the other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ... import Axon, Dendrite, SynapseRefused
from ...transport import Synapse
from .harness import Harness
from .recording import recorded
from .waiting import until


async def repeat(input: Any, context: Any) -> Any:
    """Return the input."""
    return {"echo": input}


def hosting(synapse: Synapse) -> Dendrite:
    """Return a Dendrite with a worker, not yet started."""
    dendrite = Dendrite(synapse=synapse)
    dendrite.attach_axon(Axon(neuron_id="worker", neuron_fn=repeat))
    return dendrite


@pytest.mark.asyncio
async def test_a_namespace_that_is_not_served_fails_the_start_of_a_dendrite(
    exclusive: Harness,
) -> None:
    """P3"""
    with pytest.raises(SynapseRefused, match=r"green.*blue, red"):
        await exclusive.dendrite(synapse=exclusive.synapse(), namespace="green").start()

    async with exclusive.dendrite(synapse=exclusive.synapse(), namespace="blue"):
        pass


def test_a_dendrite_may_be_made_before_the_loop_runs(harness_class: type[Harness]) -> None:
    """P41"""
    harness = harness_class()
    try:
        host, caller = hosting(harness.synapse()), Dendrite(synapse=harness.synapse())
        tasks = recorded(caller.on_task_signal)

        async def main() -> Any:
            async with host, caller:
                output = await caller.ask(neuron="worker", input=1)
                await until(lambda: tasks)
                return output

        assert asyncio.run(main()) == {"echo": 1}
    finally:
        harness.stop()


def test_a_synapse_serves_one_loop_after_the_other(harness_class: type[Harness]) -> None:
    """P41"""

    async def one_call(synapse: Synapse) -> Any:
        async with hosting(synapse), Dendrite(synapse=synapse) as caller:
            return await caller.ask(neuron="worker", input=1)

    harness = harness_class()
    try:
        outputs = [asyncio.run(one_call(harness.synapse())) for _ in range(2)]
    finally:
        harness.stop()

    assert outputs == [{"echo": 1}] * 2
