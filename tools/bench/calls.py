"""Calls per second and how long one takes, beside the plain baseline in the same minutes."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

from . import fabric, plain
from .children import Child
from .figures import Options, Report, Table, spread
from .load import Sample

OUTSTANDING = (1, 16, 256)
_WARM_UP_S = 0.5


def run(options: Options, say: Callable[[str], None]) -> Report:
    """Measure both systems in turns, at each number of outstanding calls."""
    with fabric.running() as ours, plain.running() as theirs:
        callers = {"fabric": ours.caller, "plain": theirs}
        levels = {
            outstanding: in_turns(callers, outstanding, options, say) for outstanding in OUTSTANDING
        }
    rows = [_row(outstanding, samples) for outstanding, samples in levels.items()]
    head = ("outstanding", "calls/s", "plain", "ratio", "p50 / p99 ms", "plain")
    facts = {str(outstanding): _facts(samples) for outstanding, samples in levels.items()}
    return Report(Table("calls: median (least to most) of the rounds", head, rows), facts)


def in_turns(
    callers: dict[str, Child], outstanding: int, options: Options, say: Callable[[str], None]
) -> dict[str, list[Sample]]:
    """Measure callers alternately; who is first alternates too."""
    samples: dict[str, list[Sample]] = {name: [] for name in callers}
    for child in callers.values():
        child.ask("load", outstanding, min(_WARM_UP_S, options.seconds))
    order = list(callers)
    for turn in range(options.rounds):
        for name in order:
            sample = callers[name].ask("load", outstanding, options.seconds)
            samples[name].append(sample)
            say(f"{outstanding} outstanding, round {turn + 1}, {name}: {sample.rate:,.0f} calls/s")
        order.reverse()
    return samples


def _row(outstanding: int, samples: dict[str, list[Sample]]) -> tuple[str, ...]:
    rates = {name: [sample.rate for sample in taken] for name, taken in samples.items()}
    ratio = statistics.median(rates["fabric"]) / statistics.median(rates["plain"])
    return (
        str(outstanding),
        spread(rates["fabric"]),
        spread(rates["plain"]),
        f"{ratio:.2f}",
        _latency(samples["fabric"]),
        _latency(samples["plain"]),
    )


def _latency(samples: list[Sample]) -> str:
    p50_s, p99_s = _median(samples, "p50_s"), _median(samples, "p99_s")
    return f"{p50_s * 1000:.2f} / {p99_s * 1000:.2f}"


def _median(samples: list[Sample], field: str) -> float:
    return statistics.median(getattr(sample, field) for sample in samples)


def _facts(samples: dict[str, list[Sample]]) -> dict[str, Any]:
    facts: dict[str, Any] = {
        name: {
            "calls_per_s": _median(taken, "rate"),
            "calls_per_s_rounds": [sample.rate for sample in taken],
            "p50_ms": _median(taken, "p50_s") * 1000,
            "p99_ms": _median(taken, "p99_s") * 1000,
        }
        for name, taken in samples.items()
    }
    facts["ratio"] = facts["fabric"]["calls_per_s"] / facts["plain"]["calls_per_s"]
    return facts
