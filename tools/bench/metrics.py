"""The cost of metrics: a call with them and without, side by side in the same minutes."""

from __future__ import annotations

from cosmonapse.bench.figures import Report

from .calls import OUTSTANDING, measured
from .run import Run
from .systems import metered, ours

_SYSTEMS = (ours.SYSTEM, metered.SYSTEM)


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return len(OUTSTANDING) * run.options.rounds * len(_SYSTEMS)


def measure(run: Run) -> Report:
    """Measure both in turns, at each number of outstanding calls."""
    found, facts = measured(run, _SYSTEMS)
    tables = found.tables("metrics: median (least to most) of the rounds", "outstanding")
    plot = found.plot("metrics", "Calls answered, with metrics and without", "calls outstanding")
    return Report(tuple(tables), facts, (plot,))
