"""The metrics and probes of a whole worker: the runner answers, and asks its processes."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ..exposition.collector import merged, metric_of
from ..exposition.probe_server import ProbeServer, probing
from ..exposition.process_line import METRICS, PROBE, AskingEnd, Facts, answer_by
from ..telemetry.families import gauges
from ..telemetry.liveness import Judgement, LoopPulse
from .supervisor import Phase, Supervisor, WorkerProcess

if TYPE_CHECKING:
    from prometheus_client.core import Metric

ANSWER_S = 2.0
_PROCESS = "process"


class WorkerMetrics:
    """Serves the metrics and probes of all processes of a runner at one address.

    Args:
        address: `HOST:PORT`; port 0 for any free one.
        supervisor: Knows the processes.

    Attributes:
        pulse: The beat of the runner's own loop.
        url: Where it listens.
        warning: A line for people if other machines can read it, else empty.

    Raises:
        MissingExtra: prometheus-client is not installed.
        ValueError: `address` is no address.
        PortInUse: It cannot listen there.
    """

    def __init__(self, address: str, supervisor: Supervisor) -> None:
        from prometheus_client import CollectorRegistry

        from ..exposition.metrics_app import metrics_app

        self.pulse = LoopPulse()
        self._supervisor = supervisor
        self._lines: dict[int, AskingEnd] = {}
        registry = CollectorRegistry()
        registry.register(self)
        app = probing(metrics_app(registry), self.alive, self.ready)
        self._server = ProbeServer(address, app)
        self.url = self._server.url
        self.warning = self._server.warning

    def new_line(self, number: int) -> socket.socket:
        """Return the end of the line for a process that is about to start."""
        ours, theirs = socket.socketpair()
        self._lines[number] = AskingEnd(ours)
        return theirs

    def end_line(self, number: int) -> None:
        """Forget a process that has ended."""
        line = self._lines.pop(number, None)
        if line is not None:
            line.close()

    def close(self) -> None:
        """Listen no more."""
        self.pulse.stop()
        self._server.close()

    # -- in the threads of the server --------------------------------------------------------------

    def describe(self) -> Iterable[Metric]:
        """See prometheus-client: its names are known when its processes have told them."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """See prometheus-client."""
        phases = dict.fromkeys(Phase, 0)
        for process in self._processes():
            phases[process.phase] += 1
        yield metric_of(
            gauges(
                "cosmonapse_worker_processes",
                "The processes of this worker, by what they do.",
                {(("phase", phase.value),): count for phase, count in phases.items()},
            )
        )
        told = {str(each.place): facts for each, facts in self._ask(self._counting(), METRICS)}
        yield metric_of(
            gauges(
                "cosmonapse_worker_process_answers",
                "1 if the process has given its metrics in time, else 0 and they are missing.",
                {((_PROCESS, place),): facts is not None for place, facts in told.items()},
            )
        )
        yield from merged(
            ((place, facts["metrics"]) for place, facts in told.items() if facts), _PROCESS
        )

    def alive(self) -> Judgement:
        """Return whether the loops of the runner and of every process that serves turn."""
        own = self.pulse.judge()
        return self._judged("alive") if own.ok else own

    def ready(self) -> Judgement:
        """Return whether every place has a process that work can reach."""
        if self._supervisor.exit_code is not None:
            return Judgement(False, "the worker is stopping")
        places = {each.place for each in self._serving()}
        for place in range(self._supervisor.count):
            if place not in places:
                return Judgement(False, f"process {place} does not serve")
        return self._judged("ready")

    def _judged(self, what: str) -> Judgement:
        last = Judgement(True, "the runner waits for its processes")
        for process, facts in self._ask(self._serving(), PROBE):
            ok, why = facts[what] if facts else (False, "it does not answer")
            last = Judgement(ok, f"process {process.place} (pid {process.pid}): {why}")
            if not ok and process in self._serving():
                return last
        return last

    def _ask(
        self, processes: Sequence[WorkerProcess], letter: bytes
    ) -> list[tuple[WorkerProcess, Facts | None]]:
        """Ask them all at once; one that does not answer in time costs the others nothing."""
        until_s = time.monotonic() + ANSWER_S
        lines = [self._lines.get(each.number) for each in processes]
        answers = [None if line is None else line.asked(letter) for line in lines]
        return [
            (process, None if answer is None else answer_by(answer, until_s))
            for process, answer in zip(processes, answers, strict=True)
        ]

    def _processes(self) -> list[WorkerProcess]:
        return list(self._supervisor.processes.values())

    def _serving(self) -> list[WorkerProcess]:
        return [each for each in self._processes() if each.phase is Phase.SERVING]

    def _counting(self) -> list[WorkerProcess]:
        """Return the process of each place: that which serves, else the last that leaves."""
        of_place: dict[int, WorkerProcess] = {}
        for phase in (Phase.LEAVING, Phase.SERVING):
            for each in self._processes():
                if each.phase is phase:
                    of_place[each.place] = each
        return [of_place[place] for place in sorted(of_place)]
