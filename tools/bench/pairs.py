"""Many callers and many workers at once: calls per second of all pairs together, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from cosmonapse.bench.figures import Report
from cosmonapse.bench.load import Sample

from .cpu_time import Cost
from .run import Run
from .side_by_side import Started, compared, in_rounds, start_all
from .systems.system import Asked, Running, System

Samples = Sequence[Sample]
OUTSTANDING = 16
_WARM_UP_S = 0.2


def _systems(run: Run) -> list[System]:
    most = max(run.options.pairs)
    return [each for each in run.systems if each.calls is not None and each.most_pairs >= most]


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return len(_systems(run)) * len(run.options.pairs) * run.options.rounds


def measure(run: Run) -> Report:
    """Start all pairs once, and let more and more of them work."""
    systems = _systems(run)
    with ExitStack() as stack:
        started = start_all(stack, systems, lambda system: _running(system, max(run.options.pairs)))
        costs = {f"{pairs} x {pairs}": _at(run, started, pairs) for pairs in run.options.pairs}
    pairs = compared(systems, costs, "calls/s", _rate, _calls)
    caption = f"pairs: of caller and worker, {OUTSTANDING} calls outstanding in each"
    plot = pairs.plot("pairs", "Many callers and workers", "callers x workers")
    return Report(pairs.tables(caption, ""), pairs.facts(), (plot,))


def _running(system: System, pairs: int) -> Running:
    assert system.calls is not None
    return system.calls(pairs)


def _at(run: Run, started: Mapping[str, Started], pairs: int) -> dict[str, list[Cost[Samples]]]:
    return in_rounds(
        run,
        started,
        lambda asked: _at_once(asked[:pairs], run.options.seconds),
        lambda name, taken: f"{name}, {pairs} x {pairs}: {_rate(taken):,.0f} calls/s",
        lambda asked: _at_once(asked[:pairs], _WARM_UP_S),
    )


def _at_once(callers: Sequence[Asked], seconds: float) -> Samples:
    """Let all callers call at the same time."""
    for caller in callers:
        caller.begin("load", OUTSTANDING, seconds)
    return [caller.end() for caller in callers]


def _rate(samples: Samples) -> float:
    return sum(sample.rate for sample in samples)


def _calls(samples: Samples) -> float:
    return sum(sample.calls for sample in samples)
