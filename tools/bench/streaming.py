"""Streams from worker to caller, side by side: one at full speed, many at the pace of a model.

Each token of ours is a Signal of its own. The others publish each token to the inbox of the caller,
whose callback puts it into a queue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from cosmonapse.bench.figures import Report, Table
from cosmonapse.bench.load import Sample, median

from .cpu_time import Cost
from .run import Run
from .side_by_side import Started, compared, in_rounds, start_all
from .systems.system import Asked, Running, System

_PACED = 32
_TOKENS_PER_S = 100.0
_WARM_UP_TOKENS = 1000
_WARM_UP_S = 0.2
_PACED_S = 1.5
_TIMES = ("p50", "p90", "p99", "max")


def _systems(run: Run) -> list[System]:
    return [system for system in run.systems if system.streams is not None]


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return 2 * len(_systems(run)) * run.options.rounds


def measure(run: Run) -> Report:
    """Stream as fast as the generator yields, then at a pace."""
    systems = _systems(run)
    with ExitStack() as stack:
        started = start_all(stack, systems, _running)
        costs = {"one stream": _one(run, started), f"{_PACED} paced": _many(run, started)}
    both = compared(systems, costs, "tokens/s", lambda taken: taken.rate, lambda taken: taken.calls)
    facts: dict[str, Any] = both.facts()
    facts["tokens_per_s"] = both.median("one stream", systems[0].name)
    for name, taken in costs[f"{_PACED} paced"].items():
        samples = [cost.result for cost in taken]
        delays = {f"{time}_ms": median(samples, f"{time}_s") * 1000 for time in _TIMES}
        facts[f"{_PACED} paced"][name] |= delays
    plot = both.plot("streaming", "Tokens from worker to caller", "")
    tables = both.tables("streaming: every token checked", "")
    return Report((*tables, _delays(systems, facts[f"{_PACED} paced"])), facts, (plot,))


def _running(system: System) -> Running:
    assert system.streams is not None
    return system.streams()


def _one(run: Run, started: Mapping[str, Started]) -> dict[str, list[Cost[Sample]]]:
    def stream(asked: Sequence[Asked], tokens: int) -> Sample:
        sample: Sample = asked[0].ask("stream", tokens)
        return sample

    return in_rounds(
        run,
        started,
        lambda asked: stream(asked, run.options.token_count),
        lambda name, taken: f"{name}, one stream: {taken.rate:,.0f} tokens/s",
        lambda asked: stream(asked, _WARM_UP_TOKENS),
    )


def _many(run: Run, started: Mapping[str, Started]) -> dict[str, list[Cost[Sample]]]:
    length_s = min(_PACED_S, 2 * run.options.seconds)

    def paced(asked: Sequence[Asked], seconds: float) -> Sample:
        sample: Sample = asked[0].ask("paced", _PACED, _TOKENS_PER_S, seconds)
        return sample

    return in_rounds(
        run,
        started,
        lambda asked: paced(asked, length_s),
        lambda name, taken: f"{name}, {_PACED} streams: p50 {taken.p50_s * 1000:.2f} ms",
        lambda asked: paced(asked, _WARM_UP_S),
    )


def _delays(systems: Sequence[System], facts: Mapping[str, Any]) -> Table:
    head = (f"ms: {' / '.join(_TIMES)}", f"{_PACED} streams, {_TOKENS_PER_S:g} tokens/s each")
    rows = [
        (each.label, " / ".join(f"{facts[each.name][f'{time}_ms']:.2f}" for time in _TIMES))
        for each in systems
    ]
    return Table("delay of a token, from the worker to the reader", head, rows)
