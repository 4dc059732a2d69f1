"""Tasks that were observed and have no outcome yet. Pure.

A task may end unobserved: its caller cancels it, or its reply is missed. The tables of the Synapse
show that: a worker without open tasks there has none here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping

import attrs

from ..doppler.observed import ObservedSignal
from ..registry import NeuronRecord
from ..signals import SignalType
from .record import neuron_of

MOST_TASKS = 20_000
_NOBODY = bytes(16)
_SETTLING = frozenset(
    {
        SignalType.AGENT_OUTPUT,
        SignalType.FINAL,
        SignalType.ERROR,
        SignalType.CLARIFICATION,
        SignalType.PERMISSION,
        SignalType.ESCALATION,
    }
)
_SLACK_S = 1.0
_ABSENT_S = 15.0
_HOMELESS_S = 300.0


@attrs.frozen
class PendingTask:
    """A task without an outcome.

    Args:
        id: The id of its TASK.
        trace_id: Its workflow.
        neuron: The neuron it names, if it names one.
        capabilities: The capabilities it requires otherwise.
        worker: Instance id of its worker; zero if unknown.
        at_s: When it was observed.
        ts: When it was made, by the clock of its caller.
    """

    id: str
    trace_id: str
    neuron: str | None
    capabilities: tuple[str, ...]
    worker: bytes
    at_s: float
    ts: float


class PendingTasks:
    """The open tasks, the oldest first.

    Args:
        most: Most tasks that are remembered; beyond that the oldest is dropped.
    """

    def __init__(self, most: int = MOST_TASKS) -> None:
        self._open: OrderedDict[str, PendingTask] = OrderedDict()
        self._absent_since_s: dict[bytes, float] = {}
        self._most = most

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._open)

    def __iter__(self) -> Iterator[PendingTask]:
        """Yield them, the oldest first."""
        return iter(self._open.values())

    def observe(self, observed: ObservedSignal, now_s: float) -> PendingTask | None:
        """Record a Signal; return the task that it settles, if it does."""
        signal = observed.signal
        if signal.type is SignalType.TASK:
            directed = signal.directed
            named = (neuron_of(observed), () if directed is None else directed.capabilities)
            self._open[signal.id] = PendingTask(
                signal.id, signal.trace_id, *named, observed.worker, now_s, signal.ts
            )
            if len(self._open) > self._most:
                self._open.popitem(last=False)
        elif signal.type in _SETTLING and signal.parent_id is not None:
            return self._open.pop(signal.parent_id, None)
        return None

    def count_of(self, worker: bytes) -> int:
        """Return how many open tasks a worker has."""
        return sum(1 for task in self._open.values() if task.worker == worker)

    def compare(self, records: Iterable[NeuronRecord], asked_at_s: float) -> None:
        """Drop the tasks that are not open in the tables of the Synapse any more.

        Args:
            records: Every Axon of the namespace.
            asked_at_s: When the Synapse was asked for them; later tasks may be missing.
        """
        open_of: dict[tuple[bytes, str | None], int] = {}
        for record in records:
            worker = bytes.fromhex(record.instance)
            for key in ((worker, record.neuron_id), (worker, None)):
                open_of[key] = open_of.get(key, 0) + record.open
        workers = {worker for worker, _ in open_of}
        self._absent_since_s = {
            task.worker: self._absent_since_s.get(task.worker, asked_at_s)
            for task in self._open.values()
            if task.worker not in workers
        }
        ended = [
            task.id
            for task in self._open.values()
            if task.at_s < asked_at_s - _SLACK_S and self._has_ended(task, open_of, asked_at_s)
        ]
        for each in ended:
            del self._open[each]

    def _has_ended(
        self, task: PendingTask, open_of: Mapping[tuple[bytes, str | None], int], now_s: float
    ) -> bool:
        since_s = self._absent_since_s.get(task.worker)
        if since_s is None:
            key = (task.worker, task.neuron)
            return not open_of.get(key, open_of[task.worker, None])
        limit_s = _HOMELESS_S if task.worker == _NOBODY else _ABSENT_S
        return now_s - (task.at_s if task.worker == _NOBODY else since_s) > limit_s
