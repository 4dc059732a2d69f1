"""Systems measured in turns, so that whatever else the machine does hits all alike."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from cosmonapse.bench.load import Sample

from .run import Run
from .systems.system import Asked

_WARM_UP_S = 0.4


def in_turns(
    callers: Mapping[str, Asked], outstanding: int, run: Run, payload_bytes: int = 100
) -> dict[str, list[Sample]]:
    """Measure callers alternately, each first in its turn; the warm-up is thrown away."""
    seconds = run.options.seconds
    samples: dict[str, list[Sample]] = {name: [] for name in callers}
    for name, caller in callers.items():
        caller.ask("load", outstanding, min(_WARM_UP_S, seconds), payload_bytes)
    order = list(callers)
    for _ in range(run.options.rounds):
        for name in order:
            sample = callers[name].ask("load", outstanding, seconds, payload_bytes)
            samples[name].append(sample)
            run.say(f"{name}, {outstanding} outstanding: {sample.rate:,.0f} calls/s")
        order.append(order.pop(0))
    return samples


def median(samples: list[Sample], field: str) -> float:
    """Return the median of a field over the rounds."""
    return statistics.median(getattr(sample, field) for sample in samples)


def facts_of(samples: Mapping[str, list[Sample]]) -> dict[str, Any]:
    """Return what the rounds of each system came to, and the ratios of ours to the others."""
    facts: dict[str, Any] = {
        name: {
            "calls_per_s": median(taken, "rate"),
            "calls_per_s_rounds": [sample.rate for sample in taken],
            **{
                f"{field}_ms": median(taken, f"{field}_s") * 1000
                for field in ("p50", "p90", "p99", "max")
            },
        }
        for name, taken in samples.items()
    }
    ours = facts["fabric"]["calls_per_s"]
    facts["ratio"] = {name: ours / facts[name]["calls_per_s"] for name in samples}
    del facts["ratio"]["fabric"]
    return facts
