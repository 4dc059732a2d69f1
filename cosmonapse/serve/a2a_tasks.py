"""The tasks that A2A's clients may ask for later: how many, how long and how large. Pure.

One rule: there are at most so many, with so many bytes, and none is older than an hour. What is
over is dropped, the finished ones first, then those that wait for an answer, the oldest of them
first. A task is bytes here, whatever they mean.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from enum import IntEnum

import attrs

MAX_TASKS = 10_000
MAX_BYTES = 64 * 1024 * 1024
KEEP_S = 3600.0
_OVERHEAD_BYTES = 1024
"""What a task costs beside its bytes, about."""


class TaskPhase(IntEnum):
    """What a task does; the lower it is, the sooner the task is dropped."""

    FINISHED = 0
    ASKING = 1
    RUNNING = 2


@attrs.frozen
class StoredTask:
    """A task.

    Args:
        body: The task; empty if its question came before it.
        asked: The question that it waits with, and the TASK that led to it; empty for none.
        phase: What it does.
        changed_at_s: When it was changed.
        number: Rises with each change of any task.
    """

    body: bytes
    asked: bytes
    phase: TaskPhase
    changed_at_s: float
    number: int

    @property
    def size(self) -> int:
        """What it counts for."""
        return len(self.body) + len(self.asked) + _OVERHEAD_BYTES


class BoundedTasks:
    """The tasks by agent and id.

    Args:
        max_tasks: The most tasks.
        max_bytes: The most bytes of all of them.
        keep_s: The longest time that a task is kept after its last change.
        counts: Where tasks are counted that were dropped before their time; by default its own.

    Attributes:
        counts: The same.
        bytes_held: The bytes of all of them, with 1 KiB for each.
    """

    def __init__(
        self,
        max_tasks: int = MAX_TASKS,
        max_bytes: int = MAX_BYTES,
        keep_s: float = KEEP_S,
        counts: Counter[str] | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter() if counts is None else counts
        self.bytes_held = 0
        self._max_tasks = max_tasks
        self._max_bytes = max_bytes
        self._keep_s = keep_s
        self._number = 0
        # One queue for each phase, the task that was changed the longest ago first.
        self._queues: dict[TaskPhase, OrderedDict[tuple[str, str], StoredTask]] = {
            phase: OrderedDict() for phase in TaskPhase
        }

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def put(self, agent: str, task_id: str, body: bytes, phase: TaskPhase, now_s: float) -> None:
        """Keep a task, in place of an earlier form of it; drop what is over the bounds."""
        before = self._take(agent, task_id)
        asked = before.asked if before is not None and phase is not TaskPhase.FINISHED else b""
        self._keep(agent, task_id, body, asked, phase, now_s)
        self._drop_old(now_s)
        self._drop_over()

    def ask(self, agent: str, task_id: str, asked: bytes, now_s: float) -> None:
        """Keep a question beside its task; empty for none.

        It may come before its task, which is empty until then.
        """
        before = self._take(agent, task_id)
        if before is not None:
            self._keep(agent, task_id, before.body, asked, before.phase, now_s)
        elif asked:
            self._keep(agent, task_id, b"", asked, TaskPhase.ASKING, now_s)
        self._drop_over()

    def get(self, agent: str, task_id: str, now_s: float) -> StoredTask | None:
        """Return a task, or None."""
        self._drop_old(now_s)
        return next(
            (q[agent, task_id] for q in self._queues.values() if (agent, task_id) in q), None
        )

    def of(self, agent: str, now_s: float) -> Iterator[StoredTask]:
        """Yield the tasks of an agent, the one that was changed last first."""
        self._drop_old(now_s)
        found = [
            task
            for queue in self._queues.values()
            for (owner, _), task in queue.items()
            if owner == agent and task.body
        ]
        yield from sorted(found, key=lambda task: task.number, reverse=True)

    def remove(self, agent: str, task_id: str) -> None:
        """Forget a task."""
        self._take(agent, task_id)

    def _keep(
        self, agent: str, task_id: str, body: bytes, asked: bytes, phase: TaskPhase, now_s: float
    ) -> None:
        self._number += 1
        task = StoredTask(body, asked, phase, now_s, self._number)
        self._queues[phase][agent, task_id] = task
        self.bytes_held += task.size

    def _take(self, agent: str, task_id: str) -> StoredTask | None:
        for queue in self._queues.values():
            task = queue.pop((agent, task_id), None)
            if task is not None:
                self.bytes_held -= task.size
                return task
        return None

    def _drop_old(self, now_s: float) -> None:
        for phase in (TaskPhase.FINISHED, TaskPhase.ASKING):
            queue = self._queues[phase]
            while queue and now_s - next(iter(queue.values())).changed_at_s > self._keep_s:
                self._drop_first(phase)

    def _drop_over(self) -> None:
        while len(self) > self._max_tasks or self.bytes_held > self._max_bytes:
            if len(self) <= 1:  # the one that is being kept
                return
            self._drop_first(next(phase for phase in TaskPhase if self._queues[phase]))
            self.counts["drop.a2a_task"] += 1

    def _drop_first(self, phase: TaskPhase) -> None:
        _, task = self._queues[phase].popitem(last=False)
        self.bytes_held -= task.size
