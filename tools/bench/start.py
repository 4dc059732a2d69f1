"""How long a Dendrite takes to start: one Axon, two handlers, both planes live."""

from __future__ import annotations

from collections.abc import Callable

from . import fabric
from .children import Child
from .figures import Options, Report, durations


def run(options: Options, say: Callable[[str], None]) -> Report:
    """Start and stop Dendrites, one after the other; only the starts are measured."""
    with fabric.running_synapse() as (_, url), Child(fabric.starter, url) as starter:
        took_s = starter.ask("starts", options.start_count)
    say(f"{len(took_s)} starts")
    return durations("start: `Dendrite.start()` with one Axon and two handlers", took_s)
