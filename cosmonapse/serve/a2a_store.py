"""What A2A's SDK asks of a store, over the bounded tasks. Needs the extra [a2a]."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import MappingProxyType

import msgpack
from a2a.server.context import ServerCallContext
from a2a.server.tasks import TaskStore
from a2a.types import ListTasksRequest, ListTasksResponse, Task, TaskState
from a2a.utils.errors import InvalidParamsError

from ..signals import Signal
from .a2a_tasks import BoundedTasks, StoredTask, TaskPhase

NEURON = "neuron"
"""The key in the state of a call under which the Neuron of its path is."""
_PAGE = 50
_PHASES = MappingProxyType(
    {
        TaskState.TASK_STATE_COMPLETED: TaskPhase.FINISHED,
        TaskState.TASK_STATE_CANCELED: TaskPhase.FINISHED,
        TaskState.TASK_STATE_FAILED: TaskPhase.FINISHED,
        TaskState.TASK_STATE_REJECTED: TaskPhase.FINISHED,
        TaskState.TASK_STATE_INPUT_REQUIRED: TaskPhase.ASKING,
        TaskState.TASK_STATE_AUTH_REQUIRED: TaskPhase.ASKING,
    }
)


class NeuronTaskStore(TaskStore):
    """Keeps the tasks of all agents within bounds; a call sees those of the agent that it names.

    A task is kept as bytes: their size is known, and no caller changes a task of another.

    Args:
        tasks: The tasks.
        now_s: A monotonic clock.
    """

    def __init__(self, tasks: BoundedTasks, now_s: Callable[[], float] = time.monotonic) -> None:
        self.tasks = tasks
        self._now_s = now_s

    async def save(self, task: Task, context: ServerCallContext) -> None:
        """Keep a task, in place of its earlier form."""
        phase = _PHASES.get(task.status.state, TaskPhase.RUNNING)
        body = task.SerializeToString()
        self.tasks.put(context.state[NEURON], task.id, body, phase, self._now_s())

    async def get(self, task_id: str, context: ServerCallContext) -> Task | None:
        """Return a task of the agent, or None."""
        found = self.tasks.get(context.state[NEURON], task_id, self._now_s())
        return Task.FromString(found.body) if found is not None and found.body else None

    async def list(self, params: ListTasksRequest, context: ServerCallContext) -> ListTasksResponse:
        """Return the tasks of the agent, the one that was changed last first, in pages.

        Raises:
            InvalidParamsError: The page token is not one of ours.
        """
        before = _token(params.page_token)
        found = [
            (stored, task)
            for stored in self.tasks.of(context.state[NEURON], self._now_s())
            if _is_asked_for(task := Task.FromString(stored.body), params)
        ]
        rest = [each for each in found if each[0].number < before]
        size = params.page_size or _PAGE
        page = rest[:size]
        return ListTasksResponse(
            tasks=[task for _, task in page],
            total_size=len(found),
            page_size=size,
            next_page_token=str(page[-1][0].number) if len(rest) > size else "",
        )

    async def delete(self, task_id: str, context: ServerCallContext) -> None:
        """Forget a task of the agent."""
        self.tasks.remove(context.state[NEURON], task_id)

    def remember(self, neuron: str, task_id: str, asking: tuple[Signal, Signal] | None) -> None:
        """Keep the TASK and its question beside a task, until it is answered; None to forget."""
        body = b"" if asking is None else msgpack.packb([each.encode() for each in asking])
        self.tasks.ask(neuron, task_id, body, self._now_s())

    def asking(self, neuron: str, task_id: str) -> tuple[Signal, Signal] | None:
        """Return the TASK and the question that a task waits with, or None."""
        found: StoredTask | None = self.tasks.get(neuron, task_id, self._now_s())
        if found is None or not found.asked:
            return None
        task, question = map(Signal.decode, msgpack.unpackb(found.asked))
        return task, question


def _token(text: str) -> float:
    if not text:
        return float("inf")
    if not text.isascii() or not text.isdigit():
        raise InvalidParamsError(message=f"no page token: {text!r:.80}")
    return int(text)


def _is_asked_for(task: Task, params: ListTasksRequest) -> bool:
    if params.context_id and task.context_id != params.context_id:
        return False
    if params.status and task.status.state != params.status:
        return False
    if not params.HasField("status_timestamp_after"):
        return True
    return bool(
        task.status.timestamp.ToNanoseconds() >= params.status_timestamp_after.ToNanoseconds()
    )
