"""How long a Dendrite takes to start: a plain caller, a plain worker, one with handlers too."""

from __future__ import annotations

from typing import Any

from cosmonapse.bench.children import Child
from cosmonapse.bench.figures import Plot, Report, Table, percentiles

from . import fabric
from .run import Run
from .turns import rounds

_KINDS = {
    "caller": (0, 0),
    "worker": (1, 0),
    "one Axon and two handlers": (1, 2),
}
"""How many Axons and handlers each has."""
_TIMES = {"p50_ms": 50, "p99_ms": 99}


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return len(_KINDS) * run.options.rounds


def measure(run: Run) -> Report:
    """Start and stop Dendrites, one after the other; only the starts are measured."""
    each = max(1, run.options.start_count // run.options.rounds)
    with fabric.running_synapse() as (_, url), Child(fabric.starter, url) as starter:

        def take(name: str) -> list[float]:
            took_s: list[float] = starter.ask("starts", each, *_KINDS[name])
            return took_s

        def told(name: str, took_s: list[float]) -> None:
            run.say(f"{name}: {len(took_s)} starts")

        for name in _KINDS:
            take(name)
        taken = rounds(_KINDS, run.options.rounds, take, told)
    facts = {
        name: _facts([one_s for of_round in at for one_s in of_round]) for name, at in taken.items()
    }
    head = ("`Dendrite.start()` of", "count", "p50 ms", "p99 ms", "max ms")
    rows = [(name, *_row(found)) for name, found in facts.items()]
    series = {name: [found[time] for time in (*_TIMES, "max_ms")] for name, found in facts.items()}
    plot = Plot("start", "Starting a Dendrite", "", "ms", ("p50", "p99", "max"), series)
    return Report((Table("start: one after the other", head, rows),), facts, (plot,))


def _facts(took_s: list[float]) -> dict[str, Any]:
    values = percentiles(took_s, *_TIMES.values())
    times = {name: value * 1000 for name, value in zip(_TIMES, values, strict=True)}
    return {"count": len(took_s), **times, "max_ms": max(took_s) * 1000}


def _row(found: dict[str, Any]) -> tuple[str, ...]:
    return (str(found["count"]), *(f"{found[name]:.2f}" for name in (*_TIMES, "max_ms")))
