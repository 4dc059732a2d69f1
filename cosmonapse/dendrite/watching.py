"""Handlers at work: what to listen to, and one bounded queue with one task for each handler."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import Counter, deque

from ..errors import BadSignal
from ..handlers import Function, Handler, HandlerTable, Once
from ..ids import id_bytes, id_text
from ..signals import TYPE_OF_CODE, Signal, SignalType
from ..transport import Topic, Transport

_LOG = logging.getLogger(__name__)
_NOBODY = bytes(16)
QUEUE_LIMIT = 32_768
_BREATH = 64
_SYNC_S = 5.0
_END_S = 1.0
_WARN_EVERY_S = 10.0


class _Runner:
    """One handler's queue. Its task lives only while there is something to do."""

    def __init__(self, handler: Handler, counts: Counter[str]) -> None:
        self._handler = handler
        self._counts = counts
        self._queue: deque[Signal] = deque()
        self._task: asyncio.Task[None] | None = None
        self._is_async = inspect.iscoroutinefunction(handler.function)

    def put(self, signal: Signal) -> None:
        if len(self._queue) >= QUEUE_LIMIT:
            self._counts["drop.handler_queue_full"] += 1
            if self._counts["drop.handler_queue_full"] % QUEUE_LIMIT == 1:
                _LOG.warning(
                    "handler %s is too slow: it has %d Signals waiting and misses new ones",
                    self._handler.name,
                    QUEUE_LIMIT,
                )
            return
        self._queue.append(signal)
        if self._task is None:
            self._begin()

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(
            self._run(), name=f"handler {self._handler.name}"
        )

    def retire(self) -> bool:
        """Call the handler no more; True while a call still runs."""
        self._queue.clear()
        return self._task is not None

    def end(self) -> asyncio.Task[None] | None:
        """Call the handler no more and cancel a call that runs; return it."""
        self._queue.clear()
        if self._task is not None:
            self._task.cancel()
        return self._task

    async def _run(self) -> None:
        served = 0
        try:
            while self._queue:
                await self._call(self._queue.popleft())
                served += 1
                if served % _BREATH == 0:
                    await asyncio.sleep(0)  # a handler that never waits must not stop the others
        finally:
            self._task = None
            if self._queue:
                self._begin()

    async def _call(self, signal: Signal) -> None:
        try:
            if self._is_async:
                await self._handler.function(signal)
            else:
                result = await asyncio.to_thread(self._handler.function, signal)
                if inspect.isawaitable(result):
                    await result
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            self._counts["handler_raised"] += 1  # it awaited something that was cancelled
        except Exception:  # noqa: BLE001  # the last door: one handler must not hurt another
            self._counts["handler_raised"] += 1
            _LOG.exception(
                "handler %s raised on a %s of trace %s",
                self._handler.name,
                signal.type.value,
                signal.trace_id,
            )


class Watching:
    """The handlers of one Dendrite, fed from its own traffic and from the broadcast plane.

    Args:
        transport: Where to listen.
    """

    def __init__(self, transport: Transport) -> None:
        self.counts: Counter[str] = Counter()
        self._transport = transport
        self._table = HandlerTable()
        self._runners: dict[Handler, _Runner] = {}
        self._retired: list[_Runner] = []
        self._once = Once()
        self._started = False
        self.out_of_date = False
        self._warn_again_at_s = 0.0

    def add(self, handler: Handler) -> None:
        """Take a handler in; it is in force after the next `settle`."""
        self._table.add(handler)
        self._runners[handler] = _Runner(handler, self.counts)
        if self._started:
            self.out_of_date = True
            for topic in _topics_of(handler):
                self._transport.listen(topic)

    def remove(self, function: Function) -> int:
        """Take out every handler of that function and return how many there were."""
        removed = self._table.remove(function)
        for handler in removed:
            self._retired.append(self._runners.pop(handler))
            if self._started:
                for topic in _topics_of(handler):
                    self._transport.unlisten(topic)
        self._retired = [each for each in self._retired if each.retire()]
        return len(removed)

    def topics(self) -> list[Topic]:
        """Return what to listen to from the start; handlers added later bring their own."""
        self._started = True
        return [topic for handler in self._runners for topic in _topics_of(handler)]

    async def settle(self) -> None:
        """Return when every handler is in force.

        Raises:
            SynapseUnreachable: The Synapse does not answer within 5 s.
        """
        while self.out_of_date:
            self.out_of_date = False
            try:
                await self._transport.sync(_SYNC_S)
            except BaseException:
                self.out_of_date = True
                raise

    async def close(self) -> None:
        """Stop every handler, also one that hangs."""
        self._started = False
        ending = [runner.end() for runner in (*self._runners.values(), *self._retired)]
        running = [task for task in ending if task and task is not asyncio.current_task()]
        if not running:
            return
        _, stuck = await asyncio.wait(running, timeout=_END_S)
        if stuck:
            self.counts["handler_stuck"] += len(stuck)
            _LOG.warning("%d handlers do not end although they were cancelled", len(stuck))

    def may_want(self, signal_type: SignalType | None, trace_id: str) -> bool:
        """Tell, before a Signal is made or decoded, whether a handler could want it."""
        return bool(self._table) and self._table.may_want(signal_type, trace_id)

    def feed(self, signal: Signal) -> None:
        """Hand a Signal to every handler that wants it."""
        for handler in self._table.of(signal):
            self._runners[handler].put(signal)

    def on_heard(self, kind: int, trace: bytes, caller: bytes, worker: bytes, body: bytes) -> None:
        """Take a broadcast Signal; a copy of our own traffic was fed already."""
        own = self._transport.instance
        if caller == own or (worker == own and caller != _NOBODY):
            return
        trace_id = id_text("trc_", trace) if kind < 0 else ""
        if not self.may_want(TYPE_OF_CODE.get(kind), trace_id):
            self.counts["drop.no_handler"] += 1
            return
        try:
            signal = Signal.decode(body)
        except BadSignal as error:
            self.counts["drop.bad_signal"] += 1
            _LOG.warning("a broadcast message is dropped: %s", error)
            return
        if self._once.first(signal.id):
            self.feed(signal)

    def on_missed(self, count: int) -> None:
        """Count broadcast Signals that were lost on the way."""
        self.counts["gap.broadcast"] += count
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._warn_again_at_s:
            self._warn_again_at_s = now_s + _WARN_EVERY_S
            _LOG.warning("%d broadcast Signals were missed so far", self.counts["gap.broadcast"])


def _topics_of(handler: Handler) -> list[Topic]:
    if handler.trace_id is not None:
        return [(None, id_bytes(handler.trace_id))]
    return [(each.code, None) for each in sorted(handler.types)]
