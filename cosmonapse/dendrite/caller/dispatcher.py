"""The caller's side of a Dendrite: sends TASKs, settles them, ends them at their deadline.

Spec: docs/spec/03-routing.md, "At the caller"; docs/spec/09-resync.md, "At the caller". A thin
shell around `open_tasks` and `question_book`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType

from ... import kernel
from ...errors import AccessRefused, BadSignal, DendriteProtocolError, SignalTooLarge
from ...runtime.deadline_timer import DeadlineTimer
from ...runtime.loop_clock import LoopClock
from ...signals import QUESTIONS, Directed, Signal, SignalType
from ...telemetry.current_trace import fields_of
from ...telemetry.task_observer import Observers
from ...transport import Opened, Outcome, ReplyFlag, TaskFlag, Transport
from ..watch.subscriptions import Subscriptions
from .absence import Absence
from .open_tasks import GAP_INTERVAL_S, OpenTask, OpenTasks, checked_timeout
from .pathway_feed import PathwayFeed
from .plain_calls import PlainCalls
from .question_book import QuestionBook
from .stream_reader import StreamReader
from .task_errors import code_of, error_for, timeout_error, unreadable

_LOG = logging.getLogger(__name__)
_NO_TARGET = Directed()
_TASK = SignalType.TASK.code
# Plain ints: an operation on an IntFlag costs more than all the rest of `on_reply` on its bits.
_SETTLES = int(ReplyFlag.SETTLES)
_SKIPS = int(ReplyFlag.SKIPS)
_RUN = int(ReplyFlag.RUN)
_READS_RUNS = int(TaskFlag.RUN)
_KEEP = int(TaskFlag.KEEP)
_YIELD_EVERY = 64
_TIMER_MARGIN_S = 0.01

_BOUNCED: Mapping[str, str] = MappingProxyType(
    {
        "no_route": "bounced.no_route",
        "busy": "bounced.busy",
        "expired": "bounced.expired",
        "bad_address": "bounced.bad_address",
        "too_large": "bounced.too_large",
        "duplicate": "bounced.duplicate",
        "forbidden": "bounced.forbidden",
        "unknown": "bounced.unknown",
    }
)
_LOST: Mapping[str, str] = MappingProxyType(
    {
        "worker_lost": "lost.worker_lost",
        "reply_lost": "lost.reply_lost",
        "not_started": "lost.not_started",
        "unknown": "lost.unknown",
    }
)


class Dispatcher:
    """The caller's side of a Dendrite.

    Args:
        transport: Carries the TASKs.
        subscriptions: The handlers that receive copies of our own traffic.
        url: The URL of the Synapse, for error texts.

    Attributes:
        absence: What is known of an absence of the Synapse.
        plain_calls: The short way of the calls that are not special.
        why_late: Returns what this Dendrite knows about a task of ours that has no reply yet.
        on_question: Is called for every question that ends one of our tasks.
    """

    def __init__(
        self, transport: Transport, subscriptions: Subscriptions, url: str = "memory://"
    ) -> None:
        self.open_tasks = OpenTasks()
        self.counts = self.open_tasks.counts
        self.questions = QuestionBook(self.counts)
        self._transport = transport
        self._subscriptions = subscriptions
        self._clock = LoopClock()
        self._timer = DeadlineTimer(self._next_deadline_at_s, self._expire)
        self.plain_calls = PlainCalls(
            transport, subscriptions, self.open_tasks, self._timer, self._not_sent, self.on_reply
        )
        self._stream_reader = StreamReader(subscriptions, self.counts)
        self._sent_count = 0
        self.on_question: Callable[[], None] = lambda: None
        self.why_late: Callable[[OpenTask], str] = lambda _: ""
        self.absence = Absence(url)
        self._observer: Observers | None = None

    @property
    def observer(self) -> Observers | None:
        """Whom to tell about every task; None if nobody wants to know."""
        return self._observer

    @observer.setter
    def observer(self, observer: Observers | None) -> None:
        self._observer = self.plain_calls.observer = self._stream_reader.observer = observer

    async def send(self, signal: Signal, timeout_s: float) -> None:
        """Send a TASK that runs on when this Dendrite stops; its outcome goes to the handlers."""
        await self._send(OpenTask.of(signal, checked_timeout(timeout_s)))
        self._sent_count += 1
        if self._sent_count % _YIELD_EVERY == 0:
            await asyncio.sleep(0)  # a loop of dispatches never waits: others need their turn

    async def wait(
        self,
        signal: Signal,
        timeout_s: float,
        answer_elsewhere: bool = False,
        kind: type[OpenTask] = OpenTask,
    ) -> Signal:
        """Send a TASK and return the Signal that settles it.

        Args:
            signal: The TASK.
            timeout_s: The longest time that it may take.
            answer_elsewhere: Whether to wait for answers to questions from other Dendrites.
            kind: What it is to us.

        Raises:
            TimeoutError: Nothing settled it in time; a CANCEL was sent.
        """
        waiter: asyncio.Future[Signal] = self._clock.loop().create_future()
        opened = kind.of(signal, checked_timeout(timeout_s), waiter, None, answer_elsewhere)
        await self._send(opened)
        try:
            return await waiter
        except asyncio.CancelledError:
            self.abandon(opened)
            raise

    async def open(self, opened: OpenTask) -> None:
        """Send a TASK whose Pathway receives replies already."""
        checked_timeout(opened.timeout_s)
        await self._send(opened)

    async def _send(self, opened: OpenTask) -> None:
        if not opened.is_observed:
            self._launch(opened, self.encoded(opened.signal))
            return
        body = self.prepared(opened.signal, not opened.keep)
        try:
            if self._subscriptions.out_of_date:
                await self._subscriptions.settle()
            self._launch(opened, body)
        except BaseException as error:
            self.tell_not_sent(opened.signal, error)
            raise

    def prepared(self, signal: Signal, waits: bool) -> bytes:
        """Return the bytes of a TASK that is sent next; raises as `encoded` does."""
        if self._observer is None:
            return self.encoded(signal)
        self._observer.before_send(signal, waits)
        try:
            return self.encoded(signal)
        except BaseException as error:
            self.tell_not_sent(signal, error)
            raise

    def tell_not_sent(self, signal: Signal, error: BaseException) -> None:
        """Tell the observer that a TASK which was prepared does not leave."""
        if self._observer is not None:
            self._observer.on_not_sent(signal, error)

    def encoded(self, signal: Signal) -> bytes:
        """Return the bytes of a TASK; an error is raised before anything is sent.

        Raises:
            UnencodableValue: It holds a value that no Signal can carry.
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
        """Pass a TASK to the transport.

        Raises:
            AccessRefused: Our key may not send it there.
            DendriteProtocolError: This Dendrite is not running.
            SignalTooLarge: The Synapse has a lower limit.
        """
        directed = opened.signal.directed or _NO_TARGET
        own_rights = self._subscriptions.own_rights
        if own_rights.limits_dispatch:
            own_rights.check_dispatch(directed.id)
        address = self._transport.address_of(directed.id, directed.capabilities)
        outcome = self._transport.send_task(
            address,
            opened.task,
            opened.trace,
            _TASK,
            body,
            max(1, int(left_s * 1000)),
            _KEEP | _READS_RUNS if opened.keep else _READS_RUNS,
        )
        opened.body, opened.address = body, address
        if outcome is not Outcome.SENT:
            self._not_sent(opened, outcome)

    def _not_sent(self, opened: OpenTask, outcome: Outcome) -> None:
        if outcome is Outcome.CLOSED:
            raise DendriteProtocolError(
                "this Dendrite is not running: dispatch inside 'async with dendrite:'"
            )
        if outcome is Outcome.TOO_LARGE:
            raise SignalTooLarge(len(opened.body), self._transport.max_signal_bytes)
        if outcome is Outcome.WAITING:
            self.absence.wait(opened.task)
        if outcome is Outcome.BUSY:  # the task is not open yet: `_launch` opens it next
            asyncio.get_running_loop().call_soon(self._fail, opened.task, "OVERLOADED")

    def _launched(self, opened: OpenTask) -> None:
        if opened.expires_at_s < self._timer.armed_at_s:
            self._timer.arm(opened.expires_at_s)
        if not opened.is_observed:
            return
        if self._observer is not None:
            self._observer.on_sent(opened)
        subscriptions = self._subscriptions
        if subscriptions.watches_tasks and subscriptions.may_want(
            SignalType.TASK, opened.signal.trace_id
        ):
            if subscriptions.senders.have_names:
                subscriptions.senders.mark_own(opened.signal)
            subscriptions.feed(opened.signal)

    def follow(self, opened: OpenTask, answer: Signal, signal: Signal, body: bytes) -> None:
        """Send the TASK that an answer led to, in place of the TASK that ended in the question.

        It has the time that is left of the first TASK (07-signals, "Questions", 3).
        """
        self.questions.answer(opened, answer)
        opened.continue_with(signal)
        self.open_tasks.reopen(opened)
        left_s = opened.expires_at_s - asyncio.get_running_loop().time()
        try:
            self._post(opened, body, left_s)
        except BaseException as error:
            self.open_tasks.close(opened.task)
            self.tell_not_sent(signal, error)
            raise
        if opened.pathway is not None:
            opened.pathway.answered(signal)
        self._launched(opened)

    def abandon(self, opened: OpenTask) -> None:
        """Cancel a TASK, or end its question; do nothing if both are over."""
        if opened.question is not None:
            self.questions.withdraw(opened.question)
        elif self.open_tasks.close(opened.task) is not None:
            self._transport.send_cancel(opened.task, opened.trace)
            self._end_with_error(opened, "CANCELLED")

    def of_trace(self, trace: bytes) -> list[OpenTask]:
        """Return the open tasks of a trace, then those that wait for an answer."""
        return self.open_tasks.of_trace(trace) + self.questions.of_trace(trace)

    def close(self) -> None:
        """End every open task; each waiting caller receives the error that we stopped."""
        self._timer.close()
        for opened in self.open_tasks.close_all() + self.questions.close_all():
            if opened.question is None and opened.waiter is None and opened.pathway is None:
                self.counts["abandoned"] += 1
                if self._observer is not None:
                    self._observer.on_settled(opened, "ABANDONED")
                continue
            if opened.waiter is not None and not opened.waiter.done():
                opened.waiter.set_exception(
                    DendriteProtocolError(f"this Dendrite stopped while {opened.target} worked")
                )
            if opened.question is None:
                self._transport.send_cancel(opened.task, opened.trace)
                self._end_with_error(opened, "CANCELLED")

    # -- replies and losses ----------------------------------------------------------------------

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
        """Handle a reply: pass it to the handlers, and to the caller if it settles the task."""
        settles = bool(flags & _SETTLES)
        if flags & _RUN and not settles:
            self._on_run(worker, task, index, bool(flags & _SKIPS), body)
            return
        opened = self.open_tasks.replied(task, worker, index, settles, bool(flags & _SKIPS))
        if opened is None:
            self._request_missing(task, index)
        elif settles:
            self._on_last_reply(opened, body)
        else:
            self._stream_reader.take(opened, kind, body)

    def _on_last_reply(self, opened: OpenTask, body: bytes) -> None:
        try:
            signal = Signal.decode(body)
        except BadSignal as error:
            self.counts["drop.bad_signal"] += 1
            self._end(opened, unreadable(opened, error))
            return
        if self._subscriptions.senders.have_names:
            self._subscriptions.senders.mark(signal, opened.worker)
        self._end(opened, signal, len(body))

    def _on_run(self, worker: bytes, task: bytes, index: int, skips: bool, body: bytes) -> None:
        """Handle several replies in a row (03-routing, "Runs")."""
        texts = kernel.run_texts(body)
        if texts is None:
            self.counts["drop.bad_signal"] += 1
            return
        accepted = self.open_tasks.replied_by_run(task, worker, index, len(texts), skips)
        if accepted is None:
            self._request_missing(task, index)
        else:
            opened, had = accepted
            self._stream_reader.take_run(opened, body, texts, had)

    def _request_missing(self, task: bytes, index: int) -> None:
        """Send a GAP for the replies that are missing before number `index`."""
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        opened = self.open_tasks.missed(task, index, now_s)
        if opened is not None:
            self.counts["asked_again"] += 1
            # 09-resync, "At the caller", 2. The GAP or its answer may get lost too, and no later
            # reply may arrive that shows the same hole: so the timer asks again.
            loop.call_later(GAP_INTERVAL_S + _TIMER_MARGIN_S, self._request_again, opened)
            left_ms = max(1, int((opened.expires_at_s - now_s) * 1000))
            self._transport.send_gap(
                Opened(opened.task, opened.trace, opened.next_index, left_ms, opened.keep)
            )

    def _request_again(self, opened: OpenTask) -> None:
        """Send another GAP if the missing replies have not arrived."""
        if opened.question is None:
            self._request_missing(opened.task, opened.early_index)

    def on_bounce(self, task: bytes, reason: str) -> None:
        """End a task that was not delivered with an ERROR."""
        self._fail_for(task, reason, _BOUNCED.get(reason, "bounced.unknown"))

    def on_lost(self, task: bytes, reason: str) -> None:
        """End a lost task with an ERROR; send it again if no worker ever had it."""
        opened = self.open_tasks.get(task)
        if reason == "reply_waits":
            # 03-routing, "Bounces": it has ended, its last reply had no room in our queue.
            if opened is not None:
                self._request_missing(task, opened.next_index + 1)
            return
        # 09-resync, "At the caller", 1: only a task without any reply so far may be sent again,
        # since a reply proves that some worker has run it.
        if reason != "not_started" or opened is None or opened.next_index:
            self._fail_for(task, reason, _LOST.get(reason, "lost.unknown"))
            return
        left_s = opened.expires_at_s - asyncio.get_running_loop().time()
        if left_s <= 0:
            return  # the deadline timer ends it with EXPIRED
        self.counts["sent_again"] += 1
        try:
            self._post(opened, opened.body, left_s)
        except SignalTooLarge:  # the new Synapse has a lower limit
            self._fail(task, "TASK_LOST")
        except AccessRefused:  # its rights were reduced meanwhile
            self._fail(task, "ACCESS_DENIED")

    def _fail_for(self, task: bytes, reason: str, counter: str) -> None:
        self.counts[counter] += 1
        opened = self.open_tasks.close(task)
        if opened is not None:
            self._end_with_error(opened, code_of(reason, opened))

    def _fail(self, task: bytes, code: str) -> None:
        opened = self.open_tasks.close(task)
        if opened is not None:
            self._end_with_error(opened, code)

    def _end_with_error(self, opened: OpenTask, code: str, why: str = "") -> None:
        """End a task that had no reply with an ERROR, and publish that ERROR."""
        error = error_for(opened, code, why)
        if opened.is_observed and self._transport.is_heard(SignalType.ERROR.code, opened.trace):
            # 05-broadcast, "A socket of one's own" 4: it opens no connection for an error.
            self._transport.publish(
                SignalType.ERROR.code, opened.trace, error.encode(), seldom=True
            )
        self._end(opened, error, 0, why)

    def _end(self, opened: OpenTask, signal: Signal, size: int = 0, why: str = "") -> None:
        if self._observer is not None and opened.is_observed:
            self._observer.on_settled(opened, signal)
        if signal.type in QUESTIONS:
            self._end_in_question(opened, signal, size)
            return
        if opened.pathway is not None:
            _finish(opened.pathway, signal, size)
        subscriptions = self._subscriptions
        watches = subscriptions.watches_tasks and opened.is_observed
        if watches and subscriptions.may_want(signal.type, signal.trace_id):
            subscriptions.feed_reply(signal)
        if opened.waiter is None or opened.waiter.done():
            return
        code = signal.payload.get("code") if signal.type is SignalType.ERROR else None
        if code == "EXPIRED":
            # Worker, Synapse and caller each watch the deadline: the first of them must not decide
            # whether the program gets a Signal or a TimeoutError.
            opened.waiter.set_exception(timeout_error(opened, why))
        elif code == "SYNAPSE_AWAY" and why:
            opened.waiter.set_exception(self.absence.error(opened, self._clock.now_s()))
        else:
            opened.waiter.set_result(signal)

    def _end_in_question(self, opened: OpenTask, question: Signal, size: int) -> None:
        """Wait for an answer while a handler or another Dendrite may give one."""
        self.on_question()
        oldest = self.questions.add(opened, question)
        if oldest is not None:
            self._deliver_question(oldest)
        self._timer.arm(opened.expires_at_s)
        if opened.pathway is not None and opened.pathway.scope == "all":
            opened.pathway.take(question, size)
        self._subscriptions.feed_question(question, lambda: self._handlers_ended(opened, question))

    def _handlers_ended(self, opened: OpenTask, question: Signal) -> None:
        if opened.question is question and not opened.answer_elsewhere:
            self._deliver_question(opened)

    def _deliver_question(self, opened: OpenTask) -> None:
        """Return an unanswered question to the caller; an answer may still arrive later."""
        if opened.waiter is not None and not opened.waiter.done():
            opened.waiter.set_result(opened.question)
        if opened.pathway is not None and opened.question is not None:
            opened.pathway.unanswered(opened.question)

    def _next_deadline_at_s(self) -> float | None:
        tasks_at_s = self.open_tasks.next_deadline_at_s()
        questions_at_s = self.questions.next_deadline_at_s()
        if tasks_at_s is None or questions_at_s is None:
            return questions_at_s if tasks_at_s is None else tasks_at_s
        return min(tasks_at_s, questions_at_s)

    def _expire(self, now_s: float) -> None:
        for opened in self.open_tasks.expire(now_s):
            self.counts["timeout"] += 1
            code, why = self.absence.judge(opened, now_s) or self._lateness(opened)
            self._transport.send_cancel(opened.task, opened.trace)
            self._end_with_error(opened, code, why)
        for opened in self.questions.expire(now_s):
            self._expire_question(opened)

    def _lateness(self, opened: OpenTask) -> tuple[str, str]:
        """Return the code for a task that has no outcome in its time, and what is known of it."""
        why = self.why_late(opened)
        if why:
            extra = fields_of(opened.signal.trace_id)
            _LOG.warning("the task for %s timed out: %s", opened.target, why, extra=extra)
        return "EXPIRED", why

    def _expire_question(self, opened: OpenTask) -> None:
        """End a waiting caller with a timeout; without one the task ended with its question."""
        self.counts["question_unanswered"] += 1
        waiter, pathway, question = opened.waiter, opened.pathway, opened.question
        waits = waiter is not None and not waiter.done()
        if question is not None and (waits or (pathway is not None and not pathway.closed)):
            self.questions.end(question, None)  # a later answer must not start a TASK
        if waits:
            waiter.set_exception(timeout_error(opened))
        if pathway is not None:
            _finish(pathway, error_for(opened, "EXPIRED"), 0)


def _finish(pathway: PathwayFeed, signal: Signal, size: int) -> None:
    """End a Pathway of one task with its last Signal; a Pathway of a trace receives the copy."""
    if pathway.scope == "all":
        pathway.take(signal, size)
        pathway.end(signal)
