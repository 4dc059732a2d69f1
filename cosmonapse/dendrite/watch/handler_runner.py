"""Run one handler: a bounded queue, and an asyncio task while it holds Signals."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import NamedTuple

from ...runtime.last_door import must_pass
from ...signals import Signal
from .call_handler import TURN_S, ThreadCalls, is_coroutine, record
from .handlers import Handler

_LOG = logging.getLogger(__name__)
QUEUE_LIMIT = 32_768
Ended = Callable[[], None]


class _Question(NamedTuple):
    """A Signal whose sender waits until the handler has returned."""

    signal: Signal
    ended: Ended


class HandlerRunner:
    """Calls one handler, in order.

    Args:
        handler: The handler.
        counts: The counters of its failures.
    """

    def __init__(self, handler: Handler, counts: Counter[str]) -> None:
        self._handler = handler
        self._counts = counts
        self._queue: deque[Signal | _Question] = deque()
        self._task: asyncio.Task[None] | None = None
        self._asked: _Question | None = None

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
        self._queue.append(signal if ended is None else _Question(signal, ended))
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
        function = self._handler.function
        self._task = asyncio.get_running_loop().create_task(
            self._run_on_loop() if is_coroutine(function) else self._run_in_threads(),
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
        while (item := self._pop()) is not None:
            if isinstance(item, _Question):
                item.ended()

    def _pop(self) -> Signal | _Question | None:
        """Remove and return the oldest item, None if there is none; any thread may call it."""
        try:
            return self._queue.popleft()
        except IndexError:
            return None

    async def _run_on_loop(self) -> None:
        function, name = self._handler.function, self._handler.name
        queue, counts = self._queue, self._counts
        now_s = time.monotonic  # a third of the cost of the clock of the loop
        until_s = now_s() + TURN_S
        try:
            while queue:
                item = queue.popleft()
                signal = item.signal if isinstance(item, _Question) else item
                try:
                    await function(signal)
                except BaseException as error:  # the last door
                    if must_pass(error):
                        raise
                    record(error, signal, name, counts)
                finally:
                    if isinstance(item, _Question):
                        item.ended()
                if now_s() > until_s:
                    await asyncio.sleep(0)  # a handler that never waits must not block the loop
                    until_s = now_s() + TURN_S
        finally:
            self._done()

    async def _run_in_threads(self) -> None:
        calls = ThreadCalls(self._handler.function, self._handler.name, self._counts, self._take)
        try:
            while self._queue:
                try:
                    await calls.run()
                finally:
                    asked, self._asked = self._asked, None
                    if asked is not None:
                        asked.ended()
        finally:
            self._done()

    def _take(self) -> Signal | None:
        """Remove and return the next Signal for a thread; None behind a question.

        The loop ends the question first: nobody may wait for the calls that come after it.
        """
        if self._asked is not None:
            return None
        item = self._pop()
        if isinstance(item, _Question):
            self._asked = item
            return item.signal
        return item

    def _done(self) -> None:
        self._task = None
        if self._queue:
            self._begin()
