"""Run one handler: a bounded queue, and an asyncio task while it holds Signals."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Container
from typing import NamedTuple, TypeAlias

from ...errors import BadSignal
from ...kernel import decode_signal
from ...runtime.last_door import must_pass
from ...signals import Signal, SignalType, came_from
from .call_handler import TURN_S, ThreadCalls, is_coroutine, record
from .handlers import Handler

_LOG = logging.getLogger(__name__)
QUEUE_LIMIT = 32_768
Ended = Callable[[], None]


class _Sent(NamedTuple):
    """A body, the key that it came from, and the type that the Synapse took it for."""

    body: bytes
    origin: str | None
    wanted: SignalType


class _Question(NamedTuple):
    """A Signal whose sender waits until the handler has returned."""

    signal: Signal
    ended: Ended


_Item: TypeAlias = bytes | _Sent | Signal | _Question


class HandlerRunner:
    """Calls one handler, in order.

    Args:
        handler: The handler.
        counts: The counters of its failures.
    """

    def __init__(self, handler: Handler, counts: Counter[str]) -> None:
        self._handler = handler
        self._counts = counts
        self._queue: deque[_Item] = deque()
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

    def put_bodies(
        self, bodies: list[bytes], wanted: SignalType | None = None, origin: str | None = None
    ) -> None:
        """Queue Signals for a handler that is not direct; each is decoded when it is called.

        Args:
            bodies: The bodies.
            wanted: The type that they must be of; None for any that the handler is for.
            origin: The name of the key that they came from.
        """
        room = QUEUE_LIMIT - len(self._queue)
        if len(bodies) > room:
            for _ in bodies[room:]:
                self._overflow()
            bodies = bodies[:room]
        self._queue.extend(
            bodies if wanted is None else [_Sent(each, origin, wanted) for each in bodies]
        )
        if self._task is None and self._queue:
            self._begin()

    def _decoded(self, body: bytes, wanted: Container[SignalType]) -> Signal | None:
        """Return the Signal of a body; count an invalid one, and one of a type of no handler."""
        try:
            signal = decode_signal(body)
        except BadSignal as error:
            self._report(error)
            return None
        if signal.type in wanted:
            return signal
        self._report(BadSignal(f"a {signal.type.value} came under the topic of another type"))
        return None

    def _report(self, error: BadSignal) -> None:
        self._counts["drop.bad_signal"] += 1
        _LOG.warning("a broadcast message is dropped: %s", error)

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

    def _pop(self) -> _Item | None:
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
                signal = self._signal_of(item)
                if signal is None:
                    continue
                try:
                    await function(signal)
                except BaseException as error:  # the last door
                    if must_pass(error):
                        raise
                    record(error, signal, name, counts)
                finally:
                    if item.__class__ is _Question:
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

    def _signal_of(self, item: _Item) -> Signal | None:
        """Return the Signal of an item, or None if it is invalid."""
        if isinstance(item, bytes):
            return self._decoded(item, self._handler.types)
        if isinstance(item, _Sent):
            signal = self._decoded(item.body, (item.wanted,))
            if signal is not None:
                came_from(signal, item.origin)
            return signal
        return item.signal if isinstance(item, _Question) else item

    def _take(self) -> Signal | None:
        """Remove and return the next Signal for a thread.

        Returns:
            None if there is none; behind a question too, since the loop ends that first: nobody may
            wait for the calls that come after it.
        """
        while self._asked is None and (item := self._pop()) is not None:
            if isinstance(item, _Question):
                self._asked = item
            signal = self._signal_of(item)
            if signal is not None:
                return signal
        return None

    def _done(self) -> None:
        self._task = None
        if self._queue:
            self._begin()
