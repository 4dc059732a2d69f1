"""Whether a call costs more when more Neurons are registered: it should not."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from typing import Any

from cosmonapse.bench import ends
from cosmonapse.bench.children import Child
from cosmonapse.bench.figures import Plot, Report, Table, spread

from . import crowd
from .fabric import NAMESPACE, running_synapse
from .run import Run
from .turns import in_turns

_OUTSTANDING = 16


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return len(run.options.registered) * run.options.rounds


def measure(run: Run) -> Report:
    """Measure a fabric for each number of Neurons in turns; the others only beat meanwhile."""
    counts = run.options.registered
    with ExitStack() as stack:
        callers = {str(count): _caller(stack, count) for count in counts}
        samples = in_turns(callers, _OUTSTANDING, run)
    rates = {count: [sample.rate for sample in taken] for count, taken in samples.items()}
    medians = {count: statistics.median(taken) for count, taken in rates.items()}
    facts: dict[str, Any] = {
        count: {"calls_per_s": medians[count], "calls_per_s_rounds": rates[count]}
        for count in rates
    }
    facts["flat"] = medians[str(counts[-1])] / medians[str(counts[0])]
    rows = [
        (f"{int(count):,}", spread(taken), f"{medians[count] / medians[str(counts[0])]:.2f}")
        for count, taken in rates.items()
    ]
    head = ("Neurons registered", "calls/s", "against one")
    table = Table(f"registered: {_OUTSTANDING} calls outstanding to one of them", head, rows)
    places, series = list(rates), {"cosmonapse": list(medians.values())}
    title = "Neurons registered beside the one that is called"
    plot = Plot("registered", title, "Neurons registered", "calls/s", places, series)
    return Report((table,), facts, (plot,))


def _caller(stack: ExitStack, count: int) -> Child:
    _, url = stack.enter_context(running_synapse())
    stack.enter_context(Child(ends.worker, url, NAMESPACE))
    if count > 1:
        others = stack.enter_context(Child(crowd.crowd, url, NAMESPACE, 1, count - 1))
        others.ask("start")
    return stack.enter_context(Child(ends.caller, url, NAMESPACE))
