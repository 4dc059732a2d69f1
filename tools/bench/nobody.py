"""How soon a caller learns that nobody serves the Neuron it asked for."""

from __future__ import annotations

from collections.abc import Callable

from . import fabric
from .figures import Options, Report, durations


def run(options: Options, say: Callable[[str], None]) -> Report:
    """Dispatch TASKs to nobody, one after the other."""
    with fabric.running() as running:
        took_s = running.caller.ask("to_nobody", options.nobody_count)
    say(f"{len(took_s)} TASKs to nobody")
    return durations("nobody: from dispatching a TASK to nobody until its ERROR", took_s)
