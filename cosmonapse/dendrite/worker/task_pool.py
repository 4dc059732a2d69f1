"""The asyncio tasks that run the jobs of an Axon, used again for many jobs.

Decision: docs/design/decisions/0009-tasks-used-again.md. A new task for each job costs four
microseconds, and a Neuron that answers at once needs none of its own: one *runner* runs such jobs
one after the other. As soon as a job waits, another runner continues with the queue, so jobs never
wait for each other. User code always runs in a real task: `asyncio.timeout`, `current_task` and
cancellation work as everywhere.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from .job import Job

_MAX_IDLE = 64
_TURN_S = 0.002


class TaskPool:
    """The runners of one Axon.

    Args:
        run: Runs one job to its end; raises no exception that anybody has to handle.
        name: The name of the asyncio tasks.
    """

    def __init__(self, run: Callable[[Job], Coroutine[Any, Any, None]], name: str) -> None:
        self._run = run
        self._name = name
        self._queue: deque[Job] = deque()
        self._idle: list[asyncio.Future[bool]] = []
        self._is_served = False
        self._is_check_due = False
        self._context = contextvars.copy_context()
        self._loop = asyncio.get_running_loop()

    def start(self, job: Job) -> None:
        """Run a job from the next turn of the loop on; skip it if it is settled before."""
        self._queue.append(job)
        if not self._is_served:
            self._is_served = True
            self._wake_runner()

    def close(self) -> None:
        """End every runner that has no job."""
        while self._idle:
            woken = self._idle.pop()
            if not woken.done():
                woken.set_result(False)

    def _wake_runner(self) -> None:
        """Let an idle runner, or a new one, serve the queue."""
        while self._idle:
            woken = self._idle.pop()
            if not woken.done():
                woken.set_result(True)
                return
        self._loop.create_task(self._work(), name=self._name, context=self._context.copy())

    def _check_soon(self) -> None:
        """Look at the queue at the next turn: the runner that serves it may be waiting by then."""
        if not self._is_check_due:
            self._is_check_due = True
            self._loop.call_soon(self._check)

    def _check(self) -> None:
        self._is_check_due = False
        if self._queue:
            self._wake_runner()
        else:
            self._is_served = False

    async def _work(self) -> None:
        """Run jobs, wait for more; end if too many runners are idle or this one is unusable."""
        me = asyncio.current_task(self._loop)
        try:
            while await self._serve_queue(me):
                if not self._queue:
                    if len(self._idle) >= _MAX_IDLE or not await self._next_wake():
                        return
                else:
                    await asyncio.sleep(0)  # jobs that never wait must not block the loop
        except GeneratorExit:
            return  # its job awaited a future with this exception, or the loop has ended
        finally:
            if self._queue:
                self._check_soon()

    async def _serve_queue(self, me: asyncio.Task[Any] | None) -> bool:
        """Run jobs for at most 2 ms; return False if this runner must not run another job."""
        queue, clock = self._queue, self._loop.time
        until_s = clock() + _TURN_S
        while queue:
            job = queue.popleft()
            if queue:
                self._check_soon()
            else:
                self._is_served = False
            if job.settled:
                continue
            job.runner = me
            try:
                await self._run(job)
            finally:
                job.end()
            # Decision 0009: the next job must see neither a cancellation nor the context variables
            # of this one.
            if me is None or me.cancelling() or self._has_changed_context():
                return False
            if clock() > until_s:
                break
        return True

    def _next_wake(self) -> asyncio.Future[bool]:
        """Return a future that `_wake_runner` sets to True and `close` to False."""
        woken: asyncio.Future[bool] = self._loop.create_future()
        self._idle.append(woken)
        return woken

    def _has_changed_context(self) -> bool:
        """Return whether a job has left a value in the context variables of its task."""
        try:
            return contextvars.copy_context() != self._context
        except Exception:  # noqa: BLE001  # a value of the user cannot be compared
            return True
