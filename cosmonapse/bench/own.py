"""Measurements of a running fabric, with an echo Axon in a separate process."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from contextlib import ExitStack
from types import MappingProxyType
from typing import Any

import attrs

from . import ends
from .children import Child
from .fan import Fan, shares
from .figures import Plot, Report, Table, spread
from .load import Sample, median

OUTSTANDING = (1, 16, 256)
SUBSCRIBERS = (1, 10, 50)
ROUNDS = 3
_TIMES = ("p50", "p90", "p99", "max")
_WARM_UP_TOKENS = 500
_FEWEST_TOKENS = 100
_MARGIN_S = 60.0


@attrs.frozen
class Target:
    """The fabric to measure, and for how long.

    Args:
        url: URL of the Synapse.
        namespace: The namespace of the echo Axon.
        seconds: To measure, all rounds together; starting processes comes on top.
        say: Reports each round.
    """

    url: str
    namespace: str
    seconds: float
    say: Callable[[str], None]

    @property
    def pair(self) -> int:
        """Return a number for our Axon that no other measurement of this machine has."""
        return os.getpid()


def latency(where: Target) -> Report:
    """Measure the duration of a call, with more and more of them outstanding."""
    levels = _calls(where)
    head = ("outstanding", *(f"{time} ms" for time in _TIMES))
    facts: dict[str, Any] = {
        place: {f"{time}_ms": median(taken, f"{time}_s") * 1000 for time in _TIMES}
        for place, taken in levels.items()
    }
    rows = [
        (place, *(f"{value:.2f}" for value in values.values())) for place, values in facts.items()
    ]
    series = {time: [facts[place][f"{time}_ms"] for place in facts] for time in _TIMES}
    plot = Plot("latency", "How long a call takes", "calls outstanding", "ms", [*facts], series)
    return Report((Table("latency: medians of the rounds", head, rows),), facts, (plot,))


def throughput(where: Target) -> Report:
    """Measure how many calls are answered, with more and more of them outstanding."""
    levels = _calls(where)
    rates = {place: [sample.rate for sample in taken] for place, taken in levels.items()}
    return _rates("throughput", "calls outstanding", "calls/s", rates)


def fanout(where: Target) -> Report:
    """Measure how much one publisher delivers to more and more subscribers."""
    rates = {f"{count:,}": _fanned(where, count) for count in SUBSCRIBERS}
    return _rates("fanout", "subscribers", "deliveries/s", rates)


def stream(where: Target) -> Report:
    """Measure how fast the tokens of one Neuron come."""
    with ExitStack() as stack:
        caller = _caller(stack, where)
        warm: Sample = caller.ask("stream", _WARM_UP_TOKENS, timeout_s=_MARGIN_S)
        count = max(_FEWEST_TOKENS, int(warm.rate * where.seconds / ROUNDS))
        rates = []
        for _ in range(ROUNDS):
            sample: Sample = caller.ask("stream", count, timeout_s=_timeout_s(where))
            rates.append(sample.rate)
            where.say(f"{sample.rate:,.0f} tokens/s")
    return _rates("stream", "tokens of a stream", "tokens/s", {f"{count:,}": rates})


KINDS = MappingProxyType(
    {"latency": latency, "throughput": throughput, "fanout": fanout, "stream": stream}
)


def steps(kind: str) -> int:
    """Return how many rounds will be reported."""
    return ROUNDS if kind == "stream" else ROUNDS * len(OUTSTANDING)


def _caller(stack: ExitStack, where: Target) -> Child:
    stack.enter_context(Child(ends.worker, where.url, where.namespace, where.pair))
    return stack.enter_context(Child(ends.caller, where.url, where.namespace, where.pair))


def _timeout_s(where: Target) -> float:
    return where.seconds + _MARGIN_S


def _calls(where: Target) -> dict[str, list[Sample]]:
    levels: dict[str, list[Sample]] = {}
    seconds = where.seconds / len(OUTSTANDING) / (ROUNDS + 1)  # the first one warms up
    with ExitStack() as stack:
        caller = _caller(stack, where)
        for outstanding in OUTSTANDING:
            caller.ask("load", outstanding, seconds, timeout_s=_timeout_s(where))
            taken = levels[str(outstanding)] = list[Sample]()
            for _ in range(ROUNDS):
                taken.append(caller.ask("load", outstanding, seconds, timeout_s=_timeout_s(where)))
                where.say(f"{outstanding} outstanding: {taken[-1].rate:,.0f} calls/s")
    return levels


def _fanned(where: Target, subscribers: int) -> list[float]:
    rates = []
    seconds = where.seconds / len(SUBSCRIBERS) / (ROUNDS + 1)
    with ExitStack() as stack:
        address = (where.url, where.namespace)
        publisher = stack.enter_context(Child(ends.publisher, *address, subscribers))
        for process, count in enumerate(shares(subscribers)):
            more = (publisher.ready, process, count)
            stack.enter_context(Child(ends.subscribers, *address, *more))
        publisher.ask("publish", seconds, timeout_s=_timeout_s(where))
        for _ in range(ROUNDS):
            fan: Fan = publisher.ask("publish", seconds, timeout_s=_timeout_s(where))
            rates.append(fan.rate)
            where.say(f"to {subscribers:,}: {fan.rate:,.0f} deliveries/s")
    return rates


def _rates(name: str, places: str, unit: str, rates: dict[str, list[float]]) -> Report:
    key = unit.replace("/", "_per_")
    medians = {place: statistics.median(taken) for place, taken in rates.items()}
    facts = {place: {key: medians[place], f"{key}_rounds": taken} for place, taken in rates.items()}
    rows: list[tuple[str, ...]] = [(place, spread(taken)) for place, taken in rates.items()]
    table = Table(f"{name}: median (least to most) of the rounds", (places, unit), rows)
    series = {"cosmonapse": list(medians.values())}
    plot = Plot(name, f"{unit} of this fabric", places, unit, list(rates), series)
    return Report((table,), facts, (plot,))
