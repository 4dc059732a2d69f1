"""The cost of metrics: a call with them and without, side by side in the same minutes."""

from __future__ import annotations

from contextlib import ExitStack

from cosmonapse.bench.figures import Report

from .calls import OUTSTANDING, costs_at, one_pair
from .run import Run
from .side_by_side import compared, start_all
from .systems import metered, ours

_SYSTEMS = (ours.SYSTEM, metered.SYSTEM)


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return len(OUTSTANDING) * run.options.rounds * len(_SYSTEMS)


def measure(run: Run) -> Report:
    """Measure both in turns, at each number of outstanding calls."""
    with ExitStack() as stack:
        started = start_all(stack, _SYSTEMS, one_pair)
        costs = {str(level): costs_at(run, started, level) for level in OUTSTANDING}
    found = compared(
        _SYSTEMS, costs, "calls/s", lambda taken: taken.rate, lambda taken: taken.calls
    )
    tables = found.tables("metrics: median (least to most) of the rounds", "outstanding")
    plot = found.plot("metrics", "Calls answered, with metrics and without", "calls outstanding")
    return Report(tuple(tables), found.facts(), (plot,))
