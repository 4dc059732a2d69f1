"""Questions and their answers: whoever answers, the task goes on at its caller.

Spec: docs/spec/07-signals.md. The Dendrite that dispatched a TASK holds the one place where its
question is answered, so that a second answer is seen to be one. An answer from another Dendrite is
published until the caller shows that it took it, or that it had one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict

from ...errors import CosmonapseError, DendriteProtocolError
from ...signals import Signal, SignalType
from ..watch.handlers import Handler
from ..watch.publisher import Publisher
from ..watch.subscriptions import Subscriptions
from .dispatcher import Dispatcher
from .open_tasks import MAX_QUESTIONS, OpenTask
from .questions import ANSWERS, follow_up

_LOG = logging.getLogger(__name__)
_TRIES_S = (0.05, 0.1, 0.2, 0.3, 0.35)
_REACTIONS = frozenset({SignalType.TASK, SignalType.TASK_DECLINED})
_ALONE_S = 300.0
_YIELD_S = 0.5


class AnswerArbiter:
    """Answers questions, our own and those of others.

    Args:
        publisher: Who shows answers to others.
        watching: Where reactions are heard.
        dispatcher: Who holds the questions of our own TASKs.
    """

    def __init__(
        self, publisher: Publisher, subscriptions: Subscriptions, dispatcher: Dispatcher
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._publisher = publisher
        self._subscriptions = subscriptions
        self._dispatcher = dispatcher
        self._listens = False
        self._answered_by_others: OrderedDict[str, str] = OrderedDict()
        self._giving = ""
        dispatcher.on_asked = self._listen

    async def respond(self, question: Signal, answer: Signal) -> Signal | None:
        """Let a question have its answer; return the TASK that goes on with it.

        Returns:
            None if it had been answered before.

        Raises:
            DendriteProtocolError: The caller of the question is gone, and the question does not
                tell what its input was.
            UnencodableValue: The answer holds what no Signal can carry.
            SignalTooLarge: The new TASK is over the limit.
        """
        open_tasks = self._dispatcher.open_tasks
        await self._subscriptions.settle()
        opened = open_tasks.question(question.id)
        if opened is not None:
            return self._go_on(opened, question, answer)
        if open_tasks.is_over(question.id):
            self.counts["drop.second_answer"] += 1
            return None
        return await self._respond_elsewhere(question, answer)

    def _go_on(self, opened: OpenTask, question: Signal, answer: Signal) -> Signal:
        signal = follow_up(opened.signal, question, answer)
        body = self._dispatcher.encoded(signal)
        self._giving = answer.id
        self._publisher.publish(answer)
        self._dispatcher.follow(opened, answer, signal, body)
        return signal

    # -- questions of ours, answered by others ---------------------------------------------------

    def _listen(self) -> None:
        """Hear the answers of others from our first question or answer on."""
        if not self._listens:
            self._listens = True
            self._subscriptions.add(Handler(self._on_answer, ANSWERS, direct=True))

    def _on_answer(self, answer: Signal) -> None:
        if answer.parent_id is None or answer.id == self._giving:
            return
        opened = self._dispatcher.open_tasks.question(answer.parent_id)
        if opened is not None and opened.question is not None:
            try:
                signal = follow_up(opened.signal, opened.question, answer)
                body = self._dispatcher.encoded(signal)
                self._dispatcher.follow(opened, answer, signal, body)
            except (CosmonapseError, ValueError) as error:
                self.counts["drop.bad_answer"] += 1
                _LOG.warning("an answer on trace %s is dropped: %s", answer.trace_id, error)
            return
        if not self._dispatcher.open_tasks.is_over(answer.parent_id):
            self._note(answer.parent_id, answer)
            return
        taken = self._dispatcher.open_tasks.answered(answer.parent_id)
        if taken is None or taken.id != answer.id:
            self.counts["drop.second_answer"] += 1
            reason = {"reason": "the question has an answer, or nobody waits for one any more"}
            declined = answer.reply(SignalType.TASK_DECLINED, payload=reason)
            self._publisher.publish_again(declined, declined.encode())

    def _note(self, question_id: str, answer: Signal) -> None:
        """Remember that somebody else answers a question of others, and sees to what follows."""
        self._answered_by_others[question_id] = answer.id
        if len(self._answered_by_others) > MAX_QUESTIONS:
            self._answered_by_others.popitem(last=False)

    # -- questions of others, answered by us -----------------------------------------------------

    async def _respond_elsewhere(self, question: Signal, answer: Signal) -> Signal | None:
        self._listen()
        was_answered = question.id in self._answered_by_others
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
            self._giving = answer.id
            self._publisher.publish(answer)
            for try_s in _TRIES_S:
                await asyncio.wait([reacted], timeout=try_s)
                if reacted.done():
                    return self._taken(answer, reacted.result())
                self._publisher.publish_again(answer, body)
            if any(each < answer.id for each in rivals):  # nobody arbitrates: the least id is first
                await asyncio.wait([reacted], timeout=_YIELD_S)
                if reacted.done():
                    return self._taken(answer, reacted.result())
        finally:
            self._subscriptions.remove(on_reaction)
        if was_answered:  # whoever did so goes on if the caller cannot
            self.counts["drop.second_answer"] += 1
            return None
        return await self._alone(question, answer)

    def _taken(self, answer: Signal, reaction: Signal) -> Signal | None:
        if reaction.type is SignalType.TASK and reaction.meta.get("answer") == answer.id:
            return reaction
        self.counts["drop.second_answer"] += 1
        return None

    async def _alone(self, question: Signal, answer: Signal) -> Signal | None:
        """Go on in place of a caller that is gone; from then on later answers are declined here."""
        open_tasks = self._dispatcher.open_tasks
        if open_tasks.is_over(question.id):  # another handler of ours was quicker
            self.counts["drop.second_answer"] += 1
            return None
        payload = question.meta.get("task")
        if not isinstance(payload, dict):
            raise DendriteProtocolError(
                f"nobody waits for an answer to {question.id} any more, and it does not tell what "
                "the neuron was asked: dispatch a new TASK"
            )
        task = Signal(
            type=SignalType.TASK,
            payload=payload,
            directed=question.directed,
            trace_id=question.trace_id,
            meta={"caller": "gone"},
        )
        signal = follow_up(task, question, answer)
        self._dispatcher.encoded(signal)
        open_tasks.end_question(question, answer)
        self._listen()
        await self._dispatcher.send(signal, _ALONE_S)
        return signal

    async def decision(self, question: Signal, timeout_s: float) -> Signal:
        """Return the answer that a question gets, whoever gives it.

        Raises:
            TimeoutError: It gets none within `timeout_s` seconds.
        """
        decided: asyncio.Future[Signal] = asyncio.get_running_loop().create_future()

        def on_decision(signal: Signal) -> None:
            if signal.parent_id == question.id and not decided.done():
                decided.set_result(signal)

        self._subscriptions.add(
            Handler(on_decision, ANSWERS, trace_id=question.trace_id, direct=True)
        )
        try:
            async with asyncio.timeout(timeout_s):
                await self._subscriptions.settle()
                answer = self._dispatcher.open_tasks.answered(question.id)
                return answer if answer is not None else await decided
        except TimeoutError:
            raise TimeoutError(
                f"nobody answered the {question.type.value} {question.id} within {timeout_s:g} s"
            ) from None
        finally:
            self._subscriptions.remove(on_decision)
