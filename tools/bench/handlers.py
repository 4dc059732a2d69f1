"""What handlers cost that nothing triggers: calls per second with none and with 30 of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

from . import fabric
from .calls import in_turns
from .children import Child
from .figures import Options, Report, Table, spread

_HANDLERS = 30
_OUTSTANDING = (1, 256)


def run(options: Options, say: Callable[[str], None]) -> Report:
    """Measure two callers of one fabric in turns."""
    rows: list[tuple[str, ...]] = []
    facts: dict[str, Any] = {}
    with (
        fabric.running() as running,
        Child(fabric.caller, running.url, False, _HANDLERS) as decorated,
    ):
        callers = {"none": running.caller, str(_HANDLERS): decorated}
        for outstanding in _OUTSTANDING:
            samples = in_turns(callers, outstanding, options, say)
            rates = {name: [each.rate for each in taken] for name, taken in samples.items()}
            medians = {name: statistics.median(values) for name, values in rates.items()}
            ratio = medians[str(_HANDLERS)] / medians["none"]
            rows.append((str(outstanding), *map(spread, rates.values()), f"{ratio:.2f}"))
            facts[str(outstanding)] = {"calls_per_s": medians, "ratio": ratio}
    head = ("outstanding", "calls/s, no handler", f"{_HANDLERS} of other types", "ratio")
    return Report(Table("handlers: of types that do not occur", head, rows), facts)
