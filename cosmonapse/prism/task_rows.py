"""The rows of running tasks, the worst first: what Signals and the Synapse say of each. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

from ..registry import TaskRecord
from .pending_tasks import PendingTask, PendingTasks
from .presence import Presence

TASKS_SHOWN = 200
STUCK_S = 30.0
"""After so long without a word of it a running task counts as stuck."""
_LOOKED_AT = 2_000
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

NOT_OPEN = frozenset({"asking", "unseen"})


class _Facts(NamedTuple):
    """What decides the place of a task, read of each; the rest is read of those that are shown."""

    task: PendingTask
    neuron: str | None
    state: str
    left_s: float | None
    stuck: str | None


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
        self._found: dict[tuple[bytes, tuple[str, ...]], str | None] = {}

    def compare(self, records: Iterable[TaskRecord] | None, now_s: float) -> None:
        """Take what the Synapse tells of open tasks; None if it does not tell."""
        self._told = {} if records is None else {each.id: each for each in records}
        self._told_at_s = now_s

    def view(self, now_s: float) -> list[dict[str, Any]]:
        """Return the rows, at most 200: the stuck, the asking, the oldest, at last the unseen."""
        ahead: Counter[tuple[bytes, str | None]] = Counter()
        states = self._presence.states()
        self._found.clear()
        tasks = self._tasks
        looked_at = [*islice(tasks, _LOOKED_AT), *tasks.asking, *tasks.unseen(now_s)]
        facts = [self._facts(task, now_s, ahead, states) for task in looked_at]
        facts.sort(key=_place)
        return [self._row(each, now_s) for each in facts[:TASKS_SHOWN]]

    def _facts(
        self,
        task: PendingTask,
        now_s: float,
        ahead: Counter[tuple[bytes, str | None]],
        states: Mapping[bytes, str],
    ) -> _Facts:
        told = self._told.get(task.id)
        left_s = None if told is None else told.remaining_s
        if left_s is not None:
            left_s = round(left_s - (now_s - self._told_at_s), 3)
        neuron = task.neuron or (told.neuron if told is not None else None) or self._able(task)
        state = self._state(task, told, neuron, ahead)
        stuck = self._stuck(task, state, left_s, states.get(task.worker), now_s)
        return _Facts(task, neuron, state, left_s, stuck)

    def _able(self, task: PendingTask) -> str | None:
        """Return the neuron of its worker that has the capabilities; searched once a view."""
        key = (task.worker, task.capabilities)
        if task.worker != _NOBODY and key not in self._found:
            self._found[key] = self._presence.neuron_of(*key)
        return self._found.get(key)

    def _row(self, facts: _Facts, now_s: float) -> dict[str, Any]:
        presence, task = self._presence, facts.task
        age_s = round(now_s - task.at_s, 3)
        first_s = None if task.first_at_s is None else round(task.first_at_s - task.at_s, 3)
        row = {
            "id": task.id,
            "trace_id": task.trace_id,
            "parent_id": task.parent_id,
            "neuron": facts.neuron,
            "capabilities": list(task.capabilities),
            "caller": _end(task.caller, presence),
            "worker": _end(task.worker, presence),
            "prompt": task.read(),
            "age_s": age_s,
            "state": facts.state,
            "first_thought_s": first_s,
            "queue_s": age_s if facts.state == "queued" else None,
            "deadline_s": facts.left_s,
            "thoughts": task.thoughts,
            "characters": task.characters,
            "attempt": task.attempt,
            "stuck": facts.stuck,
        }
        if task.asks is not None:
            row["question"] = task.question
            row["asks"] = task.asks.value.lower()
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
        if task.ended_at_s is not None:
            return "unseen"
        if told is not None and told.state in _STATES:
            return told.state
        load = None if task.worker == _NOBODY else self._presence.load_of(task.worker, neuron)
        if load is None:
            return "unknown"
        ahead[task.worker, neuron] += 1
        waits = load.queued and ahead[task.worker, neuron] > load.running
        return "queued" if waits and task.first_at_s is None else "running"

    def _stuck(
        self,
        task: PendingTask,
        state: str,
        left_s: float | None,
        unwell: str | None,
        now_s: float,
    ) -> str | None:
        """Return why a task does not go on, in words; None if nothing says so."""
        if state in NOT_OPEN:
            return None
        if left_s is not None and left_s <= 0:
            return "it is past its deadline"
        if unwell in _UNWELL:
            return _UNWELL[unwell]
        silent_s = now_s - task.told_at_s
        if state in _STATES or silent_s <= STUCK_S:
            return _STATES.get(state)
        if state == "queued":
            return f"it has waited in the queue for {silent_s:.0f} s"
        return f"no word of it for {silent_s:.0f} s"


def _place(facts: _Facts) -> tuple[bool, bool, bool, float]:
    state = facts.state
    return state == "unseen", facts.stuck is None, state != "asking", facts.task.at_s


def _end(instance: bytes, presence: Presence) -> dict[str, str] | None:
    if instance == _NOBODY or not instance:
        return None
    return {"instance": instance.hex(), "name": presence.name_of(instance)}
