"""A caller of the scene: `python -m cosmonapse.demo.scene_caller URL DENDRITE_ID`."""

from __future__ import annotations

import asyncio
import contextlib
import sys

from .. import Dendrite, RetryStrategy, connect_synapse
from ..errors import CosmonapseError, LocalError
from ..runtime.loops import run
from .scene_script import NAMESPACE, Asked, asked_by

MOST_OPEN = 100
"""So many tasks of one kind wait at a time; more are not asked."""


async def _one(dendrite: Dendrite, asked: Asked) -> None:
    retry = RetryStrategy(max_attempts=asked.attempts, backoff=0.5) if asked.attempts > 1 else None
    with contextlib.suppress(CosmonapseError, TimeoutError):  # what fails is what is shown
        await dendrite.dispatch_and_wait(
            neuron=asked.neuron,
            input={"prompt": asked.prompt},
            timeout_s=asked.timeout_s,
            retry=retry,
        )


async def _again_and_again(dendrite: Dendrite, asked: Asked) -> None:
    await asyncio.sleep(asked.first_s)
    async with asyncio.TaskGroup() as group:
        running: set[asyncio.Task[None]] = set()
        while True:
            if len(running) < MOST_OPEN:
                task = group.create_task(_one(dendrite, asked))
                running.add(task)
                task.add_done_callback(running.discard)
            if asked.every_s is None:
                return
            await asyncio.sleep(asked.every_s)


async def call(url: str, dendrite_id: str) -> None:
    """Ask what the script says, until SIGTERM."""
    synapse = await connect_synapse(url)
    async with Dendrite(synapse=synapse, namespace=NAMESPACE, dendrite_id=dendrite_id) as dendrite:
        print(f"ready {dendrite_id}", flush=True)
        asking = [
            asyncio.create_task(_again_and_again(dendrite, asked))
            for asked in asked_by(dendrite_id)
        ]
        await dendrite.serve()
        for each in asking:
            each.cancel()


if __name__ == "__main__":
    try:
        run(call(*sys.argv[1:]))
    except LocalError as error:
        sys.exit(str(error))
