"""Deliveries per second from one publisher to many subscribers, side by side."""

from __future__ import annotations

from contextlib import ExitStack

from cosmonapse.bench.fan import Fan
from cosmonapse.bench.figures import Report

from .compared import Compared
from .run import Run
from .systems.system import System
from .turns import rounds

_WARM_UP_S = 0.2


def _systems(run: Run) -> list[System]:
    return [system for system in run.systems if system.fanout is not None]


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return len(_systems(run)) * len(run.options.subscribers) * run.options.rounds


def measure(run: Run) -> Report:
    """Publish to each number of subscribers, the systems in turns."""
    rates = {f"{count:,}": _in_turns(run, count) for count in run.options.subscribers}
    compared = Compared(_systems(run), list(rates), rates, "deliveries/s")
    tables = compared.tables("fanout: one publisher, to each subscriber", "subscribers")
    plot = compared.plot("fanout", "One publisher, many subscribers", "subscribers")
    return Report(tables, compared.facts(), (plot,))


def _in_turns(run: Run, count: int) -> dict[str, list[float]]:
    with ExitStack() as stack:
        publishers = {
            system.name: stack.enter_context(system.fanout(count))[0]
            for system in _systems(run)
            if system.fanout is not None
        }
        for publisher in publishers.values():
            publisher.ask("publish", _WARM_UP_S)

        def take(name: str) -> float:
            fan: Fan = publishers[name].ask("publish", run.options.seconds)
            return fan.rate

        def told(name: str, rate: float) -> None:
            run.say(f"{name} to {count:,}: {rate:,.0f} deliveries/s")

        return rounds(publishers, run.options.rounds, take, told)
