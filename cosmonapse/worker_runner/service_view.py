"""What the runner says to the service manager about its processes.

Each process that serves sends a beat from its own event loop. One whose loop is blocked sends none,
and then the runner is silent towards the watchdog too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from ..telemetry.liveness import Judgement
from .supervisor import Phase, WorkerProcess

BEATS_PER_S = 2.5
BEAT_S = 1 / BEATS_PER_S


class ServiceView:
    """The processes of a runner as the service manager sees them; safe from every thread.

    Args:
        processes: Returns those that live.
        count: How many shall serve.
    """

    def __init__(self, processes: Callable[[], Iterable[WorkerProcess]], count: int) -> None:
        self._processes = processes
        self._count = count
        self._beats: dict[int, tuple[float, int, int]] = {}

    def beat(self, number: int, running: int = 0, queued: int = 0) -> None:
        """Record that the loop of a process turned, and what it has to do."""
        self._beats[number] = (time.monotonic(), running, queued)

    def ended(self, number: int) -> None:
        """Forget a process."""
        self._beats.pop(number, None)

    def judge(self, stalled_s: float) -> Judgement:
        """Return whether the loop of each process that serves turned within so many seconds."""
        for process in self._serving():
            at_s, *_ = self._beats.get(process.number, (process.since_s, 0, 0))
            age_s = time.monotonic() - at_s
            if age_s >= stalled_s:
                why = f"the event loop of process {process.pid} has not turned for {age_s:.1f} s"
                return Judgement(False, why)
        return Judgement(True, "every event loop turns")

    def status(self) -> str:
        """Return a line about the work."""
        serving = [each.number for each in self._serving()]
        loads = [self._beats.get(each, (0.0, 0, 0)) for each in serving]
        running, queued = (sum(each[place] for each in loads) for place in (1, 2))
        of = "" if self._count == 1 == len(serving) else f"{len(serving)}/{self._count} serve, "
        return f"{of}{running} running, {queued} queued"

    def _serving(self) -> list[WorkerProcess]:
        found = list(self._processes())
        return [each for each in found if each.phase is Phase.SERVING]
