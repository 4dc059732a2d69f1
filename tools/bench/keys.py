"""The cost of keys: a call with them, without them, and at NATS with TLS and nkeys, side by side.

A key is used by the carrier of libzmq, so the cost of encryption is the ratio to that carrier
without keys. The default is the carrier that people without keys have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cosmonapse.bench.figures import Report, Table

from .calls import OUTSTANDING, measured
from .compared import Compared
from .cpu_time import ratios
from .run import Run
from .systems import keyed, nats, nats_secured
from .systems.system import System

_BYTES = (100, 16 * 1024)
_OURS = (keyed.DEFAULT, keyed.LIBZMQ, keyed.KEYED)
_THEIRS = (nats.WITH_TASKS, nats_secured.SYSTEM)
_PAIRS = (
    ("keys against the carrier libzmq without", keyed.KEYED, keyed.LIBZMQ),
    ("keys against the default without", keyed.KEYED, keyed.DEFAULT),
    ("nats-py: TLS and nkeys against neither", nats_secured.SYSTEM, nats.WITH_TASKS),
    ("nats-py with TLS and nkeys against ours with keys", nats_secured.SYSTEM, keyed.KEYED),
)


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
    found, facts = measured(run, systems, {_named(*place): place for place in _places()})
    rates, *rest = found.tables("keys: calls, median (least to most) of the rounds", "")
    cpu = rest[:1] if found.cpu_us else []
    plot = found.plot("keys", "Calls answered, with keys and without", "outstanding, bytes of each")
    return Report((rates, *cpu, _within(found, systems)), facts, (plot,))


def _named(outstanding: int, size: int) -> str:
    return f"{outstanding}, {size} B" if size < 1024 else f"{outstanding}, {size // 1024} KiB"


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
