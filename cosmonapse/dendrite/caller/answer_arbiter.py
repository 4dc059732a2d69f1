"""Decides which answer to a question counts, and continues the task with it.

Spec: docs/spec/07-signals.md, "Questions"; decision:
docs/design/decisions/0006-the-caller-answers.md. The Dendrite that dispatched a TASK decides alone,
so that a second answer is recognised. An answer from another Dendrite is published repeatedly until
the caller accepts or declines it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict

from ...errors import CosmonapseError, DendriteProtocolError
from ...signals import Signal, SignalType
from ...telemetry.current_trace import fields_of
from ...telemetry.trace_context import passed_on
from ..watch.handlers import Handler
from ..watch.publisher import Publisher
from ..watch.subscriptions import Subscriptions
from .dispatcher import Dispatcher
from .open_tasks import OpenTask
from .question_book import MAX_QUESTIONS
from .questions import ANSWERS, follow_up

_LOG = logging.getLogger(__name__)
# Rule 6: the answer is published at once and after each of the first four; the caller counts as
# gone when the last one is over, a second after the first.
_WAITS_S = (0.05, 0.1, 0.2, 0.3, 0.35)
_REACTIONS = frozenset({SignalType.TASK, SignalType.TASK_DECLINED})
_TAKEOVER_TIMEOUT_S = 300.0
_RIVAL_S = 0.5


class AnswerArbiter:
    """Answers the questions about our own TASKs and about those of other Dendrites.

    Args:
        publisher: Publishes answers.
        subscriptions: Receives answers and the reactions to ours.
        dispatcher: Holds the questions about our own TASKs.
    """

    def __init__(
        self, publisher: Publisher, subscriptions: Subscriptions, dispatcher: Dispatcher
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._publisher = publisher
        self._subscriptions = subscriptions
        self._dispatcher = dispatcher
        self._is_subscribed = self._is_listening = False
        self._remote_answers: OrderedDict[str, str] = OrderedDict()
        self._own_answer = ""
        dispatcher.on_question = self._subscribe

    async def respond(self, question: Signal, answer: Signal) -> Signal | None:
        """Answer a question; return the TASK that continues with the answer.

        Returns:
            None if it had an answer before.

        Raises:
            AccessRefused: The question is about a TASK of another Dendrite, and our key may not
                answer it, or not see what becomes of the answer.
            DendriteProtocolError: The caller of the question is gone, and the question does not
                carry its input.
            UnencodableValue: The answer holds a value that no Signal can carry.
            SignalTooLarge: The new TASK is over the limit.
        """
        questions = self._dispatcher.questions
        await self._subscriptions.settle()
        opened = questions.waiting_for(question.id)
        if opened is not None:
            return self._continue(opened, question, answer)
        if questions.is_over(question.id):
            self.counts["drop.second_answer"] += 1
            return None
        return await self._answer_remote(question, answer)

    def _continue(self, opened: OpenTask, question: Signal, answer: Signal) -> Signal:
        signal = follow_up(opened.signal, question, answer)
        body = self._dispatcher.prepared(signal, not opened.keep)
        self._own_answer = answer.id
        try:
            # It is our own TASK: whoever may send it may say how it goes on, if not to others.
            if self._subscriptions.own_rights.may_emit(answer.type):
                self._publisher.publish(answer)
            else:
                self._publisher.show(answer)
        except BaseException as error:
            self._dispatcher.tell_not_sent(signal, error)
            raise
        self._dispatcher.follow(opened, answer, signal, body)
        return signal

    # -- answers of other Dendrites to our questions ---------------------------------------------

    def _subscribe(self) -> None:
        """Get the answers of others from our first question on; they are handed over to us."""
        if not self._is_subscribed:
            self._is_subscribed = True
            handler = Handler(self._on_answer, ANSWERS, direct=True, directed=True)
            self._subscriptions.add(handler)

    def _listen(self) -> None:
        """Listen to the answers to questions of others, too, from our first answer on."""
        if not self._is_listening:
            self._is_listening = True
            self._subscriptions.add(Handler(self._on_answer, ANSWERS, direct=True))

    def _on_answer(self, answer: Signal) -> None:
        if answer.parent_id is None or answer.id == self._own_answer:
            return
        questions = self._dispatcher.questions
        opened = questions.waiting_for(answer.parent_id)
        if opened is not None and opened.question is not None:
            try:
                signal = follow_up(opened.signal, opened.question, answer)
                body = self._dispatcher.prepared(signal, not opened.keep)
                self._dispatcher.follow(opened, answer, signal, body)
            except (CosmonapseError, ValueError) as error:
                self.counts["drop.bad_answer"] += 1
                trace_id, extra = answer.trace_id, fields_of(answer.trace_id)
                _LOG.warning("an answer on trace %s is dropped: %s", trace_id, error, extra=extra)
            return
        if not questions.is_over(answer.parent_id):
            self._record_remote(answer.parent_id, answer)
            return
        accepted = questions.answer_to(answer.parent_id)
        if accepted is None or accepted.id != answer.id:  # the accepted one may be published again
            self.counts["drop.second_answer"] += 1
            reason = {"reason": "the question has an answer, or needs none any more"}
            declined = answer.reply(SignalType.TASK_DECLINED, payload=reason)
            self._publisher.publish_again(declined, declined.encode())

    def _record_remote(self, question_id: str, answer: Signal) -> None:
        """Record that another Dendrite has answered a question which is not ours."""
        self._remote_answers[question_id] = answer.id
        if len(self._remote_answers) > MAX_QUESTIONS:
            self._remote_answers.popitem(last=False)

    # -- our answers to questions of other Dendrites ---------------------------------------------

    async def _answer_remote(self, question: Signal, answer: Signal) -> Signal | None:
        self._subscriptions.own_rights.check_emit(answer.type)
        self._listen()
        has_remote_answer = question.id in self._remote_answers
        body = answer.encode()
        reacted: asyncio.Future[Signal] = asyncio.get_running_loop().create_future()
        rivals: set[str] = set()

        def on_reaction(signal: Signal) -> None:
            if signal.type in ANSWERS:
                if signal.parent_id == question.id:
                    rivals.add(signal.id)
            elif signal.parent_id in (question.id, answer.id) and not reacted.done():
                reacted.set_result(signal)

        types = _REACTIONS | ANSWERS
        self._subscriptions.add(
            Handler(on_reaction, types, trace_id=question.trace_id, direct=True)
        )
        try:
            await self._subscriptions.settle()
            self._own_answer = answer.id
            self._publisher.publish(answer)
            for wait_s in _WAITS_S:
                await asyncio.wait([reacted], timeout=wait_s)
                if reacted.done():
                    return self._follow_up_of(answer, reacted.result())
                self._publisher.publish_again(answer, body)
            # The caller is gone, so nobody decides between several answers: the one with the least
            # id continues, the others wait for its TASK.
            if any(each < answer.id for each in rivals):
                await asyncio.wait([reacted], timeout=_RIVAL_S)
                if reacted.done():
                    return self._follow_up_of(answer, reacted.result())
        finally:
            self._subscriptions.remove(on_reaction)
        if has_remote_answer:  # the Dendrite that gave that answer continues the task
            self.counts["drop.second_answer"] += 1
            return None
        return await self._take_over(question, answer)

    def _follow_up_of(self, answer: Signal, reaction: Signal) -> Signal | None:
        if reaction.type is SignalType.TASK and reaction.meta.get("answer") == answer.id:
            return reaction
        self.counts["drop.second_answer"] += 1
        return None

    async def _take_over(self, question: Signal, answer: Signal) -> Signal | None:
        """Send the TASK in place of a caller that is gone; decline later answers from then on."""
        questions = self._dispatcher.questions
        if questions.is_over(question.id):  # another handler of ours was faster
            self.counts["drop.second_answer"] += 1
            return None
        payload = question.meta.get("task")
        if not isinstance(payload, dict):
            raise DendriteProtocolError(
                f"the caller of {question.id} is gone, and the question does not carry the input "
                "of its TASK: dispatch a new TASK"
            )
        task = Signal(
            type=SignalType.TASK,
            payload=payload,
            directed=question.directed,
            trace_id=question.trace_id,
            meta={"caller": "gone", **passed_on(question.meta)},
        )
        signal = follow_up(task, question, answer)
        self._dispatcher.encoded(signal)
        questions.end(question, answer)
        self._listen()
        await self._dispatcher.send(signal, _TAKEOVER_TIMEOUT_S)
        return signal

    async def decision(self, question: Signal, timeout_s: float) -> Signal:
        """Return the answer to a question, from any Dendrite.

        Raises:
            TimeoutError: There is none within `timeout_s` seconds.
        """
        decided: asyncio.Future[Signal] = asyncio.get_running_loop().create_future()

        def on_decision(signal: Signal) -> None:
            if signal.parent_id == question.id and not decided.done():
                decided.set_result(signal)

        # Who may not watch traces may yet hear answers.
        by_trace = self._subscriptions.own_rights.may_hear(None)
        trace_id = question.trace_id if by_trace else None
        self._subscriptions.add(Handler(on_decision, ANSWERS, trace_id=trace_id, direct=True))
        try:
            async with asyncio.timeout(timeout_s):
                await self._subscriptions.settle()
                answer = self._dispatcher.questions.answer_to(question.id)
                return answer if answer is not None else await decided
        except TimeoutError:
            raise TimeoutError(
                f"nobody answered the {question.type.value} {question.id} within {timeout_s:g} s"
            ) from None
        finally:
            self._subscriptions.remove(on_decision)
