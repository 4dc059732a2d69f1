"""Open tasks, failures and rates, from Signals alone. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Any

from ..doppler.observed import ObservedSignal
from ..registry import NeuronRecord
from ..signals import SignalType
from .failures import Failures
from .pending_tasks import PendingTask, PendingTasks
from .presence import Presence
from .rates import Rates
from .record import neuron_of

TASKS_SHOWN = 200
ERRORS_SHOWN = 100
NEURONS_SHOWN = 50
_NOBODY = bytes(16)
_CLOCKS_AGREE_S = 0.1


class Vitals:
    """Tracks tasks, errors and rates of one namespace.

    Args:
        presence: The Dendrites and Neurons.
    """

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._tasks = PendingTasks()
        self._failures = Failures()
        self._rates = Rates()

    def observe(self, observed: ObservedSignal, now_s: float) -> None:
        """Record a Signal."""
        self._rates.count(now_s)
        task = self._tasks.observe(observed, now_s)
        failed = observed.signal.type is SignalType.ERROR
        if task is not None:
            neuron = neuron_of(observed) or task.neuron
            if neuron is not None:
                took_s = _took_s(task, observed.signal.ts, now_s)
                self._rates.settled(neuron, failed, took_s * 1000, now_s)
        if failed:
            self._failures.add(observed.signal, neuron_of(observed))

    def compare(self, records: Iterable[NeuronRecord], asked_at_s: float) -> None:
        """Drop tasks that have ended at the Synapse; see `PendingTasks.compare`."""
        self._tasks.compare(records, asked_at_s)

    def open_of(self, worker: bytes) -> int:
        """Return how many open tasks a worker has, as far as observed."""
        return self._tasks.count_of(worker)

    def view(self, now_s: float) -> dict[str, Any]:
        """Return everything for a page."""
        self._rates.advance(now_s)
        ahead: Counter[tuple[bytes, str | None]] = Counter()
        tasks = [self._shown(task, now_s, ahead) for task in islice(self._tasks, TASKS_SHOWN)]
        return {
            "tasks": tasks,
            "more": len(self._tasks) - len(tasks),
            "errors": self._failures.view(ERRORS_SHOWN),
            "neurons": self._rates.view(NEURONS_SHOWN),
            "total_rate": self._rates.totals(),
        }

    def _shown(
        self, task: PendingTask, now_s: float, ahead: Counter[tuple[bytes, str | None]]
    ) -> dict[str, Any]:
        neuron = task.neuron
        if neuron is None and task.worker != _NOBODY:
            neuron = self._presence.neuron_of(task.worker, task.capabilities)
        load = None if task.worker == _NOBODY else self._presence.load_of(task.worker, neuron)
        state = "unknown"
        if load is not None:
            ahead[task.worker, neuron] += 1
            waits = load.queued and ahead[task.worker, neuron] > load.running
            state = "queued" if waits else "running"
        return {
            "id": task.id,
            "trace_id": task.trace_id,
            "neuron": neuron,
            "age_s": round(now_s - task.at_s, 3),
            "state": state,
        }


def _took_s(task: PendingTask, ended_ts: float, now_s: float) -> float:
    """Return the duration of a task, by the clocks of its two ends if they agree with ours.

    Our clock alone includes the time that Signals wait for us; theirs may be wrong.
    """
    by_ours_s, by_theirs_s = now_s - task.at_s, ended_ts - task.ts
    agree = by_theirs_s >= 0 and abs(by_theirs_s - by_ours_s) <= _CLOCKS_AGREE_S
    return by_theirs_s if agree else by_ours_s
