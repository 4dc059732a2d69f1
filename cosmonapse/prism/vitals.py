"""What happens now: running tasks, failures by root cause, Neurons and their figures. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..doppler.observed import ObservedSignal
from ..registry import NeuronRecord, TaskRecord
from ..signals import SignalType
from .pending_tasks import PendingTask, PendingTasks
from .presence import Presence
from .rates import Rates
from .record import neuron_of
from .root_causes import Cause, RootCauses
from .task_rows import NOT_OPEN, TaskRows

CAUSES_SHOWN = 100
NEURONS_SHOWN = 1_000
SERIES_SHOWN = 50
_CLOCKS_AGREE_S = 0.1


class Vitals:
    """Tracks tasks, failures and rates of one namespace.

    Args:
        presence: The Dendrites and Neurons.
    """

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._tasks = PendingTasks()
        self._rows = TaskRows(self._tasks, presence)
        self._causes = RootCauses()
        self._rates = Rates()

    def observe(self, observed: ObservedSignal, now_s: float) -> Cause | None:
        """Record a Signal; return the root cause if it is an ERROR of a task."""
        self._rates.count(now_s)
        task = self._tasks.observe(observed, now_s)
        if task is not None:
            neuron = neuron_of(observed) or task.neuron
            if neuron is not None:
                failed = observed.signal.type is SignalType.ERROR
                took_s = _took_s(task, observed.signal.ts, now_s)
                self._rates.settled(neuron, failed, took_s * 1000, now_s)
        return self._causes.observe(observed, now_s)

    def compare(self, records: Iterable[NeuronRecord], asked_at_s: float) -> list[PendingTask]:
        """Drop tasks that have ended at the Synapse; see `PendingTasks.compare`."""
        return self._tasks.compare(records, asked_at_s)

    def compare_tasks(self, records: Iterable[TaskRecord] | None, asked_at_s: float) -> None:
        """Take what the Synapse tells of open tasks; None if it does not tell."""
        told = None if records is None else list(records)
        self._rows.compare(told, asked_at_s)
        if told is not None:
            self._tasks.compare_tasks(told, asked_at_s)

    def open_of(self, worker: bytes) -> int:
        """Return how many open tasks a worker has, as far as observed."""
        return self._tasks.count_of(worker)

    def view(self, now_s: float) -> dict[str, Any]:
        """Return everything for a page; docs/prism.md has the shape of `now`."""
        self._rates.advance(now_s)
        tasks = self._rows.view(now_s)
        shown = sum(1 for each in tasks if each["state"] not in NOT_OPEN)
        return {
            "tasks": tasks,
            "more": max(0, len(self._tasks) - shown),
            "open": len(self._tasks),
            "causes": self._causes.view(CAUSES_SHOWN, now_s, self._presence.name_of),
            "neurons": self._neurons(now_s),
            "series": self._rates.view(SERIES_SHOWN),
            "total_rate": self._rates.totals(),
            "signals_per_s": self._rates.signals_per_s(),
        }

    def _neurons(self, now_s: float) -> list[dict[str, Any]]:
        """Return the Neurons, those first with which something is wrong."""
        groups = self._presence.groups(now_s)
        missing = self._causes.missing()
        for name in missing - groups.keys():
            if not any(_serves(group, name) for group in groups.values()):
                groups[name] = self._presence.missing(name)
        rows = []
        for name, group in groups.items():
            replicas = group["replicas"]
            lacks = name in missing and not replicas["alive"]
            rows.append({**group, **self._rates.recent(name), "missing": lacks})
        rows.sort(key=_urgency)
        return rows[:NEURONS_SHOWN]


def _serves(group: dict[str, Any], capabilities: str) -> bool:
    """Return whether a live Neuron has what a TASK asked for, told as `a, b`."""
    has_all = set(capabilities.split(", ")) <= set(group["capabilities"])
    return has_all and bool(group["replicas"]["alive"])


def _urgency(row: dict[str, Any]) -> tuple[Any, ...]:
    """Return what the worst Neuron has least of."""
    replicas = row["replicas"]
    return (
        not row["missing"],
        not replicas["stuck"],
        not (replicas["gone"] and not replicas["alive"]),
        -(row["error_rate"] or 0.0),
        not replicas["away"],
        -row["queued"],
        -row["running"],
        row["neuron_id"],
    )


def _took_s(task: PendingTask, ended_ts: float, now_s: float) -> float:
    """Return the duration of a task, by the clocks of its two ends if they agree with ours.

    Our clock alone includes the time that Signals wait for us; theirs may be wrong.
    """
    by_ours_s, by_theirs_s = now_s - task.at_s, ended_ts - task.ts
    agree = by_theirs_s >= 0 and abs(by_theirs_s - by_ours_s) <= _CLOCKS_AGREE_S
    return by_theirs_s if agree else by_ours_s
