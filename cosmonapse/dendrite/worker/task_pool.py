"""Who runs the jobs of an Axon: asyncio tasks that are used again.

A task for each job costs four microseconds, and a Neuron that answers at once needs none of its
own: one *member* runs such jobs one after the other. As soon as a job waits for something, another
member goes on with those behind it, so they never wait for each other. User code always runs in a
real task: `asyncio.timeout`, `current_task` and cancellation are as everywhere. A member whose job
was cancelled, or has left something in its context variables, is not used again.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from .job import Job

_MAX_IDLE = 64
_SLICE_S = 0.002


class TaskPool:
    """The tasks that run jobs.

    Args:
        run: Runs one job to its end; raises nothing that is to be handled.
        name: What the tasks are called.
    """

    def __init__(self, run: Callable[[Job], Coroutine[Any, Any, None]], name: str) -> None:
        self._run = run
        self._name = name
        self._queue: deque[Job] = deque()
        self._idle: list[asyncio.Future[bool]] = []
        self._is_called = False
        self._is_relayed = False
        self._context = contextvars.copy_context()
        self._loop = asyncio.get_running_loop()

    def start(self, job: Job) -> None:
        """Run a job from the next turn of the loop on; one that is settled before is left out."""
        self._queue.append(job)
        if not self._is_called:
            self._is_called = True
            self._call()

    def close(self) -> None:
        """Let every member go that has nothing to do."""
        while self._idle:
            member = self._idle.pop()
            if not member.done():
                member.set_result(False)

    def _call(self) -> None:
        """Let one more member look at the queue."""
        while self._idle:
            member = self._idle.pop()
            if not member.done():
                member.set_result(True)
                return
        self._loop.create_task(self._work(), name=self._name, context=self._context.copy())

    def _relay(self) -> None:
        """Go on with the queue at the next turn, should the member that is at it have to wait."""
        if not self._is_relayed:
            self._is_relayed = True
            self._loop.call_soon(self._relayed)

    def _relayed(self) -> None:
        self._is_relayed = False
        if self._queue:
            self._call()
        else:
            self._is_called = False

    async def _work(self) -> None:
        """Run jobs until there are none, wait for more; see the module for when a member ends."""
        me = asyncio.current_task(self._loop)
        try:
            while await self._work_through(me):
                if not self._queue:
                    if len(self._idle) >= _MAX_IDLE or not await self._next_call():
                        return
                else:
                    await asyncio.sleep(0)  # jobs that never wait must not stop the others
        finally:
            if self._queue:
                self._relay()

    async def _work_through(self, me: asyncio.Task[Any] | None) -> bool:
        """Run what is in the queue, for a while; False when this member is not to be used again."""
        queue, clock = self._queue, self._loop.time
        until_s = clock() + _SLICE_S
        while queue:
            job = queue.popleft()
            if queue:
                self._relay()
            else:
                self._is_called = False
            if job.settled:
                continue
            job.runner = me
            try:
                await self._run(job)
            finally:
                job.end()
            if me is None or me.cancelling() or self._is_stained():
                return False
            if clock() > until_s:
                break
        return True

    def _next_call(self) -> asyncio.Future[bool]:
        """Return what ends when there is something to do: True, or False to go."""
        member: asyncio.Future[bool] = self._loop.create_future()
        self._idle.append(member)
        return member

    def _is_stained(self) -> bool:
        """Tell whether a job has left something in the context variables of its task."""
        try:
            return contextvars.copy_context() != self._context
        except Exception:  # noqa: BLE001  # somebody's value cannot be compared
            return True
