"""The CPU that the Synapse takes for each Signal that it routes."""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Any

from cosmonapse.bench import ends
from cosmonapse.bench.children import Child
from cosmonapse.bench.figures import Plot, Report, Table, spread

from .fabric import NAMESPACE
from .run import Run
from .started import synapse

OUTSTANDING = (1, 16, 256)
_SIGNALS_A_CALL = 2  # TASK and AGENT_OUTPUT
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_WARM_UP_S = 0.3
_LIMIT, _GOAL_US = "the goal", 6.0
_SECONDS = 0.5  # at a hundred ticks a second


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return len(OUTSTANDING) * run.options.rounds


def measure(run: Run) -> Report:
    """Return the CPU time of the Synapse's process, both threads and the kernel's share."""
    facts: dict[str, Any] = {}
    rows, seconds = (
        [],
        max(run.options.seconds, _SECONDS if run.options.rounds > 1 else _TICK_S * 10),
    )
    with (
        synapse() as (pid, url),
        Child(ends.worker, url, NAMESPACE),
        Child(ends.caller, url, NAMESPACE) as caller,
    ):
        for outstanding in OUTSTANDING:
            caller.ask("load", outstanding, _WARM_UP_S)
            taken_us, rates = [], []
            for _ in range(run.options.rounds):
                before_s = cpu_s(pid)
                sample = caller.ask("load", outstanding, seconds)
                used_s = cpu_s(pid) - before_s
                taken_us.append(used_s / (sample.calls * _SIGNALS_A_CALL) * 1e6)
                rates.append(sample.rate)
                run.say(f"{outstanding} outstanding: {taken_us[-1]:.1f} us for each Signal")
            facts[str(outstanding)] = {
                "us_per_signal": statistics.median(taken_us),
                "us_per_signal_rounds": taken_us,
                "calls_per_s": statistics.median(rates),
            }
            rows.append((str(outstanding), spread(rates), spread(taken_us, 1)))
    head = ("outstanding", "calls/s", "us of CPU for each Signal")
    table = Table("routing: the process of the Synapse", head, rows)
    series = {
        "cosmonapse": [found["us_per_signal"] for found in facts.values()],
        _LIMIT: [_GOAL_US] * len(facts),
    }
    title = "CPU of the Synapse for each Signal"
    plot = Plot(
        "routing", title, "calls outstanding", "us", list(facts), series, frozenset({_LIMIT})
    )
    return Report((table,), facts, (plot,))


def cpu_s(pid: int) -> float:
    """Return the CPU time that a process has taken; on Linux only."""
    behind_name = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
    user, system = (int(behind_name[column]) for column in (11, 12))
    return (user + system) * _TICK_S
