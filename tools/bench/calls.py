"""Calls per second and how long one takes, side by side in the same minutes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from cosmonapse.bench.figures import Plot, Report, Table
from cosmonapse.bench.load import Sample, median

from .compared import Compared, limits
from .run import Run
from .systems.system import System
from .turns import in_turns

OUTSTANDING = (1, 16, 256)
_TIMES = ("p50", "p90", "p99", "max")

Levels = Mapping[str, Mapping[str, list[Sample]]]


def _systems(run: Run) -> list[System]:
    return [system for system in run.systems if system.calls is not None]


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return len(OUTSTANDING) * run.options.rounds * len(_systems(run))


def measure(run: Run) -> Report:
    """Measure all systems in turns, at each number of outstanding calls."""
    systems = _systems(run)
    with ExitStack() as stack:
        callers = {
            system.name: stack.enter_context(system.calls(1))[0]
            for system in systems
            if system.calls is not None
        }
        levels = {str(level): in_turns(callers, level, run) for level in OUTSTANDING}
    rates = {
        place: {name: [sample.rate for sample in taken] for name, taken in at.items()}
        for place, at in levels.items()
    }
    compared = Compared(systems, list(levels), rates, "calls/s")
    facts = compared.facts()
    for place, at in levels.items():
        for name, taken in at.items():
            facts[place][name] |= {f"{time}_ms": _median_ms(taken, time) for time in _TIMES}
    tables = compared.tables("calls: median (least to most) of the rounds", "outstanding")
    plots = (
        compared.plot("calls", "Calls answered", "calls outstanding"),
        _latency_plot(systems, facts),
    )
    return Report((*tables, _latencies(systems, facts)), facts, plots)


def _median_ms(samples: list[Sample], time: str) -> float:
    return median(samples, f"{time}_s") * 1000


def _latencies(systems: list[System], facts: dict[str, Any]) -> Table:
    head = (f"ms: {' / '.join(_TIMES)}", *(f"{level} outstanding" for level in facts))
    rows = [
        (system.label, *(_latency(at[system.name]) for at in facts.values())) for system in systems
    ]
    return Table("latency: medians of the rounds", head, rows)


def _latency(facts: dict[str, float]) -> str:
    return " / ".join(f"{facts[f'{time}_ms']:.2f}" for time in _TIMES)


def _latency_plot(systems: list[System], facts: dict[str, Any]) -> Plot:
    series = {
        system.label: [at[system.name]["p99_ms"] for at in facts.values()] for system in systems
    }
    title = "The slowest of a hundred calls (p99)"
    return Plot("latency", title, "calls outstanding", "ms", list(facts), series, limits(systems))
