"""The cost of handlers: 30 that no Signal triggers, and one that every Signal triggers.

One process of the same program is up to a tenth faster than another, round after round. So each
round has processes of its own.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from cosmonapse.bench import ends
from cosmonapse.bench.children import Child
from cosmonapse.bench.figures import Plot, Report, Table, spread

from . import fabric
from .cpu_time import Meter
from .run import Run
from .turns import rounds

_HANDLERS = 30
_OUTSTANDING = (1, 256)
_WARM_UP_S = 0.2
_FUNCTIONS = {"async def": False, "plain def": True}


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return (1 + len(_FUNCTIONS)) * run.options.rounds


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
    facts["under load"] = under_load = _under_load(run)
    head = ("outstanding", "calls/s, no handler", f"{_HANDLERS} of other types", "ratio")
    table = Table("handlers: of types that do not occur", head, rows)
    series = {
        name: [statistics.median(facts[str(each)][key]) for each in _OUTSTANDING]
        for name, key in (("with 30 handlers", "with"), ("without", "without"))
    }
    places = [str(each) for each in _OUTSTANDING]
    title = "Handlers that nothing triggers"
    plot = Plot("handlers", title, "calls outstanding", "calls/s", places, series)
    return Report((table, _loaded(under_load)), facts, (plot,))


def _under_load(run: Run) -> dict[str, list[float]]:
    """Return the microseconds of CPU that a subscriber needs for a Signal, round by round."""
    with ExitStack() as stack:
        fans = {name: _fan(stack, plain) for name, plain in _FUNCTIONS.items()}

        def take(name: str) -> float:
            publisher, subscriber = fans[name]
            cost = Meter([subscriber.pid]).take(
                lambda: publisher.ask("publish", run.options.seconds)
            )
            return cost.us_each(cost.result.published)

        def told(name: str, each_us: float) -> None:
            run.say(f"{name}: {each_us:.1f} us a Signal")

        for name in fans:
            take(name)
        return rounds(fans, run.options.rounds, take, told)


def _fan(stack: ExitStack, plain: bool) -> tuple[Child, Child]:
    _, url = stack.enter_context(fabric.running_synapse())
    publisher = stack.enter_context(Child(ends.publisher, url, fabric.NAMESPACE, 1))
    subscriber = stack.enter_context(
        Child(ends.subscribers, url, fabric.NAMESPACE, publisher.ready, 0, 1, plain)
    )
    return publisher, subscriber


def _loaded(under_load: Mapping[str, list[float]]) -> Table:
    rows = [(name, spread(taken, 1)) for name, taken in under_load.items()]
    return Table(
        "a handler under load: CPU time of the subscriber", ("handler", "us a Signal"), rows
    )


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
