"""The rows of running tasks, the worst first: what Signals and the Synapse say of each. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from ..doppler.preview import preview
from ..registry import TaskRecord
from ..signals import Signal
from .pending_tasks import PendingTask, PendingTasks
from .presence import Presence

TASKS_SHOWN = 200
STUCK_S = 30.0
"""After so long without a word of it a running task counts as stuck."""
_LOOKED_AT = 2_000
_PROMPT_CHARS = 200
_NOBODY = bytes(16)
_UNWELL = {
    "stuck": "its worker does not respond: the event loop is blocked",
    "away": "its worker is away",
    "gone": "its worker is gone",
}
_STATES = {
    "parked": "it waits for a worker since the Synapse started",
    "wanted": "it is looked for",
}


class TaskRows:
    """The running tasks of one namespace.

    Args:
        tasks: Those that were observed.
        presence: The Dendrites and Neurons.
    """

    def __init__(self, tasks: PendingTasks, presence: Presence) -> None:
        self._tasks = tasks
        self._presence = presence
        self._told: Mapping[str, TaskRecord] = {}
        self._told_at_s = 0.0

    def compare(self, records: Iterable[TaskRecord] | None, now_s: float) -> None:
        """Take what the Synapse tells of open tasks; None if it does not tell."""
        self._told = {} if records is None else {each.id: each for each in records}
        self._told_at_s = now_s

    def view(self, now_s: float) -> list[dict[str, Any]]:
        """Return the rows: the stuck and the asking first, then the oldest; at most 200."""
        ahead: Counter[tuple[bytes, str | None]] = Counter()
        rows = [self._row(task, now_s, ahead) for task in islice(self._tasks, _LOOKED_AT)]
        rows += [self._row(task, now_s, ahead) for task in self._tasks.asking]
        rows.sort(key=lambda row: (row["stuck"] is None, row["state"] != "asking", -row["age_s"]))
        return rows[:TASKS_SHOWN]

    def _row(
        self, task: PendingTask, now_s: float, ahead: Counter[tuple[bytes, str | None]]
    ) -> dict[str, Any]:
        presence, told = self._presence, self._told.get(task.id)
        neuron = task.neuron
        if neuron is None and task.worker != _NOBODY:
            neuron = presence.neuron_of(task.worker, task.capabilities)
        left_s = None if told is None else told.remaining_s
        if left_s is not None:
            left_s = round(left_s - (now_s - self._told_at_s), 3)
        state = self._state(task, told, neuron, ahead)
        row = {
            "id": task.id,
            "trace_id": task.trace_id,
            "parent_id": task.parent_id,
            "neuron": neuron,
            "capabilities": [str(each)[:128] for each in task.capabilities[:16]],
            "caller": _end(task.caller, presence),
            "worker": _end(task.worker, presence),
            "prompt": _prompt(task.body),
            "age_s": round(now_s - task.at_s, 3),
            "state": state,
            "first_thought_s": None
            if task.first_at_s is None
            else round(task.first_at_s - task.at_s, 3),
            "queue_s": round(now_s - task.at_s, 3) if state == "queued" else None,
            "deadline_s": left_s,
            "thoughts": task.thoughts,
            "characters": task.characters,
            "attempt": task.attempt,
            "stuck": self._stuck(task, state, left_s, now_s),
        }
        if task.asks is not None:
            row["question"] = _line(task.asks)
            row["asks"] = task.asks.type.value.lower()
        return row

    def _state(
        self,
        task: PendingTask,
        told: TaskRecord | None,
        neuron: str | None,
        ahead: Counter[tuple[bytes, str | None]],
    ) -> str:
        if task.asks is not None:
            return "asking"
        if told is not None and told.state in _STATES:
            return told.state
        load = None if task.worker == _NOBODY else self._presence.load_of(task.worker, neuron)
        if load is None:
            return "unknown"
        ahead[task.worker, neuron] += 1
        waits = load.queued and ahead[task.worker, neuron] > load.running
        return "queued" if waits and task.first_at_s is None else "running"

    def _stuck(
        self, task: PendingTask, state: str, left_s: float | None, now_s: float
    ) -> str | None:
        """Return why a task does not go on, in words; None if nothing says so."""
        if state == "asking":
            return None
        if left_s is not None and left_s < 0:
            return "it is past its deadline"
        unwell = None if task.worker == _NOBODY else self._presence.state_of(task.worker)
        if unwell in _UNWELL:
            return _UNWELL[unwell]
        silent_s = now_s - task.told_at_s
        if state in _STATES or silent_s <= STUCK_S:
            return _STATES.get(state)
        if state == "queued":
            return f"it has waited in the queue for {silent_s:.0f} s"
        return f"no word of it for {silent_s:.0f} s"


def _end(instance: bytes, presence: Presence) -> dict[str, str] | None:
    if instance == _NOBODY or not instance:
        return None
    return {"instance": instance.hex(), "name": presence.name_of(instance)}


def _prompt(body: bytes) -> str:
    return _line(Signal.decode(body)) if body else ""


def _line(signal: Signal) -> str:
    """Return what a Signal says, on one line of at most 200 characters, secrets masked."""
    return " ".join(preview(signal)[: 2 * _PROMPT_CHARS].split())[:_PROMPT_CHARS]
