"""Calls per second and how long one takes, side by side in the same minutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import MappingProxyType
from typing import Any

from cosmonapse.bench.figures import Plot, Report, Table
from cosmonapse.bench.load import Sample, median

from .compared import Compared, limits
from .cpu_time import Cost
from .run import Run
from .side_by_side import Started, compared, in_rounds, start_all
from .systems.system import Asked, Running, System

OUTSTANDING = (1, 16, 256)
_TIMES = ("p50", "p90", "p99", "max")

_PAYLOAD_BYTES = 100
_PLACES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {str(level): (level, _PAYLOAD_BYTES) for level in OUTSTANDING}
)
_WARM_UP_S = 0.4


def _systems(run: Run) -> list[System]:
    return [system for system in run.systems if system.calls is not None]


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return len(OUTSTANDING) * run.options.rounds * len(_systems(run))


def measure(run: Run) -> Report:
    """Measure all systems in turns, at each number of outstanding calls."""
    systems = _systems(run)
    calls, facts = measured(run, systems)
    tables = calls.tables("calls: median (least to most) of the rounds", "outstanding")
    plots = (
        calls.plot("calls", "Calls answered", "calls outstanding"),
        _latency_plot(systems, facts),
    )
    return Report((*tables, _latencies(systems, facts)), facts, plots)


def measured(
    run: Run, systems: Sequence[System], places: Mapping[str, tuple[int, int]] = _PLACES
) -> tuple[Compared, dict[str, Any]]:
    """Measure the calls of systems in turns; return the comparison, and its facts with the times.

    Args:
        run: Of the bench.
        systems: Each has calls.
        places: By caption: how many calls are outstanding, and the bytes of each.
    """
    with ExitStack() as stack:
        started = start_all(stack, systems, one_pair)
        costs = {name: costs_at(run, started, *place) for name, place in places.items()}
    calls = compared(systems, costs, "calls/s", lambda taken: taken.rate, lambda taken: taken.calls)
    facts = calls.facts()
    for place, at in costs.items():
        for name, taken in at.items():
            samples = [cost.result for cost in taken]
            facts[place][name] |= {f"{time}_ms": _median_ms(samples, time) for time in _TIMES}
    return calls, facts


def one_pair(system: System) -> Running:
    """Start a caller and a worker of a system."""
    assert system.calls is not None
    return system.calls(1)


def costs_at(
    run: Run, started: Mapping[str, Started], outstanding: int, payload_bytes: int = _PAYLOAD_BYTES
) -> dict[str, list[Cost[Sample]]]:
    """Measure the calls of all systems in turns, with so many outstanding."""

    def load(asked: Sequence[Asked], seconds: float) -> Sample:
        sample: Sample = asked[0].ask("load", outstanding, seconds, payload_bytes)
        return sample

    length_s = run.options.seconds
    size = "" if payload_bytes == _PAYLOAD_BYTES else f", {payload_bytes:,} B"
    return in_rounds(
        run,
        started,
        lambda asked: load(asked, length_s),
        lambda name, taken: f"{name}, {outstanding} outstanding{size}: {taken.rate:,.0f} calls/s",
        lambda asked: load(asked, min(_WARM_UP_S, length_s / 2)),
    )


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
