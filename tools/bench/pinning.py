"""Run everything on one core: ratios are steady then, and show the CPU cost of one call."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOOK_S = 0.3
_IDLE = (3, 4)  # the columns idle and iowait


@contextmanager
def pinned() -> Iterator[None]:
    """Keep this process, and all it starts, on the core that is least busy; on Linux only."""
    if not hasattr(os, "sched_setaffinity"):
        sys.exit("bench: --pin works where the system can pin a process: on Linux")
    cores = os.sched_getaffinity(0)
    before = _idle_ticks()
    time.sleep(_LOOK_S)
    after = _idle_ticks()
    os.sched_setaffinity(0, {max(cores, key=lambda core: after[core] - before[core])})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def _idle_ticks() -> dict[int, int]:
    """Return how long each core has had nothing to do."""
    lines = (line.split() for line in Path("/proc/stat").read_text().splitlines())
    return {
        int(name[3:]): sum(int(ticks[column]) for column in _IDLE)
        for name, *ticks in lines
        if name.startswith("cpu") and name != "cpu"
    }
