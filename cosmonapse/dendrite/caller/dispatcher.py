"""Dispatching: a TASK goes out, its outcome comes back. A thin shell around `delivery`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from ...errors import BadSignal, DendriteProtocolError, SignalTooLarge
from ...runtime.deadline_timer import DeadlineTimer, LoopClock
from ...signals import TYPE_OF_CODE, Directed, Signal, SignalType
from ...transport import Opened, Outcome, ReplyFlag, Transport
from ..watch.subscriptions import Subscriptions
from .open_tasks import ASK_S, OpenTask, OpenTasks
from .pathway import Pathway
from .questions import QUESTIONS
from .task_errors import code_of, error_for

_ANYWHERE = Directed()
_TASK = SignalType.TASK.code
_SETTLES = int(ReplyFlag.SETTLES)
_SKIPS = int(ReplyFlag.SKIPS)
_BREATH = 64
_SLACK_S = 0.01
_MAX_TIMEOUT_S = 30 * 86_400.0


class Dispatcher:
    """The caller's side of a Dendrite.

    Args:
        transport: What carries the TASKs.
        watching: Whose handlers see our own traffic.
    """

    def __init__(self, transport: Transport, subscriptions: Subscriptions) -> None:
        self.open_tasks = OpenTasks()
        self.counts = self.open_tasks.counts
        self._transport = transport
        self._subscriptions = subscriptions
        self._clock = LoopClock()
        self._timer = DeadlineTimer(self.open_tasks.next_deadline_at_s, self._expire)
        self._sent = 0
        self.on_asked: Callable[[], None] = _nothing

    async def send(self, signal: Signal, timeout_s: float) -> None:
        """Send a TASK that runs on when we go; its outcome shows in the handlers."""
        opened = OpenTask(signal, checked_timeout(timeout_s))
        body = self.encoded(signal)
        await self._subscriptions.settle()
        self._launch(opened, body)
        self._sent += 1
        if self._sent % _BREATH == 0:
            await asyncio.sleep(0)  # a loop of dispatches must not stop the others

    async def wait(self, signal: Signal, timeout_s: float, elsewhere: bool = False) -> Signal:
        """Send a TASK and return the Signal that settles it.

        Args:
            signal: The TASK.
            timeout_s: How long it may take.
            elsewhere: Whether to wait for answers to questions that other Dendrites give.

        Raises:
            TimeoutError: Nothing settled it in time; a CANCEL is on its way.
        """
        waiter: asyncio.Future[Signal] = self._clock.loop().create_future()
        opened = OpenTask(signal, checked_timeout(timeout_s), waiter, None, elsewhere)
        body = self.encoded(signal)
        if self._subscriptions.out_of_date:
            await self._subscriptions.settle()
        self._launch(opened, body)
        try:
            return await waiter
        except asyncio.CancelledError:
            self.abandon(opened)
            raise

    async def open(self, opened: OpenTask) -> None:
        """Send a TASK whose Pathway listens already."""
        checked_timeout(opened.timeout_s)
        body = self.encoded(opened.signal)
        await self._subscriptions.settle()
        self._launch(opened, body)

    def encoded(self, signal: Signal) -> bytes:
        """Return the bytes of a TASK; what is wrong shows before it leaves.

        Raises:
            UnencodableValue: It holds what no Signal can carry.
            SignalTooLarge: It is over the limit.
        """
        body = signal.encode()
        if len(body) > self._transport.max_signal_bytes:
            raise SignalTooLarge(len(body), self._transport.max_signal_bytes)
        return body

    def _launch(self, opened: OpenTask, body: bytes) -> None:
        self._post(opened, body, opened.timeout_s)
        self.open_tasks.open(opened, self._clock.now_s())
        self._launched(opened)

    def _post(self, opened: OpenTask, body: bytes, left_s: float) -> None:
        """Hand a TASK to the transport.

        Raises:
            DendriteProtocolError: This Dendrite is not running.
            SignalTooLarge: The Synapse has a lower limit.
        """
        directed = opened.signal.directed or _ANYWHERE
        outcome = self._transport.send_task(
            directed.id,
            directed.capabilities,
            opened.task,
            opened.trace,
            _TASK,
            body,
            ttl_ms=max(1, int(left_s * 1000)),
            keep=opened.waiter is None and opened.pathway is None,
        )
        opened.body = body
        if outcome is not Outcome.SENT:
            self._not_sent(opened, outcome)

    def _not_sent(self, opened: OpenTask, outcome: Outcome) -> None:
        if outcome is Outcome.CLOSED:
            raise DendriteProtocolError(
                "this Dendrite is not running: dispatch inside 'async with dendrite:'"
            )
        if outcome is Outcome.TOO_LARGE:
            raise SignalTooLarge(len(opened.body), self._transport.max_signal_bytes)
        if outcome is Outcome.BUSY:
            asyncio.get_running_loop().call_soon(self._fail, opened.task, "OVERLOADED")

    def _launched(self, opened: OpenTask) -> None:
        if opened.expires_at_s < self._timer.armed_at_s:
            self._timer.arm(opened.expires_at_s)
        subscriptions = self._subscriptions
        if not subscriptions.is_idle and subscriptions.may_want(
            SignalType.TASK, opened.signal.trace_id
        ):
            subscriptions.feed(opened.signal)

    def follow(self, opened: OpenTask, answer: Signal, signal: Signal, body: bytes) -> None:
        """Go on with the TASK that an answer led to, in place of the one that was asked about."""
        self.open_tasks.answer(opened, answer, signal)
        left_s = opened.expires_at_s - asyncio.get_running_loop().time()
        try:
            self._post(opened, body, left_s)
        except BaseException:
            self.open_tasks.close(opened.task)
            raise
        if opened.pathway is not None:
            opened.pathway.answered(signal)
        self._launched(opened)

    def abandon(self, opened: OpenTask) -> None:
        """Take a TASK back, if it has not ended."""
        asked = opened.question is not None
        if self.open_tasks.withdraw(opened) and not asked:
            self._transport.send_cancel(opened.task, opened.trace)
            self._give_up(opened, "CANCELLED")

    def close(self) -> None:
        """End every open task; whoever waits is told that this Dendrite stopped."""
        self._timer.close()
        for opened in self.open_tasks.close_all():
            if opened.question is None and opened.waiter is None and opened.pathway is None:
                self.counts["abandoned"] += 1
                continue
            if opened.waiter is not None and not opened.waiter.done():
                opened.waiter.set_exception(
                    DendriteProtocolError(f"this Dendrite stopped while {opened.target} worked")
                )
            if opened.question is None:
                self._transport.send_cancel(opened.task, opened.trace)
                self._give_up(opened, "CANCELLED")

    # -- what comes back -------------------------------------------------------------------------

    def on_reply(
        self,
        worker: bytes,
        task: bytes,
        trace: bytes,
        kind: int,
        index: int,
        flags: int,
        body: bytes,
    ) -> None:
        """Take a reply: for the handlers, and for who waits if it settles the task."""
        settles = bool(flags & _SETTLES)
        opened = self.open_tasks.replied(task, worker, index, settles, bool(flags & _SKIPS))
        if opened is None:
            self._ask_again(task, index)
            return
        pathway, subscriptions = opened.pathway, self._subscriptions
        watched = (
            not settles
            and not subscriptions.is_idle
            and subscriptions.may_want(TYPE_OF_CODE.get(kind), opened.signal.trace_id)
        )
        if not (settles or pathway or watched):
            return
        try:
            signal = Signal.decode(body)
        except BadSignal as error:
            self.counts["drop.bad_signal"] += 1
            if settles:
                self._end(opened, _unreadable(opened, error))
            return
        if settles:
            self._end(opened, signal, len(body))
            return
        if pathway is not None and pathway.scope == "all":
            pathway.take(signal, len(body))
        if watched:
            self._subscriptions.feed(signal)

    def _ask_again(self, task: bytes, index: int) -> None:
        """Ask for the replies that are missing before the one that has come."""
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        opened = self.open_tasks.missed(task, index, now_s)
        if opened is not None:
            self.counts["asked_again"] += 1
            loop.call_later(ASK_S + _SLACK_S, self._look_for_gap, opened)
            left_ms = max(1, int((opened.expires_at_s - now_s) * 1000))
            self._transport.send_gap(
                Opened(opened.task, opened.trace, opened.next_index, left_ms, opened.is_kept)
            )

    def _look_for_gap(self, opened: OpenTask) -> None:
        """Ask once more, if what was asked for did not come: no later reply may show the gap."""
        if opened.question is None:
            self._ask_again(opened.task, opened.early_index)

    def on_bounce(self, task: bytes, reason: str) -> None:
        """Turn a task that was not delivered into an ERROR."""
        self._fail_for(task, reason, "bounced")

    def on_lost(self, task: bytes, reason: str) -> None:
        """Turn a task that got lost into an ERROR; send one again that nobody has had.

        One whose last reply found no room here is not lost: that is asked for.
        """
        opened = self.open_tasks.get(task)
        if reason == "reply_waits":
            if opened is not None:
                self._ask_again(task, opened.next_index + 1)
            return
        if reason != "not_started" or opened is None or opened.next_index:
            self._fail_for(task, reason, "lost")
            return
        left_s = opened.expires_at_s - asyncio.get_running_loop().time()
        if left_s <= 0:
            return  # its deadline ends it
        self.counts["sent_again"] += 1
        try:
            self._post(opened, opened.body, left_s)
        except SignalTooLarge:  # the new Synapse has a lower limit
            self._fail(task, "TASK_LOST")

    def _fail_for(self, task: bytes, reason: str, how: str) -> None:
        self.counts[f"{how}.{reason}"] += 1
        opened = self.open_tasks.close(task)
        if opened is not None:
            self._give_up(opened, code_of(reason, opened))

    def _fail(self, task: bytes, code: str) -> None:
        opened = self.open_tasks.close(task)
        if opened is not None:
            self._give_up(opened, code)

    def _give_up(self, opened: OpenTask, code: str) -> Signal:
        """Make the ERROR of a task that got no reply, and let everyone see it who looks.

        It names no worker: one that is told to cancel hears of it as everybody else does.
        """
        error = error_for(opened, code)
        own = self._transport.instance
        if self._transport.is_heard(SignalType.ERROR.code, opened.trace):
            self._transport.publish(
                SignalType.ERROR.code, opened.trace, own, bytes(16), error.encode()
            )
        self._end(opened, error)
        return error

    def _end(self, opened: OpenTask, signal: Signal, size: int = 0) -> None:
        if signal.type in QUESTIONS:
            self._asked(opened, signal, size)
            return
        if opened.pathway is not None:
            _finish(opened.pathway, signal, size)
        subscriptions = self._subscriptions
        if not subscriptions.is_idle and subscriptions.may_want(signal.type, signal.trace_id):
            subscriptions.feed(signal)
        if opened.waiter is None or opened.waiter.done():
            return
        if signal.type is SignalType.ERROR and signal.payload.get("code") == "EXPIRED":
            opened.waiter.set_exception(_timeout_of(opened))  # whoever noticed it first
        else:
            opened.waiter.set_result(signal)

    def _asked(self, opened: OpenTask, question: Signal, size: int) -> None:
        """Wait for an answer, while one may come from a handler or from elsewhere."""
        self.on_asked()
        oldest = self.open_tasks.ask(opened, question)
        if oldest is not None:
            self._unanswered(oldest)
        self._timer.arm(opened.expires_at_s)
        if opened.pathway is not None and opened.pathway.scope == "all":
            opened.pathway.take(question, size)
        self._subscriptions.feed_question(question, lambda: self._handlers_ended(opened, question))

    def _handlers_ended(self, opened: OpenTask, question: Signal) -> None:
        if opened.question is question and not opened.elsewhere:
            self._unanswered(opened)

    def _unanswered(self, opened: OpenTask) -> None:
        """Hand a question to whoever waits; it may be answered later all the same."""
        if opened.waiter is not None and not opened.waiter.done():
            opened.waiter.set_result(opened.question)
        if opened.pathway is not None and opened.question is not None:
            opened.pathway.unanswered(opened.question)

    def _expire(self, now_s: float) -> None:
        for opened in self.open_tasks.expire(now_s):
            if opened.question is not None:
                self._expire_question(opened)
                continue
            self.counts["timeout"] += 1
            self._transport.send_cancel(opened.task, opened.trace)
            self._give_up(opened, "EXPIRED")

    def _expire_question(self, opened: OpenTask) -> None:
        """Nobody answered in time: say so to who waits, for others nothing is left to end."""
        self.counts["question_unanswered"] += 1
        waiter, pathway, question = opened.waiter, opened.pathway, opened.question
        waits = waiter is not None and not waiter.done()
        if question is not None and (waits or (pathway is not None and not pathway.closed)):
            self.open_tasks.end_question(question, None)  # an answer must not change what we tell
        if waits:
            waiter.set_exception(_timeout_of(opened))
        if pathway is not None:
            _finish(pathway, error_for(opened, "EXPIRED"), 0)


def checked_timeout(timeout_s: float) -> float:
    """Return `timeout_s` if it is a length of time.

    Raises:
        ValueError: It is not over 0 and at most 30 days.
    """
    if timeout_s.__class__ is float and 0.0 < timeout_s <= _MAX_TIMEOUT_S:
        return timeout_s
    if not isinstance(timeout_s, (int, float)) or not math.isfinite(timeout_s):
        raise ValueError(f"timeout_s must be a number of seconds, not {timeout_s!r}")
    if not 0 < timeout_s <= _MAX_TIMEOUT_S:
        raise ValueError(f"timeout_s must be over 0 and at most 30 days, not {timeout_s:g}")
    return float(timeout_s)


def _nothing() -> None:
    pass


def _finish(pathway: Pathway, signal: Signal, size: int) -> None:
    """End a Pathway of one task with its last Signal; one of a trace sees it by the trace."""
    if pathway.scope == "all":
        pathway.take(signal, size)
        pathway.end(signal)


def _timeout_of(opened: OpenTask) -> TimeoutError:
    if opened.question is not None:
        return TimeoutError(
            f"nobody answered the {opened.question.type.value} of {opened.target} on trace "
            f"{opened.signal.trace_id} within {opened.timeout_s:g} s"
        )
    return TimeoutError(
        f"no reply from {opened.target} on trace {opened.signal.trace_id} "
        f"within {opened.timeout_s:g} s"
    )


def _unreadable(opened: OpenTask, error: BadSignal) -> Signal:
    return opened.signal.reply(
        SignalType.ERROR,
        payload={
            "code": "BAD_OUTPUT",
            "message": f"the reply could not be read: {error}",
            "recoverable": False,
        },
        directed=opened.signal.directed,
    )
