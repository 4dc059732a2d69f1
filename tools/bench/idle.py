"""Dendrites that are connected and idle: memory, descriptors and CPU, and calls beside them."""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack
from typing import Any

from cosmonapse.bench import ends
from cosmonapse.bench.children import Child, rss_kib
from cosmonapse.bench.figures import Plot, Report, Table, spread

from . import crowd
from .cpu_time import Meter
from .fabric import NAMESPACE
from .run import Run
from .started import synapse, taken

_OUTSTANDING = 16
_WARM_UP_S = 0.3
_SETTLES_S = 1.0  # what a start leaves to do
_IDLE_S = 4.0  # two heartbeats of each
_LIMIT = "the goal"
_ALONE_MIB, _EACH_KIB = 26, 30


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return len(run.options.idle) + 1


def measure(run: Run) -> Report:
    """Measure a Synapse of its own for each size of the crowd."""
    facts = {str(count): _beside(run, count) for count in (0, *run.options.idle)}
    alone_kib = facts["0"]["synapse_kib"]
    rows = []
    for count, found in facts.items():
        if "skipped" in found:
            rows.append((f"{int(count):,}", found["skipped"], *["-"] * 5))
            continue
        each = "-"
        if count != "0":
            found["kib_each"] = (found["synapse_kib"] - alone_kib) / int(count)
            each = f"{found['kib_each']:.1f}"
        rows.append(
            (
                f"{int(count):,}",
                f"{found['synapse_kib'] / 1024:.1f}",
                each,
                f"{found['descriptors']:,}",
                f"{found['synapse_percent']:.1f}",
                f"{found['crowd_percent']:.1f}",
                spread(found["calls_per_s_rounds"]),
            )
        )
    head = (
        "idle Dendrites",
        "MiB of the Synapse",
        "KiB each",
        "descriptors",
        "% of a core: Synapse",
        "% of a core: Dendrites",
        "calls/s beside them",
    )
    table = Table(f"idle: {_OUTSTANDING} calls outstanding beside", head, rows)
    return Report((table,), facts, (_plot(facts),))


def _plot(facts: dict[str, Any]) -> Plot:
    counts = [count for count, found in facts.items() if "skipped" not in found]
    series = {"cosmonapse": [facts[count]["synapse_kib"] / 1024 for count in counts]}
    series[_LIMIT] = [_ALONE_MIB + int(count) * _EACH_KIB / 1024 for count in counts]
    title = "Memory of the Synapse with idle Dendrites"
    return Plot("idle", title, "idle Dendrites", "MiB", counts, series, frozenset({_LIMIT}))


def _beside(run: Run, count: int) -> dict[str, Any]:
    wanted, allowed = crowd.descriptors_wanted(count), crowd.descriptors()
    if allowed < wanted:
        run.say(f"{count:,} idle: skipped")
        return {"skipped": f"wants {wanted:,} descriptors, {allowed:,} are allowed (ulimit -Hn)"}
    with ExitStack() as stack:
        pid, url = stack.enter_context(synapse())
        stack.enter_context(Child(ends.worker, url, NAMESPACE))
        caller = stack.enter_context(Child(ends.caller, url, NAMESPACE))
        crowds = crowd.gathered(stack, url, NAMESPACE, count) if count else ()
        idle_s = min(_IDLE_S, 10 * run.options.seconds)
        time.sleep(min(_SETTLES_S, idle_s))
        at_rest = Meter([pid, *(each.pid for each in crowds)]).take(lambda: time.sleep(idle_s))
        synapse_s, *crowd_s = (each.all for each in at_rest.processes)
        caller.ask("load", _OUTSTANDING, _WARM_UP_S)
        rates = [
            caller.ask("load", _OUTSTANDING, run.options.seconds).rate
            for _ in range(run.options.rounds)
        ]
        taken_kib, descriptors = rss_kib(pid), taken(pid).descriptors
        run.say(f"{count:,} idle: {taken_kib:,} KiB, {statistics.median(rates):,.0f} calls/s")
        crowd.dispersed(crowds)
    return {
        "synapse_kib": taken_kib,
        "descriptors": descriptors,
        "synapse_percent": 100 * synapse_s / idle_s,
        "crowd_percent": 100 * sum(crowd_s) / idle_s,
        "calls_per_s": statistics.median(rates),
        "calls_per_s_rounds": rates,
    }
