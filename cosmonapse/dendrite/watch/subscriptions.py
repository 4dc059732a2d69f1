"""Handlers in force: what to listen to, and who gets which Signal."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable

from ...errors import BadSignal
from ...ids import id_bytes, id_text
from ...runtime.deadline_timer import DeadlineTimer
from ...signals import TYPE_OF_CODE, Signal, SignalType
from ...transport import Topic, Transport
from .handler_runner import Ended, HandlerRunner
from .handlers import Function, Handler, HandlerTable
from .trace_order import Lately, TraceOrder

_LOG = logging.getLogger(__name__)
_NOBODY = bytes(16)
_SYNC_S = 5.0
_END_S = 1.0
_WARN_EVERY_S = 10.0


class Subscriptions:
    """The handlers of one Dendrite, fed from its own traffic and from the broadcast plane.

    Attributes:
        is_idle: True while there is no handler at all.
        out_of_date: True while one is not in force yet.

    Args:
        transport: Where to listen.
    """

    def __init__(self, transport: Transport) -> None:
        self.counts: Counter[str] = Counter()
        self._transport = transport
        self._table = HandlerTable()
        self._runners: dict[Handler, HandlerRunner] = {}
        self._retired: list[HandlerRunner] = []
        self._orders: dict[str, TraceOrder] = {}
        self._by_type = Lately()
        self._by_trace = Lately()
        self._timer = DeadlineTimer(self._next_order_at_s, self._release)
        self._started = False
        self.out_of_date = False
        self.is_idle = True
        self._warn_again_at_s = 0.0

    # -- handlers come and go --------------------------------------------------------------------

    def add(self, handler: Handler, *, waits: bool = True) -> None:
        """Take a handler in; it is in force after the next `settle`.

        Args:
            handler: Which one.
            waits: False if nothing has to wait for that: it is in force some time soon.
        """
        self._table.add(handler)
        self._runners[handler] = HandlerRunner(handler, self.counts)
        self.is_idle = False
        if handler.ordered and handler.trace_id is not None:
            self._orders.setdefault(handler.trace_id, TraceOrder())
        if self._started:
            self.out_of_date = self.out_of_date or waits
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
        self.is_idle = not self._runners
        if removed and self._orders:
            ordered = {each.trace_id for each in self._runners if each.ordered}
            self._orders = {key: each for key, each in self._orders.items() if key in ordered}
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
        self._timer.close()
        ending = [runner.end() for runner in (*self._runners.values(), *self._retired)]
        running = [task for task in ending if task and task is not asyncio.current_task()]
        if not running:
            return
        _, stuck = await asyncio.wait(running, timeout=_END_S)
        if stuck:
            self.counts["handler_stuck"] += len(stuck)
            _LOG.warning("%d handlers do not end although they were cancelled", len(stuck))

    # -- Signals come in -------------------------------------------------------------------------

    def may_want(self, signal_type: SignalType | None, trace_id: str) -> bool:
        """Tell, before a Signal is made or decoded, whether a handler could want it."""
        return not self.is_idle and self._table.may_want(signal_type, trace_id)

    def feed(self, signal: Signal) -> None:
        """Hand a Signal of our own traffic to every handler that wants it."""
        self._put(signal, [each for each in self._table.of(signal) if not each.ordered])
        self._hold(signal)

    def feed_question(self, question: Signal, ended: Ended) -> None:
        """Hand a question of ours on; call `ended` when all who may answer are done with it."""
        at_once = [each for each in self._table.of(question) if not each.ordered]
        able = [each for each in at_once if question.type in each.types and not each.direct]
        left = len(able)

        def one_ended() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                ended()

        for handler in able:
            self._runners[handler].put(question, one_ended)
        self._put(question, [each for each in at_once if each not in able])
        self._hold(question)
        if not able:
            ended()

    def _hold(self, signal: Signal) -> None:
        """Let those who want the order of the Synapse have it when it is known."""
        order = self._orders.get(signal.trace_id)
        if order is not None:
            order.own(signal, asyncio.get_running_loop().time())
            at_s = order.next_at_s()
            if at_s is not None:
                self._timer.arm(at_s)

    def on_heard(self, kind: int, trace: bytes, caller: bytes, worker: bytes, body: bytes) -> None:
        """Take a broadcast Signal; a copy of our own traffic only tells where it belongs."""
        own = self._transport.instance
        ours = caller == own or (worker == own and caller != _NOBODY)
        copied = caller != _NOBODY
        if kind < 0:
            self._heard_on_trace(id_text("trc_", trace), ours, copied, body)
        elif not ours:
            if not self.may_want(TYPE_OF_CODE.get(kind), ""):
                self.counts["drop.no_handler"] += 1
            elif (signal := self._read(body)) is not None and not (
                copied and self._came_before(signal, self._by_type)
            ):
                self._put(signal, self._table.of_type(signal))

    def _came_before(self, signal: Signal, lately: Lately) -> bool:
        """Tell whether the copy of a reply is one that was sent again, as after a restart."""
        if lately.first(signal.id):
            return False
        self.counts["drop.repeated_copy"] += 1
        return True

    def _heard_on_trace(self, trace_id: str, ours: bool, copied: bool, body: bytes) -> None:
        order = self._orders.get(trace_id)
        if order is None and ours:
            return
        if not self.may_want(None, trace_id):
            self.counts["drop.no_handler"] += 1
            return
        signal = self._read(body)
        if signal is None or (copied and self._came_before(signal, self._by_trace)):
            return
        if not ours:
            self._put(signal, [each for each in self._table.of_trace(signal) if not each.ordered])
        if order is not None:
            self._pass_on(order.heard(signal))

    def _read(self, body: bytes) -> Signal | None:
        try:
            return Signal.decode(body)
        except BadSignal as error:
            self.counts["drop.bad_signal"] += 1
            _LOG.warning("a broadcast message is dropped: %s", error)
            return None

    def _put(self, signal: Signal, handlers: Iterable[Handler]) -> None:
        for handler in handlers:
            self._runners[handler].put(signal)

    def _pass_on(self, signals: Iterable[Signal]) -> None:
        for signal in signals:
            self._put(signal, [each for each in self._table.of_trace(signal) if each.ordered])

    def _next_order_at_s(self) -> float | None:
        times = [order.next_at_s() for order in self._orders.values()]
        return min((each for each in times if each is not None), default=None)

    def _release(self, now_s: float) -> None:
        for order in list(self._orders.values()):
            self._pass_on(order.due(now_s))

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
