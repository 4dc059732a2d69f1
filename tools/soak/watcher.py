"""A watcher process: `python -m tools.soak.watcher NAME URL LOG [SLOW_S]`.

It looks at every output and every thought, each for SLOW_S seconds, and writes down each new state
of a worker that the roster shows. It prints `ready`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

from cosmonapse import Dendrite, Signal, SynapseUnreachable, connect_synapse

from .log import Log
from .observed import Observed
from .sampling import count_tasks
from .worker import NAMESPACE

_STATES_EVERY_S = 0.25


async def note_states(dendrite: Dendrite, log: Log) -> None:
    """Write down each new state of a worker. Never returns."""
    known: dict[str, str] = {}
    while True:
        with contextlib.suppress(SynapseUnreachable):  # it is away, as it is to be now and then
            for record in await dendrite.registry_snapshot():
                if known.get(record.dendrite_id) != record.state:
                    known[record.dendrite_id] = record.state
                    log.write("state", worker=record.dendrite_id, state=record.state)
        await asyncio.sleep(_STATES_EVERY_S)


async def main(name: str, url: str, path: str, slow_s: str = "0") -> None:
    """Watch until SIGTERM."""
    log = Log(Path(path), name)
    observed = Observed(log)
    dendrite = Dendrite(synapse=await connect_synapse(url), namespace=NAMESPACE, dendrite_id=name)
    seen = 0

    @dendrite.on_agent_output
    @dendrite.on_thought_delta
    async def poll_soon(signal: Signal) -> None:
        nonlocal seen
        seen += 1
        if float(slow_s):
            await asyncio.sleep(float(slow_s))

    counting = asyncio.create_task(count_tasks(log), name="count tasks")
    await dendrite.start()
    asking = asyncio.create_task(note_states(dendrite, log), name="note states")
    async with observed.of(dendrite):
        print("ready", flush=True)
        await dendrite.serve()
    counting.cancel()
    asking.cancel()
    log.write("counts", counts={**dendrite.counts, "seen": seen})


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
