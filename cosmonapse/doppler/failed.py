"""The ERRORs of a namespace, each with the TASKs that it failed in. Pure."""

from __future__ import annotations

from collections import OrderedDict

from ..signals import SignalType
from .observed import ObservedSignal
from .signal_filter import SignalFilter

TYPES = frozenset({SignalType.TASK, SignalType.ERROR})
"""The types that it needs."""
MOST_TASKS = 10_000
MOST_BYTES = 64 * 1024 * 1024
_MOST_ABOVE = 10


class FailedOnly:
    """Chooses ERRORs, and before each the TASKs above it that were not chosen yet.

    It remembers the last 10,000 TASKs, or 64 MiB of them.

    Args:
        wanted: The ERRORs that are chosen; its types do not count.
    """

    def __init__(self, wanted: SignalFilter) -> None:
        self._wanted = SignalFilter(frozenset(), wanted.trace, wanted.neuron)
        self._tasks: OrderedDict[str, ObservedSignal] = OrderedDict()
        self._bytes = 0

    def __call__(self, observed: ObservedSignal) -> list[ObservedSignal]:
        """Return what is to be shown now, the oldest first."""
        signal = observed.signal
        if signal.type is SignalType.TASK:
            self._remember(observed)
        if signal.type is not SignalType.ERROR or not self._wanted(observed):
            return []
        above: list[ObservedSignal] = []
        parent = signal.parent_id
        while parent is not None and len(above) < _MOST_ABOVE:
            task = self._forget(parent)
            if task is None:
                break
            above.append(task)
            parent = task.signal.parent_id
        return [*reversed(above), observed]

    def _remember(self, task: ObservedSignal) -> None:
        self._forget(task.signal.id)
        self._tasks[task.signal.id] = task
        self._bytes += len(task.body)
        while len(self._tasks) > MOST_TASKS or self._bytes > MOST_BYTES:
            self._forget(next(iter(self._tasks)))

    def _forget(self, task_id: str) -> ObservedSignal | None:
        task = self._tasks.pop(task_id, None)
        if task is not None:
            self._bytes -= len(task.body)
        return task
