"""The time until a caller gets the ERROR for a Neuron that no worker serves."""

from __future__ import annotations

from cosmonapse.bench.figures import Report, durations

from . import fabric
from .run import Run


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return 1


def measure(run: Run) -> Report:
    """Dispatch TASKs to a Neuron without a worker, one after the other."""
    with fabric.running() as running:
        took_s = running.caller.ask("to_nobody", run.options.nobody_count)
    run.say(f"{len(took_s)} TASKs to nobody")
    return durations("nobody", "from dispatching a TASK to nobody until its ERROR", took_s)
