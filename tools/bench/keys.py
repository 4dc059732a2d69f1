"""The cost of keys: a call with them, without them, and at NATS with TLS and nkeys, side by side.

A key is used by the carrier of libzmq, so the cost of encryption is the ratio to that carrier
without keys. The default is the carrier that people without keys have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from cosmonapse.bench.figures import Report, Table
from cosmonapse.bench.load import Sample, median

from .calls import OUTSTANDING
from .compared import Compared
from .cpu_time import ratios
from .run import Run
from .side_by_side import Started, compared, in_rounds, start_all
from .systems import keyed, nats, nats_secured
from .systems.system import Asked, Running, System

_BYTES = (100, 16 * 1024)
_OURS = (keyed.DEFAULT, keyed.LIBZMQ, keyed.KEYED)
_THEIRS = (nats.WITH_TASKS, nats_secured.SYSTEM)
_PAIRS = (
    ("keys against the carrier libzmq without", keyed.KEYED, keyed.LIBZMQ),
    ("keys against the default without", keyed.KEYED, keyed.DEFAULT),
    ("nats-py: TLS and nkeys against neither", nats_secured.SYSTEM, nats.WITH_TASKS),
    ("nats-py with TLS and nkeys against ours with keys", nats_secured.SYSTEM, keyed.KEYED),
)
_WARM_UP_S = 0.4


def _systems(run: Run) -> list[System]:
    here = {each.name for each in run.systems}
    theirs = [each for each in _THEIRS if nats.SYSTEM.name in here and each.missing() is None]
    return [*_OURS, *theirs]


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return len(_places()) * run.options.rounds * len(_systems(run))


def _places() -> list[tuple[int, int]]:
    """Return the numbers of outstanding calls, and the bytes of each."""
    return [(outstanding, size) for size in _BYTES for outstanding in OUTSTANDING]


def measure(run: Run) -> Report:
    """Measure all in turns, at each number of outstanding calls and each size."""
    systems = _systems(run)
    with ExitStack() as stack:
        started = start_all(stack, systems, _pair)
        costs = {
            _named(outstanding, size): _at(run, started, outstanding, size)
            for outstanding, size in _places()
        }
    found = compared(systems, costs, "calls/s", lambda taken: taken.rate, lambda taken: taken.calls)
    facts = found.facts()
    for place, at in costs.items():
        for name, taken in at.items():
            samples = [cost.result for cost in taken]
            facts[place][name]["p50_ms"] = median(samples, "p50_s") * 1000
    rates, *rest = found.tables("keys: calls, median (least to most) of the rounds", "")
    cpu = rest[:1] if found.cpu_us else []
    plot = found.plot("keys", "Calls answered, with keys and without", "outstanding, bytes of each")
    return Report((rates, *cpu, _within(found, systems)), facts, (plot,))


def _pair(system: System) -> Running:
    assert system.calls is not None
    return system.calls(1)


def _named(outstanding: int, size: int) -> str:
    return f"{outstanding}, {size} B" if size < 1024 else f"{outstanding}, {size // 1024} KiB"


def _at(run: Run, started: Mapping[str, Started], outstanding: int, size: int) -> dict[str, Any]:
    def load(asked: Sequence[Asked], seconds: float) -> Sample:
        sample: Sample = asked[0].ask("load", outstanding, seconds, size)
        return sample

    length_s = run.options.seconds
    return in_rounds(
        run,
        started,
        lambda asked: load(asked, length_s),
        lambda name, taken: f"{name}, {_named(outstanding, size)}: {taken.rate:,.0f} calls/s",
        lambda asked: load(asked, min(_WARM_UP_S, length_s / 2)),
    )


def _within(found: Compared, systems: Sequence[System]) -> Table:
    """Return the ratios of CPU time of pairs, each within a round."""
    here = {each.name for each in systems}
    rows = []
    for caption, first, second in _PAIRS:
        if {first.name, second.name} <= here:
            cells = (_cell(found.cpu_us.get(place, {}), first, second) for place in found.places)
            rows.append((caption, *cells))
    return Table("ratios of the CPU time of a call, within a round", ("", *found.places), rows)


def _cell(cpu_us: Mapping[str, Sequence[float]], first: System, second: System) -> str:
    taken = sorted(ratios(cpu_us.get(second.name, ()), cpu_us.get(first.name, ())))
    if not taken:
        return "-"
    return f"{taken[len(taken) // 2]:.2f} ({taken[0]:.2f} to {taken[-1]:.2f})"
