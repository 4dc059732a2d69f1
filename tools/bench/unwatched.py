"""The cost of watching, in counters: without a watcher nothing is copied or encoded twice."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from typing import Any

from cosmonapse.bench.children import Child
from cosmonapse.bench.figures import Plot, Report, Table

from . import fabric
from .run import Run

# Each row adds a watcher to those before it: (caption of the row, its type of Signal).
_ROWS = (
    ("nobody", None),
    ("one for AGENT_OUTPUT", "AGENT_OUTPUT"),
    ("two for AGENT_OUTPUT", "AGENT_OUTPUT"),
    ("two for AGENT_OUTPUT, one for TASK", "TASK"),
)
_PRESENCE = ("REGISTER", "HEARTBEAT", "DEREGISTER")


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return len(_ROWS)


def measure(run: Run) -> Report:
    """Call without and with watchers, and count."""
    facts: dict[str, Any] = {}
    with ExitStack() as stack:
        running = stack.enter_context(fabric.running(counting=True))
        watchers: list[Child] = []
        for name, watched in _ROWS:
            if watched is not None:
                watchers.append(stack.enter_context(Child(fabric.watcher, running.url, [watched])))
            facts[name] = _counted(running, watchers, run.options.unwatched_count)
            run.say(f"watched by {name}: {facts[name]}")
    rows = [(name, *(f"{value:,}" for value in counts.values())) for name, counts in facts.items()]
    head = ("watched by", "calls", "copies", "encodes of caller", "encodes of worker", "seen")
    table = Table("unwatched: counters, not times", head, rows)
    series = {
        name: [counts[key] / counts["calls"] for counts in facts.values()]
        for name, key in (("copies", "copies"), ("encodes of caller", "caller"), ("seen", "seen"))
    }
    title = "Copies and encodes, with more and more watchers"
    places = ("nobody", "one", "two", "three")
    plot = Plot("unwatched", title, "watchers", "for each call", places, series)
    return Report((table,), facts, (plot,))


def _counted(running: fabric.Fabric, watchers: list[Child], calls: int) -> dict[str, int]:
    """Return how often was copied, encoded and seen during that many calls."""
    before, seen = _counters(running), [watcher.ask("seen_all", 0) for watcher in watchers]
    running.caller.ask("calls", calls)
    fresh = [
        watcher.ask("seen_all", already + calls) - already
        for watcher, already in zip(watchers, seen, strict=True)
    ]
    after = _counters(running)
    return {
        "calls": calls,
        **{name: after[name] - before[name] for name in ("copies", "caller", "worker")},
        "seen": sum(fresh),
    }


def _counters(running: fabric.Fabric) -> Counter[str]:
    """Read the counters of the three processes; presence goes on by the clock and is left out."""
    counters = Counter(copies=running.synapse.ask("counts").get("copies", 0))
    for name, child in (("caller", running.caller), ("worker", running.worker)):
        encoded = child.ask("encoded")
        counters[name] = sum(n for kind, n in encoded.items() if kind not in _PRESENCE)
    return counters
