"""What metrics add to the CPU time of a call: with and without, in turns, in one process.

python -m tools.metrics_cost [--turns 60]

Both ends are in this process, so a turn of each takes milliseconds and a busy machine hurts both;
`python -m tools.bench metrics --pin` has three processes and sockets.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from typing import Any

from cosmonapse import Axon, Dendrite, MemorySynapse
from cosmonapse.telemetry.task_statistics import TaskStatistics

OUTSTANDING = (1, 16, 256)
_CALLS = 4096
_INPUT = {"text": "x" * 80}


async def echo(input: Any, context: Any) -> Any:
    """Return the input."""
    return input


async def _turn_us(caller: Dendrite, outstanding: int) -> float:
    """Return the CPU time of one call, in microseconds."""
    each = _CALLS // 4 // outstanding if outstanding == 1 else _CALLS // outstanding

    async def calls() -> None:
        for _ in range(each):
            await caller.dispatch_and_wait(neuron="echo", input=_INPUT)

    begun_s = time.process_time()
    await asyncio.gather(*(calls() for _ in range(outstanding)))
    return (time.process_time() - begun_s) / (each * outstanding) * 1e6


async def measured(outstanding: int, turns: int) -> tuple[float, float]:
    """Return the CPU time of a call without metrics, and what metrics add, in microseconds."""
    synapse, statistics_of_tasks = MemorySynapse(), TaskStatistics()
    worker = Dendrite(synapse=synapse, role="worker")
    worker.attach_axon(Axon(neuron_id="echo", neuron_fn=echo, concurrency=1024, max_queued=100_000))
    without, added = [], []
    async with worker, Dendrite(synapse=synapse) as caller:
        await _turn_us(caller, outstanding)
        for _ in range(turns):
            before = await _turn_us(caller, outstanding)
            for each in (caller, worker):
                each._observers.add(statistics_of_tasks)
            counted = await _turn_us(caller, outstanding)
            for each in (caller, worker):
                each._observers.remove(statistics_of_tasks)
            after = await _turn_us(caller, outstanding)
            without.append(before)
            added.append(counted - (before + after) / 2)
    return statistics.median(without), statistics.median(added)


def main() -> int:
    """Measure, and print a line for each number of outstanding calls."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tools.metrics_cost")
    parser.add_argument("--turns", type=int, default=60)
    turns = parser.parse_args().turns
    for outstanding in OUTSTANDING:
        without, added = asyncio.run(measured(outstanding, turns))
        sys.stdout.write(f"{outstanding} outstanding: {without:.1f} us, metrics {added:+.2f} us\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
