"""How long a Dendrite takes to start: one Axon, two handlers, both planes live."""

from __future__ import annotations

from cosmonapse.bench.children import Child
from cosmonapse.bench.figures import Report, durations

from . import fabric
from .run import Run


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return 1


def measure(run: Run) -> Report:
    """Start and stop Dendrites, one after the other; only the starts are measured."""
    with fabric.running_synapse() as (_, url), Child(fabric.starter, url) as starter:
        took_s = starter.ask("starts", run.options.start_count)
    run.say(f"{len(took_s)} starts")
    return durations("start", "`Dendrite.start()` with one Axon and two handlers", took_s)
