"""The cost of handlers that no Signal triggers: calls per second with none and with 30.

One process of the same program is up to a tenth faster than another, round after round. So each
round has processes of its own.
"""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from typing import Any

from cosmonapse.bench.children import Child
from cosmonapse.bench.figures import Plot, Report, Table, spread

from . import fabric
from .run import Run

_HANDLERS = 30
_OUTSTANDING = (1, 256)
_WARM_UP_S = 0.2


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return run.options.rounds


def measure(run: Run) -> Report:
    """Measure callers without and with handlers in turns; the one started first alternates."""
    rates: dict[tuple[int, int], list[float]] = {}
    for turn in range(run.options.rounds):
        order = (0, _HANDLERS) if turn % 2 else (_HANDLERS, 0)
        for handlers, outstanding, rate in _round(order, run):
            rates.setdefault((outstanding, handlers), []).append(rate)
        run.say(f"round {turn + 1}, {', '.join(f'{values[-1]:,.0f}' for values in rates.values())}")
    rows: list[tuple[str, ...]] = []
    facts: dict[str, Any] = {}
    for outstanding in _OUTSTANDING:
        without, with_them = rates[outstanding, 0], rates[outstanding, _HANDLERS]
        ratio = statistics.median(with_them) / statistics.median(without)
        rows.append((str(outstanding), spread(without), spread(with_them), f"{ratio:.2f}"))
        facts[str(outstanding)] = {"without": without, "with": with_them, "ratio": ratio}
    head = ("outstanding", "calls/s, no handler", f"{_HANDLERS} of other types", "ratio")
    table = Table("handlers: of types that do not occur", head, rows)
    series = {
        name: [statistics.median(found[key]) for found in facts.values()]
        for name, key in (("with 30 handlers", "with"), ("without", "without"))
    }
    title = "Handlers that nothing triggers"
    plot = Plot("handlers", title, "calls outstanding", "calls/s", list(facts), series)
    return Report((table,), facts, (plot,))


def _round(order: tuple[int, ...], run: Run) -> list[tuple[int, int, float]]:
    """Return (handlers, outstanding, calls/s) of fresh processes."""
    with ExitStack() as stack:
        running = stack.enter_context(fabric.running())
        callers = {
            handlers: stack.enter_context(Child(fabric.caller, running.url, False, handlers))
            for handlers in order
        }
        taken = []
        for outstanding in _OUTSTANDING:
            for handlers, child in callers.items():
                child.ask("load", outstanding, min(_WARM_UP_S, run.options.seconds))
                sample = child.ask("load", outstanding, run.options.seconds / 2)
                taken.append((handlers, outstanding, sample.rate))
    return taken
