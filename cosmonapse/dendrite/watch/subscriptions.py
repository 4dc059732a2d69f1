"""The handlers of a Dendrite: subscribes to their topics and passes them their Signals.

Spec: docs/spec/05-broadcast.md; docs/spec/09-resync.md, "At those who watch".
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable

from ...errors import AccessRefused
from ...ids import id_bytes, id_text
from ...runtime.deadline_timer import DeadlineTimer
from ...signals import TYPE_OF_CODE, Signal, SignalType
from ...transport import Topic, Transport
from ..own_rights import OwnRights
from ..senders import Senders
from .body_reader import OF_TASKS, BodyReader
from .handler_runner import Ended, HandlerRunner
from .handlers import Function, Handler, HandlerTable
from .origins import ANSWERABLE, Origins
from .trace_deadlines import GRACE_S, TraceDeadlines
from .trace_order import RecentIds, TraceOrder

_LOG = logging.getLogger(__name__)
_NO_CALLER = _NO_WORKER = bytes(16)
_SYNC_S = 5.0
_CLOSE_S = 1.0
_FINISH_S = 5.0
_WARN_EVERY_S = 10.0
MANY_TRACES = 10_000

_MAY_REPEAT = frozenset(
    {SignalType.TASK, SignalType.CLARIFICATION_ANSWER, SignalType.PERMISSION_DECISION}
)
"""Without a worker these may come twice: a TASK that is bounced after a restart, and the answers,
which are published again until their effect shows (07-signals, "Questions", 6)."""


class Subscriptions:
    """The handlers of one Dendrite, fed from its own traffic and from the broadcast plane.

    Attributes:
        watches_tasks: True while a handler may want a TASK or a reply. Every Dendrite that hosts an
            Axon has a handler for STOP, so "has handlers" would be true for all of them; this is
            the one test that a task costs where nobody watches tasks.
        out_of_date: True while a subscription is not in force yet.
        senders: Names the keys that Signals came from.
        own_rights: What our own key may do.

    Args:
        transport: Carries the subscriptions.
        url: The URL of the Synapse, for error texts.
    """

    def __init__(self, transport: Transport, url: str = "memory://") -> None:
        self.counts: Counter[str] = Counter()
        self.senders = Senders(transport)
        self.own_rights = OwnRights(transport, url)
        self._transport = transport
        self._reader = BodyReader(self.counts)
        self._table = HandlerTable()
        self._runners: dict[Handler, HandlerRunner] = {}
        self._retired: list[HandlerRunner] = []
        self._orders: dict[str, TraceOrder] = {}
        self._holding: dict[str, TraceOrder] = {}  # those that may hold a Signal
        self.origins = Origins()
        self._has_older = False
        self._directed_by_type = RecentIds()
        self._directed_by_trace = RecentIds()
        self._seen_by_type = RecentIds()
        self._seen_by_trace = RecentIds()
        self._timer = DeadlineTimer(self._next_order_at_s, self._release)
        self._trace_deadlines = TraceDeadlines()
        self._ending: dict[str, list[Handler]] = {}
        self._end_timer = DeadlineTimer(self._trace_deadlines.next_at_s, self._end_traces)
        self._trace_handlers: set[Handler] = set()
        self._has_warned = False
        self._started = self._has_checked_rights = False
        self.out_of_date = False
        self._awaited = 0  # how many subscriptions a `settle` had to wait for so far
        self.watches_tasks = False
        self._task_watcher_count = 0
        self._next_warning_at_s = 0.0

    # -- handlers --------------------------------------------------------------------------------

    def add(self, handler: Handler, *, waits: bool = True) -> None:
        """Add a handler; it is in force after the next `settle`.

        Args:
            handler: The handler.
            waits: False if `settle` need not wait for it: it is in force some time later.

        Raises:
            AccessRefused: Our key may not listen to what it is for; before a start only
                `check_rights` can tell.
        """
        if self._started:
            self._check_rights(handler)
        self._table.add(handler)
        self._runners[handler] = HandlerRunner(handler, self.counts)
        self._task_watcher_count += _watches_tasks(handler)
        self.watches_tasks = self._task_watcher_count > 0
        if handler.ordered and handler.trace_id is not None:
            self._orders.setdefault(handler.trace_id, TraceOrder())
        if self._started and self._listens(handler):
            self._listen(handler, waits)

    def check_rights(self) -> None:
        """Check that our key may listen to everything that a handler is for.

        Raises:
            AccessRefused: It may not.
        """
        self._has_checked_rights = True
        for handler in self._runners:
            self._check_rights(handler)

    def _check_rights(self, handler: Handler) -> None:
        # What is handed over to us needs no subscription, and no right.
        if not handler.directed:
            self.own_rights.check_hear(handler.types, handler.trace_id, handler.name)

    def _listens(self, handler: Handler) -> bool:
        """Return whether a handler needs a subscription."""
        return not handler.directed or self._has_older

    def _listen(self, handler: Handler, waits: bool = True) -> None:
        if waits:
            self.out_of_date = True
            self._awaited += 1
        for topic in _topics_of(handler):
            self._transport.listen(topic)

    def on_welcomed(self) -> None:
        """Subscribe for what older Dendrites do not hand over, or no longer; learn our rights."""
        self.senders.on_welcomed()
        self.own_rights.on_welcomed()
        if self._has_checked_rights:
            self._say_what_is_refused()
        had_older, self._has_older = self._has_older, self._transport.older_publishers
        if had_older == self._has_older or not self._started:
            return
        for handler in self._runners:
            if not handler.directed:
                continue
            if self._has_older:
                self._listen(handler)
            else:
                self._unlisten(handler)

    def _say_what_is_refused(self) -> None:
        """Log what a handler hears no more, if the rights of our key were reduced."""
        try:
            self.check_rights()
        except AccessRefused as error:
            _LOG.warning("%s", error)

    def _unlisten(self, handler: Handler) -> None:
        for topic in _topics_of(handler):
            self._transport.unlisten(topic)

    def add_for_user(self, handler: Handler) -> None:
        """Add a handler of the program; one of a single trace ends some time after its trace."""
        self.add(handler)
        if handler.trace_id is None:
            return
        self._trace_deadlines.begin(handler.trace_id)
        self._ending.setdefault(handler.trace_id, []).append(handler)
        self._trace_handlers.add(handler)
        if len(self._trace_handlers) >= MANY_TRACES and not self._has_warned:
            self._has_warned = True
            _LOG.warning(
                "%d handlers of single traces are in force, the last one is %s: each ends %g s "
                "after the last task of its trace has ended; leave one at once with "
                "'async with dendrite.on_trace(trace_id) as on:' or off(function)",
                len(self._trace_handlers),
                handler.name,
                GRACE_S,
            )

    def hold(self, handler: Handler) -> None:
        """Let a handler stay when its trace is over."""
        ending = self._ending.get(handler.trace_id or "", [])
        if handler in ending:
            ending.remove(handler)

    async def finish(self, handlers: list[Handler]) -> None:
        """Let handlers handle what has arrived, for at most 5 s, and remove them."""
        for trace_id in {each.trace_id for each in handlers if each.trace_id in self._orders}:
            self._pass_on(self._orders[trace_id or ""].due(float("inf")))
        runners = [self._runners[each] for each in handlers if each in self._runners]
        try:
            async with asyncio.timeout(_FINISH_S):
                for runner in runners:
                    await runner.drained()
        except TimeoutError:
            self.counts["handler_stuck"] += 1
            _LOG.warning("a handler did not end within %g s, its Signals are dropped", _FINISH_S)
        finally:
            self.remove_all(handlers)

    def remove(self, function: Function) -> int:
        """Remove every handler of that function and return their number."""
        removed = self._table.remove(function)
        self._removed(removed)
        return len(removed)

    def remove_all(self, handlers: Iterable[Handler]) -> None:
        """Remove some handlers, as far as they are in force."""
        removed = [each for each in handlers if each in self._runners]
        for handler in removed:
            self._table.discard(handler)
        self._removed(removed)

    def _removed(self, handlers: list[Handler]) -> None:
        for handler in handlers:
            self._retired.append(self._runners.pop(handler))
            self._task_watcher_count -= _watches_tasks(handler)
            self._trace_handlers.discard(handler)
            if self._started and self._listens(handler):
                self._unlisten(handler)
            if handler.trace_id is not None:
                self._leave_trace(handler, handler.trace_id)
        self.watches_tasks = self._task_watcher_count > 0
        self._retired = [each for each in self._retired if each.retire()]

    def _leave_trace(self, handler: Handler, trace_id: str) -> None:
        left = self._table.of_trace_id(trace_id)
        if not any(each.ordered for each in left):
            self._orders.pop(trace_id, None)
            self._holding.pop(trace_id, None)
        self.hold(handler)
        if not self._ending.get(trace_id, True):
            del self._ending[trace_id]
            self._trace_deadlines.forget(trace_id)

    def _end_traces(self, now_s: float) -> None:
        for trace_id in self._trace_deadlines.due(now_s):
            self.remove_all(self._ending.pop(trace_id, ()))

    def topics(self) -> list[Topic]:
        """Return the topics to open the transport with; later handlers subscribe by themselves."""
        self._started = True
        listening = filter(self._listens, self._runners)
        return [topic for handler in listening for topic in _topics_of(handler)]

    async def settle(self) -> None:
        """Return when every subscription is in force.

        Raises:
            SynapseUnreachable: The Synapse does not answer within 5 s.
        """
        while self.out_of_date:
            # It stays out of date until then: another call that comes meanwhile has to wait, too.
            awaited = self._awaited
            await self._transport.sync(_SYNC_S)
            if awaited == self._awaited:
                self.out_of_date = False

    async def close(self) -> None:
        """Stop every handler; cancel those that run."""
        self._started = False
        self._timer.close()
        self._end_timer.close()
        ending = [runner.end() for runner in (*self._runners.values(), *self._retired)]
        running = [task for task in ending if task and task is not asyncio.current_task()]
        if not running:
            return
        _, stuck = await asyncio.wait(running, timeout=_CLOSE_S)
        if stuck:
            self.counts["handler_stuck"] += len(stuck)
            _LOG.warning("%d handlers did not end after their cancellation", len(stuck))

    # -- Signals ---------------------------------------------------------------------------------

    def may_want(self, signal_type: SignalType | None, trace_id: str) -> bool:
        """Return, before a Signal is made or decoded, whether a handler could want it."""
        return self._table.may_want(signal_type, trace_id)

    def feed(self, signal: Signal) -> None:
        """Pass a Signal of our own traffic to every handler that wants it."""
        self._put(signal, [each for each in self._table.of(signal) if not each.ordered])
        self._hold(signal)

    def feed_reply(self, signal: Signal) -> None:
        """Pass on a reply to us as `feed` does, if it is of a type that a worker may send."""
        if self._reader.is_of_task(signal.type):
            self.feed(signal)

    def feed_question(self, question: Signal, ended: Ended) -> None:
        """Pass on a question to us; call `ended` once each handler that may answer returned."""
        self.origins.add(question, self._transport.instance)
        unordered = [each for each in self._table.of(question) if not each.ordered]
        able = [each for each in unordered if question.type in each.types and not each.direct]
        left = len(able)

        def one_ended() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                ended()

        for handler in able:
            self._runners[handler].put(question, one_ended)
        self._put(question, [each for each in unordered if each not in able])
        self._hold(question)
        if not able:
            ended()

    def _hold(self, signal: Signal) -> None:
        """Give an own Signal to the trace order of its trace, if a handler wants that order."""
        if signal.trace_id in self._trace_deadlines:
            self._saw(signal)
        order = self._orders.get(signal.trace_id)
        if order is not None:
            order.own(signal, asyncio.get_running_loop().time())
            at_s = order.next_at_s()
            if at_s is not None:
                self._holding[signal.trace_id] = order
                self._timer.arm(at_s)

    def on_heard(
        self, kind: int, trace: bytes, caller: bytes, worker: bytes, bodies: list[bytes]
    ) -> None:
        """Handle the broadcast Signals of one message; a copy of our own gives only its place."""
        # Our handlers were fed with our own traffic when we sent or received it.
        own = self._transport.instance
        ours = caller == own or (worker == own and caller != _NO_CALLER)
        if kind < 0:
            repeats = caller != _NO_CALLER
            self._on_heard_by_trace(id_text("trc_", trace), ours, repeats, caller, worker, bodies)
        elif not ours:
            signal_type = TYPE_OF_CODE.get(kind)
            if not self._reader.belongs(signal_type, caller, worker, len(bodies)):
                return
            # 09-resync, "At listeners": what a client publishes comes once, and needs no look.
            repeats = worker != _NO_WORKER or signal_type in _MAY_REPEAT
            repeats = repeats and caller != _NO_CALLER
            self._on_heard_by_type(signal_type, repeats, caller, worker, bodies)

    def _on_heard_by_type(
        self,
        signal_type: SignalType | None,
        repeats: bool,
        caller: bytes,
        worker: bytes,
        bodies: list[bytes],
    ) -> None:
        if signal_type is None or not self.may_want(signal_type, ""):
            self.counts["drop.no_handler"] += len(bodies)
            return
        alone = self._table.alone_of_type(signal_type)
        if alone is not None and not (repeats or alone.direct or signal_type in ANSWERABLE):
            if self.senders.have_names:
                origin = self.senders.name_of_copy(signal_type, caller, worker)
                self._runners[alone].put_bodies(bodies, signal_type, origin)
            else:
                self._runners[alone].put_bodies(bodies)
            return
        for body in bodies:
            for signal in self._reader.signals(body, signal_type):
                if repeats and self._is_repeated(signal, self._seen_by_type):
                    continue
                self.origins.add(signal, caller)
                if self.senders.have_names:
                    self.senders.mark_copy(signal, caller, worker)
                of_type = self._table.of_type(signal)
                self._put(signal, _once(signal, of_type, self._directed_by_type))

    def _is_repeated(self, signal: Signal, seen: RecentIds) -> bool:
        """Return whether the copy of a TASK or reply arrived before, and count it."""
        # 09-resync, "At listeners": a reply that is sent again is copied again.
        if seen.add(signal.id):
            return False
        self.counts["drop.repeated_copy"] += 1
        return True

    def _on_heard_by_trace(
        self,
        trace_id: str,
        ours: bool,
        repeats: bool,
        caller: bytes,
        worker: bytes,
        bodies: list[bytes],
    ) -> None:
        order = self._orders.get(trace_id)
        if order is None and ours:
            return
        if not self.may_want(None, trace_id):
            self.counts["drop.no_handler"] += len(bodies)
            return
        for signal in [signal for body in bodies for signal in self._reader.signals(body)]:
            if not self._reader.belongs(signal.type, caller, worker, 1):
                continue
            if repeats and self._is_repeated(signal, self._seen_by_trace):
                continue
            if self.senders.have_names:
                self.senders.mark_copy(signal, caller, worker)
            if not ours:
                self._saw(signal)
                self.origins.add(signal, caller)
                of_trace = [each for each in self._table.of_trace(signal) if not each.ordered]
                self._put(signal, _once(signal, of_trace, self._directed_by_trace))
            if order is not None:
                self._pass_on(order.heard(signal))

    def on_published(self, publisher: bytes, kind: int, trace: bytes, body: bytes) -> None:
        """Handle a Signal that another Dendrite handed over; only handlers of our own want it."""
        if not self.may_want(TYPE_OF_CODE.get(kind), id_text("trc_", trace)):
            self.counts["drop.no_handler"] += 1
            return
        for signal in self._reader.signals(body, TYPE_OF_CODE.get(kind)):
            self.origins.add(signal, publisher)
            if self.senders.have_names:
                self.senders.mark(signal, publisher)
            # 05-broadcast, "Handed over" 4: one that listens as well gets a copy, for the others.
            for handlers, seen in (
                (self._table.of_type(signal), self._directed_by_type),
                (self._table.of_trace(signal), self._directed_by_trace),
            ):
                directed = [each for each in handlers if each.directed]
                self._put(signal, _once(signal, directed, seen))

    def _saw(self, signal: Signal) -> None:
        """Record a Signal of a trace whose handlers end with it."""
        over_at_s = self._trace_deadlines.saw(signal, asyncio.get_running_loop().time())
        if over_at_s is not None:
            self._end_timer.arm(over_at_s)

    def _put(self, signal: Signal, handlers: Iterable[Handler]) -> None:
        for handler in handlers:
            self._runners[handler].put(signal)

    def _pass_on(self, signals: Iterable[Signal]) -> None:
        for signal in signals:
            self._put(signal, [each for each in self._table.of_trace(signal) if each.ordered])

    def _next_order_at_s(self) -> float | None:
        times = {trace_id: order.next_at_s() for trace_id, order in self._holding.items()}
        for trace_id, at_s in times.items():
            if at_s is None:
                del self._holding[trace_id]
        return min((each for each in times.values() if each is not None), default=None)

    def _release(self, now_s: float) -> None:
        for order in list(self._holding.values()):
            self._pass_on(order.due(now_s))

    def on_missed(self, count: int) -> None:
        """Count broadcast Signals that were lost before they arrived."""
        self.counts["gap.broadcast"] += count
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._next_warning_at_s:
            self._next_warning_at_s = now_s + _WARN_EVERY_S
            _LOG.warning("%d broadcast Signals were lost so far", self.counts["gap.broadcast"])


def _once(signal: Signal, handlers: list[Handler], seen: RecentIds) -> list[Handler]:
    """Leave those out to which a Signal is handed over, if they had it before."""
    if not any(each.directed for each in handlers) or seen.add(signal.id):
        return handlers
    return [each for each in handlers if not each.directed]


def _watches_tasks(handler: Handler) -> bool:
    return handler.ordered or not handler.types or not handler.types.isdisjoint(OF_TASKS)


def _topics_of(handler: Handler) -> list[Topic]:
    if handler.trace_id is not None:
        return [(None, id_bytes(handler.trace_id))]
    return [(each.code, None) for each in sorted(handler.types)]
