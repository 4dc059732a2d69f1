"""Measure systems in turns, so that other load of the machine hits all alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from cosmonapse.bench.load import Sample

from .run import Run
from .systems.system import Asked

_WARM_UP_S = 0.4
T = TypeVar("T")


def rounds(
    names: Iterable[str], count: int, take: Callable[[str], T], told: Callable[[str, T], None]
) -> dict[str, list[T]]:
    """Measure each in each round, another one first each time; report each value."""
    order = list(names)
    taken: dict[str, list[T]] = {name: [] for name in order}
    for _ in range(count):
        for name in order:
            taken[name].append(take(name))
            told(name, taken[name][-1])
        order.append(order.pop(0))
    return taken


def in_turns(
    callers: Mapping[str, Asked],
    outstanding: int,
    run: Run,
    payload_bytes: int = 100,
    seconds: float | None = None,
) -> dict[str, list[Sample]]:
    """Measure callers alternately; the warm-up is thrown away."""
    length_s = seconds or run.options.seconds
    for caller in callers.values():
        caller.ask("load", outstanding, min(_WARM_UP_S, length_s / 2), payload_bytes)

    def take(name: str) -> Sample:
        sample: Sample = callers[name].ask("load", outstanding, length_s, payload_bytes)
        return sample

    def told(name: str, sample: Sample) -> None:
        run.say(f"{name}, {outstanding} outstanding: {sample.rate:,.0f} calls/s")

    return rounds(callers, run.options.rounds, take, told)
