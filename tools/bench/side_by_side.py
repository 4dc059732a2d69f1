"""Systems side by side: started once, measured in turns, with the CPU time of each round."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TypeVar

import attrs

from .compared import Compared
from .cpu_time import Cost, Meter, parts, started_by
from .run import Run
from .systems.system import Asked, Running, System
from .turns import rounds

T = TypeVar("T")
Costs = Mapping[str, Mapping[str, Sequence[Cost[T]]]]
"""By place and system, the rounds."""


@attrs.frozen
class Started:
    """A system that runs.

    Args:
        asked: The processes that do something when asked.
        meter: Of all processes of the system.
    """

    asked: Sequence[Asked]
    meter: Meter


def start_all(
    stack: ExitStack, systems: Sequence[System], start: Callable[[System], Running]
) -> dict[str, Started]:
    """Start every system, one after the other, until the stack ends."""
    return {
        each.name: Started(*started_by(lambda: stack.enter_context(start(each))))  # noqa: B023
        for each in systems
    }


def in_rounds(
    run: Run,
    started: Mapping[str, Started],
    take: Callable[[Sequence[Asked]], T],
    told: Callable[[str, T], str],
    warm_up: Callable[[Sequence[Asked]], object],
) -> dict[str, list[Cost[T]]]:
    """Measure the systems in turns.

    Args:
        run: Of the kind.
        started: The systems by name.
        take: Measures one round.
        told: The progress after a round, by its system and result.
        warm_up: Runs once in each system before the rounds; its result is thrown away.
    """
    for each in started.values():
        warm_up(each.asked)

    def measured(name: str) -> Cost[T]:
        return started[name].meter.take(lambda: take(started[name].asked))

    def say(name: str, cost: Cost[T]) -> None:
        run.say(told(name, cost.result))

    return rounds(started, run.options.rounds, measured, say)


def compared(
    systems: Sequence[System],
    costs: Costs[T],
    unit: str,
    rate: Callable[[T], float],
    count: Callable[[T], float],
) -> Compared:
    """Return the rates and the CPU time of one operation.

    Args:
        systems: The ones measured, ours first.
        costs: The rounds.
        unit: Of the rates.
        rate: The rate of a round.
        count: How many operations a round had.
    """

    def each(of: Callable[[Sequence[Cost[T]]], list[float]]) -> dict[str, dict[str, list[float]]]:
        return {
            place: {name: of(taken) for name, taken in at.items()} for place, at in costs.items()
        }

    rates = each(lambda taken: [rate(cost.result) for cost in taken])
    if not all(cost.processes for at in costs.values() for taken in at.values() for cost in taken):
        return Compared(systems, list(costs), rates, unit)
    by_process = {
        place: {
            name: parts(taken, [count(cost.result) for cost in taken]) for name, taken in at.items()
        }
        for place, at in costs.items()
    }
    cpu_us = each(lambda taken: [cost.us_each(count(cost.result)) for cost in taken])
    return Compared(systems, list(costs), rates, unit, cpu_us, by_process)
