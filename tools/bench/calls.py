"""Calls per second and how long one takes, side by side in the same minutes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from cosmonapse.bench.figures import Plot, Report, Table, spread
from cosmonapse.bench.load import Sample

from .run import Run
from .systems.system import System
from .turns import facts_of, in_turns, median

OUTSTANDING = (1, 16, 256)
_PLACES = tuple(map(str, OUTSTANDING))

Levels = Mapping[int, Mapping[str, list[Sample]]]


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return len(OUTSTANDING) * run.options.rounds * len(_systems(run))


def measure(run: Run) -> Report:
    """Measure all systems in turns, at each number of outstanding calls."""
    systems = _systems(run)
    with ExitStack() as stack:
        callers = {
            name: stack.enter_context(system.calls(1))[0]
            for name, system in systems.items()
            if system.calls is not None
        }
        levels = {outstanding: in_turns(callers, outstanding, run) for outstanding in OUTSTANDING}
    facts = {str(outstanding): facts_of(samples) for outstanding, samples in levels.items()}
    labels = {name: system.label for name, system in systems.items()}
    tables = (_rates(levels, labels), _ratios(facts, labels), _latencies(levels, labels))
    limits = frozenset(system.label for system in systems.values() if system.is_limit)
    plots = (
        _plot("calls", "Calls answered", "calls/s", facts, labels, limits, "calls_per_s"),
        _plot("latency", "p99 of a call", "ms", facts, labels, limits, "p99_ms"),
    )
    return Report(tables, facts, plots)


def _systems(run: Run) -> dict[str, System]:
    return {system.name: system for system in run.systems if system.calls is not None}


def _rates(levels: Levels, labels: Mapping[str, str]) -> Table:
    head = ("calls/s", *(f"{level} outstanding" for level in levels))
    rows = [
        (label, *(spread([each.rate for each in at[name]]) for at in levels.values()))
        for name, label in labels.items()
    ]
    return Table("calls: median (least to most) of the rounds", head, rows)


def _ratios(facts: Mapping[str, Any], labels: Mapping[str, str]) -> Table:
    head = ("cosmonapse against", *(f"{level} outstanding" for level in facts))
    rows = [
        (label, *(f"{at['ratio'][name]:.2f}" for at in facts.values()))
        for name, label in labels.items()
        if name != "fabric"
    ]
    return Table("ratio: calls/s of ours to those of others, of the medians", head, rows)


def _latencies(levels: Levels, labels: Mapping[str, str]) -> Table:
    head = ("ms: p50 / p90 / p99 / max", *(f"{level} outstanding" for level in levels))
    rows = [
        (label, *(_latency(at[name]) for at in levels.values())) for name, label in labels.items()
    ]
    return Table("latency: medians of the rounds", head, rows)


def _latency(samples: list[Sample]) -> str:
    times_s = (median(samples, field) for field in ("p50_s", "p90_s", "p99_s", "max_s"))
    return " / ".join(f"{time_s * 1000:.2f}" for time_s in times_s)


def _plot(
    name: str,
    title: str,
    unit: str,
    facts: Mapping[str, Any],
    labels: Mapping[str, str],
    limits: frozenset[str],
    field: str,
) -> Plot:
    series = {
        label: [at[system][field] for at in facts.values()] for system, label in labels.items()
    }
    return Plot(name, title, "calls outstanding", unit, _PLACES, series, limits)
