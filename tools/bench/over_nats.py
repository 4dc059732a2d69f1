"""A call over `nats://`, beside one over `cosmo://` and a request of nats-py, in turns.

The nats-server that carries it is one that nats-py is measured on too. The default carrier of
`cosmo://` is shown beside it; the Synapse with libzmq and without the kernel is the one of which
the study of `nats://` was a measurement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cosmonapse.bench.figures import Report, Table

from .calls import OUTSTANDING, measured
from .run import Run
from .systems import keyed, nats
from .systems.over_nats import OVER_NATS, PURE_LIBZMQ
from .systems.system import System

_OURS = (keyed.DEFAULT, PURE_LIBZMQ)
_THEIRS = (OVER_NATS, nats.WITH_TASKS)


def _systems(run: Run) -> list[System]:
    here = nats.SYSTEM.name in {each.name for each in run.systems} and nats.missing() is None
    return [*_OURS, *(_THEIRS if here else ())]


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return len(OUTSTANDING) * run.options.rounds * len(_systems(run))


def measure(run: Run) -> Report:
    """Measure all in turns, at each number of outstanding calls."""
    systems = _systems(run)
    found, facts = measured(run, systems)
    tables = found.tables("over_nats: calls, median (least to most) of the rounds", "outstanding")
    plot = found.plot("over_nats", "Calls answered over nats:// and cosmo://", "calls outstanding")
    return Report((*tables, _ratios(systems, facts)), facts, (plot,))


def _ratios(systems: Sequence[System], facts: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return the rate over `nats://` as a part of each of the others."""
    others = [each for each in systems if each is not OVER_NATS]
    rows = [
        (each.label, *(_ratio(at, each) for at in facts.values()))
        for each in others
        if OVER_NATS in systems
    ]
    return Table("rate of nats:// against", ("", *facts), rows)


def _ratio(at: Mapping[str, Any], other: System) -> str:
    return f"{at[OVER_NATS.name]['calls_per_s'] / at[other.name]['calls_per_s']:.2f}"
