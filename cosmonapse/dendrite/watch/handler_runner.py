"""Run one handler: a bounded queue, and an asyncio task while it holds Signals."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable

from ...signals import Signal
from .call_handler import call
from .handlers import Handler

_LOG = logging.getLogger(__name__)
QUEUE_LIMIT = 32_768
_TURN_S = 0.002
Ended = Callable[[], None]


class HandlerRunner:
    """Calls one handler, in order.

    Args:
        handler: The handler.
        counts: The counters of its failures.
    """

    def __init__(self, handler: Handler, counts: Counter[str]) -> None:
        self._handler = handler
        self._counts = counts
        self._queue: deque[tuple[Signal, Ended | None]] = deque()
        self._task: asyncio.Task[None] | None = None

    def put(self, signal: Signal, ended: Ended | None = None) -> None:
        """Queue a Signal for the handler; call `ended` when the handler has returned."""
        if self._handler.direct:
            self._handler.function(signal)
            return
        if len(self._queue) >= QUEUE_LIMIT:
            self._overflow()
            if ended is not None:
                ended()
            return
        self._queue.append((signal, ended))
        if self._task is None:
            self._begin()

    def _overflow(self) -> None:
        self._counts["drop.handler_queue_full"] += 1
        if self._counts["drop.handler_queue_full"] % QUEUE_LIMIT == 1:
            _LOG.warning(
                "handler %s is too slow: %d Signals wait in its queue, new ones are dropped",
                self._handler.name,
                QUEUE_LIMIT,
            )

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(
            self._run(),
            name=f"handler {self._handler.name}",
            context=self._handler.context.copy(),
        )

    async def drained(self) -> None:
        """Return when every queued Signal is handled; at once for the handler itself."""
        while self._task is not None and self._task is not asyncio.current_task():
            await asyncio.wait([self._task])

    def retire(self) -> bool:
        """Stop calling the handler; return True while a call still runs."""
        self._clear()
        return self._task is not None

    def end(self) -> asyncio.Task[None] | None:
        """Stop calling the handler; cancel and return the task of a call that runs."""
        self._clear()
        if self._task is not None:
            self._task.cancel()
        return self._task

    def _clear(self) -> None:
        while self._queue:
            _, ended = self._queue.popleft()
            if ended is not None:
                ended()

    async def _run(self) -> None:
        function, name = self._handler.function, self._handler.name
        now_s = asyncio.get_running_loop().time
        until_s = now_s() + _TURN_S
        try:
            while self._queue:
                signal, ended = self._queue.popleft()
                try:
                    await call(function, signal, name, self._counts)
                finally:
                    if ended is not None:
                        ended()
                if now_s() > until_s:
                    await asyncio.sleep(0)  # a handler that never waits must not block the loop
                    until_s = now_s() + _TURN_S
        finally:
            self._task = None
            if self._queue:
                self._begin()
