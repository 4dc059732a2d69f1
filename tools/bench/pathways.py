"""The memory of a caller after batches of Pathways, all of a batch open at once."""

from __future__ import annotations

from cosmonapse.bench.figures import Plot, Report, Table

from . import fabric
from .run import Run

_WARM_UP = 2


def steps(run: Run) -> int:
    """Return how many steps it takes."""
    return _WARM_UP + run.options.rounds


def measure(run: Run) -> Report:
    """Open and settle batch after batch; the first ones warm up the allocator."""
    kib: list[int] = []
    with fabric.running() as running:
        for batch in range(_WARM_UP + run.options.rounds):
            kib.append(running.caller.ask("pathways", run.options.pathway_count))
            run.say(f"batch {batch + 1} of {run.options.pathway_count:,} Pathways: {kib[-1]:,} KiB")
    first, last = kib[_WARM_UP - 1], kib[-1]
    per_pathway = (last - first) * 1024 / (run.options.rounds * run.options.pathway_count)
    table = Table(
        "pathways: memory of the caller between batches",
        (
            "Pathways a batch",
            "MiB after warm-up",
            f"MiB {run.options.rounds} batches later",
            "bytes each",
        ),
        [
            (
                f"{run.options.pathway_count:,}",
                f"{first / 1024:.1f}",
                f"{last / 1024:.1f}",
                f"{per_pathway:.1f}",
            )
        ],
    )
    places = [str(batch) for batch in range(1, len(kib) + 1)]
    series = {"the caller": [each / 1024 for each in kib]}
    plot = Plot("pathways", "Memory after batches of Pathways", "batch", "MiB", places, series)
    return Report((table,), {"rss_kib": kib, "bytes_each": per_pathway}, (plot,))
