"""Calls per second on `memory://`: Synapse, worker and caller in one event loop."""

from __future__ import annotations

import asyncio
import statistics
from typing import Any

from cosmonapse import Axon, Dendrite, MemorySynapse
from cosmonapse.bench.figures import Plot, Report, Table, spread
from cosmonapse.bench.load import Sample, drive

from .run import Run

_OUTSTANDING = (1, 16, 256)


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return len(_OUTSTANDING)


def measure(run: Run) -> Report:
    """Measure each number of outstanding calls, one after the other."""
    levels = asyncio.run(_measure(run))
    rows, facts = [], {}
    for outstanding, samples in levels.items():
        rates = [sample.rate for sample in samples]
        p50_ms, p99_ms = (
            statistics.median(getattr(sample, field) for sample in samples) * 1000
            for field in ("p50_s", "p99_s")
        )
        rows.append((str(outstanding), spread(rates), f"{p50_ms:.2f} / {p99_ms:.2f}"))
        facts[str(outstanding)] = {
            "calls_per_s": statistics.median(rates),
            "p50_ms": p50_ms,
            "p99_ms": p99_ms,
        }
    caption = "in_process: calls on memory://, all in one event loop"
    table = Table(caption, ("outstanding", "calls/s", "p50 / p99 ms"), rows)
    series = {"memory://": [found["calls_per_s"] for found in facts.values()]}
    title = "Calls in one event loop"
    plot = Plot("in_process", title, "calls outstanding", "calls/s", list(facts), series)
    return Report((table,), facts, (plot,))


async def _measure(run: Run) -> dict[int, list[Sample]]:
    async def echo(given: Any, context: Any) -> Any:
        return given

    synapse = MemorySynapse()
    worker = Dendrite(synapse=synapse, dendrite_id="worker")
    worker.attach_axon(Axon(neuron_id="echo", neuron_fn=echo, concurrency=1024))
    levels: dict[int, list[Sample]] = {}
    async with worker, Dendrite(synapse=synapse, dendrite_id="caller") as caller:

        async def call(given: dict[str, Any]) -> None:
            await caller.ask(neuron="echo", input=given)

        for outstanding in _OUTSTANDING:
            levels[outstanding] = []
            for _ in range(run.options.rounds):
                sample = await drive(call, outstanding, run.options.seconds / 2)
                levels[outstanding].append(sample)
            run.say(f"{outstanding} outstanding on memory://: {sample.rate:,.0f} calls/s")
    return levels
