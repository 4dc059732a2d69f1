"""The questions that ended our tasks: those without an answer, and those that are over. Pure.

Spec: docs/spec/07-signals.md, "Questions". The Dendrite that dispatched a TASK is the only one that
continues it, so it MUST know each question until its deadline (rule 7), and whether the question
had an answer (rule 5).
"""

from __future__ import annotations

from collections import Counter, OrderedDict

from ...ids import id_bytes
from ...kernel import Deadlines
from ...signals import Signal
from .open_tasks import OpenTask

MAX_QUESTIONS = 10_000


class QuestionBook:
    """The tasks that ended in a question, by the id of that question.

    Args:
        counts: The counters of the Dendrite's caller side.
    """

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts
        self._waiting: dict[bytes, OpenTask] = {}
        self._over: OrderedDict[bytes, Signal | None] = OrderedDict()
        self._deadlines: Deadlines[bytes] = Deadlines()

    def add(self, opened: OpenTask, question: Signal) -> OpenTask | None:
        """Add a task that ended in a question; it waits for an answer until its deadline.

        Returns:
            The oldest task, removed because there are over 10,000 of them.
        """
        opened.question = question
        key = id_bytes(question.id)
        self._waiting[key] = opened
        opened.deadline_slot = self._deadlines.set(key, opened.expires_at_s)
        if len(self._waiting) <= MAX_QUESTIONS:
            return None
        self._counts["drop.question"] += 1
        return self._remove(next(iter(self._waiting)))

    def waiting_for(self, question_id: str) -> OpenTask | None:
        """Return the task that waits for the answer to a question."""
        return self._waiting.get(id_bytes(question_id))

    def of_trace(self, trace: bytes) -> list[OpenTask]:
        """Return the tasks of a trace that wait for an answer."""
        return [each for each in self._waiting.values() if each.trace == trace]

    def answer_to(self, question_id: str) -> Signal | None:
        """Return the answer that a question had, if this book knows one."""
        return self._over.get(id_bytes(question_id))

    def is_over(self, question_id: str) -> bool:
        """Return whether a question has its answer or no longer needs one."""
        return id_bytes(question_id) in self._over

    def end(self, question: Signal, answer: Signal | None) -> None:
        """Record the answer to a question, or None if it needs none; 10,000 are remembered."""
        self._over[id_bytes(question.id)] = answer
        if len(self._over) > MAX_QUESTIONS:
            self._over.popitem(last=False)

    def answer(self, opened: OpenTask, answer: Signal) -> None:
        """Record the answer to the question of a task; the task does not wait here any more."""
        if opened.question is not None:
            self._remove(id_bytes(opened.question.id))
            self.end(opened.question, answer)

    def withdraw(self, question: Signal) -> bool:
        """End a question without an answer; return False if nothing waited for one."""
        self.end(question, None)
        return self._remove(id_bytes(question.id)) is not None

    def close_all(self) -> list[OpenTask]:
        """Remove and return every task that waits for an answer."""
        return [each for key in list(self._waiting) if (each := self._remove(key))]

    def expire(self, now_s: float) -> list[OpenTask]:
        """Remove and return the tasks whose deadline has passed."""
        return [each for key in self._deadlines.due(now_s) if (each := self._remove(key))]

    def next_deadline_at_s(self) -> float | None:
        """Return the time of the next call of `expire`, or None without a waiting task."""
        return self._deadlines.next_at_s()

    def _remove(self, key: bytes) -> OpenTask | None:
        opened = self._waiting.pop(key, None)
        if opened is not None:
            self._deadlines.drop(key, opened.deadline_slot)
        return opened
