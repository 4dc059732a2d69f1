"""What Pathways leave behind: memory of a caller after batches of them, all open at once."""

from __future__ import annotations

from collections.abc import Callable

from . import fabric
from .figures import Options, Report, Table

_WARM_UP = 2


def run(options: Options, say: Callable[[str], None]) -> Report:
    """Open and settle batch after batch; the first ones are what the allocator keeps anyway."""
    kib: list[int] = []
    with fabric.running() as running:
        for batch in range(_WARM_UP + options.rounds):
            kib.append(running.caller.ask("pathways", options.pathway_count))
            say(f"batch {batch + 1} of {options.pathway_count:,} Pathways: {kib[-1]:,} KiB")
    first, last = kib[_WARM_UP - 1], kib[-1]
    per_pathway = (last - first) * 1024 / (options.rounds * options.pathway_count)
    table = Table(
        "pathways: memory of the caller between batches",
        (
            "Pathways a batch",
            "MiB after warm-up",
            f"MiB {options.rounds} batches later",
            "bytes each",
        ),
        [
            (
                f"{options.pathway_count:,}",
                f"{first / 1024:.1f}",
                f"{last / 1024:.1f}",
                f"{per_pathway:.1f}",
            )
        ],
    )
    return Report(table, {"rss_kib": kib, "bytes_each": per_pathway})
