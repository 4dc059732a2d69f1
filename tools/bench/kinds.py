"""The kinds of the bench, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import MappingProxyType

import attrs

from cosmonapse.bench.figures import Report
from cosmonapse.bench.progress import Progress

from . import (
    calls,
    fanout,
    handlers,
    idle,
    in_process,
    javascript,
    keys,
    metrics,
    nobody,
    over_nats,
    pairs,
    pathways,
    registered,
    routing,
    sizes,
    start,
    streaming,
    unwatched,
)
from .run import Options, Run
from .systems.system import System

_MODULES = (
    calls,
    fanout,
    pairs,
    sizes,
    streaming,
    routing,
    idle,
    registered,
    handlers,
    in_process,
    javascript,
    keys,
    metrics,
    nobody,
    over_nats,
    pathways,
    start,
    unwatched,
)


@attrs.frozen
class Kind:
    """One kind: its measurement, and the number of steps that it reports."""

    measure: Callable[[Run], Report]
    steps: Callable[[Run], int]


KINDS = MappingProxyType(
    {module.__name__.rpartition(".")[2]: Kind(module.measure, module.steps) for module in _MODULES}
)
# Ratios come from pinned runs; these are worth seeing as a user has them, too.
UNPINNED = ("calls", "fanout", "pairs", "streaming")
# Names by which people look for them.
ALSO = MappingProxyType({"latency": "calls", "throughput": "calls", "stream": "streaming"})


def measured(
    kinds: Iterable[str], options: Options, systems: tuple[System, ...]
) -> dict[str, Report]:
    """Measure these kinds one after the other, and show the progress.

    Raises:
        BenchError: A process failed.
    """
    names = list(kinds)
    silent = Run(options, systems, lambda text: None)
    progress = Progress(sum(KINDS[name].steps(silent) for name in names))
    try:
        return {
            name: KINDS[name].measure(
                Run(options, systems, lambda text, name=name: progress.step(f"{name}: {text}"))  # type: ignore[misc]
            )
            for name in names
        }
    finally:
        progress.close()
