"""Small and large payloads: how much gets there and back in a second, side by side."""

from __future__ import annotations

from contextlib import ExitStack

from cosmonapse.bench.figures import Report

from .compared import Compared
from .run import Run
from .systems.system import System
from .turns import in_turns

_KIB, _MIB = 1 << 10, 1 << 20
# The last one with its envelope is just under the 16 MiB that a Signal may have.
_NAMES = {
    100: "100 B",
    _KIB: "1 KiB",
    10 * _KIB: "10 KiB",
    100 * _KIB: "100 KiB",
    _MIB: "1 MiB",
    16 * _MIB - 4 * _KIB: "16 MiB",
}
_SECONDS = 0.3


def _systems(run: Run) -> list[System]:
    # Bare TCP has no messages: nothing of the other end is read while a large one is written.
    return [each for each in run.systems if each.calls is not None and each.name != "c_tcp"]


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return len(_NAMES) * run.options.rounds * len(_systems(run))


def measure(run: Run) -> Report:
    """Call with each size, one call outstanding, the systems in turns."""
    rates: dict[str, dict[str, list[float]]] = {}
    seconds = min(_SECONDS, run.options.seconds)
    with ExitStack() as stack:
        callers = {
            system.name: stack.enter_context(system.calls(1))[0]
            for system in _systems(run)
            if system.calls is not None
        }
        for size_bytes, name in _NAMES.items():
            taken = in_turns(callers, 1, run, size_bytes, seconds)
            rates[name] = {
                system: [sample.rate * size_bytes / _MIB for sample in samples]
                for system, samples in taken.items()
            }
    compared = Compared(_systems(run), list(rates), rates, "MiB/s")
    tables = compared.tables("sizes: of the payload, one call outstanding, one way", "", digits=1)
    plot = compared.plot("sizes", "Small and large payloads", "payload of a call")
    return Report(tables, compared.facts(), (plot,))
