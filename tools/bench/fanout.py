"""Deliveries per second from one publisher to many subscribers, side by side.

In bursts of 50, and with one publish a turn of the publisher's loop, as most programs publish.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from cosmonapse.bench.fan import ACK_EVERY, Fan
from cosmonapse.bench.figures import Report

from .cpu_time import Cost
from .run import Run
from .side_by_side import Started, compared, in_rounds, start_all
from .systems.system import Asked, Running, System

_WARM_UP_S = 0.2
_ONE_A_TURN = 10
"""The number of subscribers at which it is measured with one publish a turn, too."""


def _systems(run: Run) -> list[System]:
    return [system for system in run.systems if system.fanout is not None]


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    counts = run.options.subscribers
    systems = _systems(run)
    one_a_turn = len(_one_a_turn(systems)) * (_ONE_A_TURN in counts)
    return (len(systems) * len(counts) + one_a_turn) * run.options.rounds


def _one_a_turn(systems: Sequence[System]) -> list[System]:
    """Return those that have a loop with turns; another checkout may not know of it."""
    return [each for each in systems if not each.is_limit and each.name != "beside"]


def measure(run: Run) -> Report:
    """Publish to each number of subscribers, the systems in turns."""
    systems = _systems(run)
    costs: dict[str, dict[str, list[Cost[Fan]]]] = {}
    for count in run.options.subscribers:
        costs |= _to(run, systems, count)
    fans = compared(systems, costs, "deliveries/s", lambda fan: fan.rate, _deliveries)
    tables = fans.tables("fanout: one publisher, to each subscriber", "subscribers")
    plot = fans.plot("fanout", "One publisher, many subscribers", "subscribers")
    return Report(tables, fans.facts(), (plot,))


def _to(run: Run, systems: Sequence[System], count: int) -> dict[str, dict[str, list[Cost[Fan]]]]:
    with ExitStack() as stack:
        started = start_all(stack, systems, lambda system: _running(system, count))
        costs = {f"{count:,}": _in_bursts(run, started, f"{count:,}", ACK_EVERY)}
        if count == _ONE_A_TURN:
            those = {each.name: started[each.name] for each in _one_a_turn(systems)}
            place = f"{count:,}, one a turn"
            costs[place] = _in_bursts(run, those, place, 1)
        return costs


def _in_bursts(
    run: Run, started: Mapping[str, Started], place: str, burst: int
) -> dict[str, list[Cost[Fan]]]:
    return in_rounds(
        run,
        started,
        lambda asked: _publish(asked, run.options.seconds, burst),
        lambda name, fan: f"{name} to {place}: {fan.rate:,.0f} deliveries/s",
        lambda asked: _publish(asked, _WARM_UP_S, burst),
    )


def _running(system: System, subscribers: int) -> Running:
    assert system.fanout is not None
    return system.fanout(subscribers)


def _publish(asked: Sequence[Asked], seconds: float, burst: int) -> Fan:
    fan: Fan = asked[0].ask("publish", seconds, burst)
    return fan


def _deliveries(fan: Fan) -> float:
    return fan.published * fan.subscribers
