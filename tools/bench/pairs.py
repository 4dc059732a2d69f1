"""Many callers and many workers at once: calls per second of all pairs together, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from cosmonapse.bench.figures import Report
from cosmonapse.bench.load import Sample

from .compared import Compared
from .run import Run
from .systems.system import Asked, System
from .turns import rounds

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
    rates: dict[str, dict[str, list[float]]] = {}
    with ExitStack() as stack:
        callers = {
            system.name: stack.enter_context(system.calls(max(run.options.pairs)))
            for system in _systems(run)
            if system.calls is not None
        }
        for each in callers.values():
            _at_once(each, _WARM_UP_S)
        for pairs in run.options.pairs:

            def take(name: str, pairs: int = pairs) -> float:
                return _at_once(callers[name][:pairs], run.options.seconds)

            def told(name: str, rate: float, pairs: int = pairs) -> None:
                run.say(f"{name}, {pairs} x {pairs}: {rate:,.0f} calls/s")

            rates[f"{pairs} x {pairs}"] = rounds(callers, run.options.rounds, take, told)
    compared = Compared(_systems(run), list(rates), rates, "calls/s")
    caption = f"pairs: of caller and worker, {OUTSTANDING} calls outstanding in each"
    plot = compared.plot("pairs", "Many callers and workers", "callers x workers")
    return Report(compared.tables(caption, ""), compared.facts(), (plot,))


def _at_once(callers: Sequence[Asked], seconds: float) -> float:
    """Return the calls per second of all callers together."""
    for caller in callers:
        caller.begin("load", OUTSTANDING, seconds)
    samples: list[Sample] = [caller.end() for caller in callers]
    return sum(sample.rate for sample in samples)
