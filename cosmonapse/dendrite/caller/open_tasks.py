"""Open tasks at their caller: which are open, what ended them, what that means. Pure.

Spec: docs/spec/03-routing.md. Every task that is opened here ends here, exactly once: by the reply
that settles it, by a report that it was not delivered or got lost, or at its deadline.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import Any

from ...ids import id_bytes, own_id_bytes, trace_begun_by
from ...runtime.deadlines import Deadlines
from ...signals import Signal
from ...transport import Opened

MAX_QUESTIONS = 10_000
ASK_S = 0.25
_NOBODY = bytes(16)
_NEVER_S = float("-inf")


class OpenTask:
    """One task that waits for its end. Slots, because every dispatch makes one.

    Attributes:
        task: Task id, 16 bytes.
        trace: Trace id, 16 bytes.
        signal: The TASK.
        timeout_s: How long its caller wanted to wait.
        expires_at_s: When that is over, on the monotonic clock.
        waiter: Whoever waits for the end; nothing here touches it.
        pathway: Whoever wants to see every reply; nothing here touches it.
        elsewhere: True if its caller waits for answers to questions that others give.
        worker: Instance id of the worker, once it is known.
        body: The TASK as it was sent.
        asked_at_s: When replies that are missing were asked for.
        early_index: The highest number of a reply that came ahead of missing ones.
        question: What the Neuron asked instead of answering, while nobody has answered it.
    """

    __slots__ = (
        "_slot",
        "asked_at_s",
        "body",
        "early_index",
        "elsewhere",
        "expires_at_s",
        "next_index",
        "pathway",
        "question",
        "signal",
        "task",
        "timeout_s",
        "trace",
        "waiter",
        "worker",
    )

    def __init__(
        self,
        signal: Signal,
        timeout_s: float,
        waiter: Any = None,
        pathway: Any = None,
        elsewhere: bool = False,
    ) -> None:
        self.task = own_id_bytes(signal.id)
        begins = signal.trace_id == trace_begun_by(signal.id)
        self.trace = self.task if begins else id_bytes(signal.trace_id)
        self.signal = signal
        self.question: Signal | None = None
        self.worker = _NOBODY
        self.next_index = 0
        self.early_index = 0
        self.timeout_s = timeout_s
        self.expires_at_s = 0.0
        self.waiter = waiter
        self.pathway = pathway
        self.elsewhere = elsewhere
        self._slot = 0
        self.body = b""
        self.asked_at_s = _NEVER_S

    def renew(self, signal: Signal) -> None:
        """Go on with another TASK in place of the one that ended in a question."""
        self.task = own_id_bytes(signal.id)
        self.signal = signal
        self.question = None
        self.worker = _NOBODY
        self.next_index = 0
        self.early_index = 0

    @property
    def is_kept(self) -> bool:
        """Tell whether it runs on when its caller goes."""
        return self.waiter is None and self.pathway is None

    @property
    def target(self) -> str:
        """What the task was addressed to, for people."""
        directed = self.signal.directed
        if directed is not None and directed.id is not None:
            return f"neuron {directed.id!r}"
        wanted = directed.capabilities if directed is not None else ()
        return f"a neuron that offers {', '.join(wanted)}"


class OpenTasks:
    """The open tasks of one Dendrite, and those that ended in a question nobody has answered."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._open: dict[bytes, OpenTask] = {}
        self._asked: dict[bytes, OpenTask] = {}
        self._over: OrderedDict[bytes, Signal | None] = OrderedDict()
        self._deadlines: Deadlines[bytes] = Deadlines()

    def __len__(self) -> int:
        """Return the number of open tasks."""
        return len(self._open)

    def open(self, opened: OpenTask, now_s: float) -> None:
        """Wait for the end of a task, at most its `timeout_s` seconds."""
        opened.expires_at_s = at_s = now_s + opened.timeout_s
        self._open[opened.task] = opened
        opened._slot = self._deadlines.set(opened.task, at_s)

    def _hold(self, opened: OpenTask) -> None:
        self._open[opened.task] = opened
        opened._slot = self._deadlines.set(opened.task, opened.expires_at_s)

    def on_trace(self, trace: bytes) -> list[OpenTask]:
        """Return the open tasks of a trace, and those that wait for an answer."""
        waiting = (*self._open.values(), *self._asked.values())
        return [each for each in waiting if each.trace == trace]

    def get(self, task: bytes) -> OpenTask | None:
        """Return an open task."""
        return self._open.get(task)

    def opened(self, now_s: float) -> list[Opened]:
        """Return every open task for a list of them, oldest first."""
        return [
            Opened(
                each.task,
                each.trace,
                each.next_index,
                max(0, int((each.expires_at_s - now_s) * 1000)),
                each.is_kept,
            )
            for each in self._open.values()
        ]

    def missed(self, task: bytes, index: int, now_s: float) -> OpenTask | None:
        """Return the task if replies before this one are to be asked for, at most every 0.25 s."""
        opened = self._open.get(task)
        if opened is None or index <= opened.next_index:
            return None
        opened.early_index = max(opened.early_index, index)
        if now_s < opened.asked_at_s + ASK_S:
            return None
        opened.asked_at_s = now_s
        return opened

    def replied(
        self, task: bytes, worker: bytes, index: int, settles: bool, skips: bool = False
    ) -> OpenTask | None:
        """Take a reply; None, and counted, when it is not the next one of an open task.

        Replies are numbered, so that what is missing before this one shows, and what comes twice.
        What is missing is sent again, see `missed`; with `skips` it is gone for good.
        """
        opened = self._open.get(task)
        if opened is None:
            self.counts["drop.late_reply"] += 1
            return None
        if index < opened.next_index:
            self.counts["drop.repeated_reply"] += 1
            return None
        if index > opened.next_index:
            if not skips:
                self.counts["drop.early_reply"] += 1
                return None
            self.counts["gap.replies"] += index - opened.next_index
        opened.next_index = index + 1
        opened.worker = worker
        if settles:
            del self._open[task]
            self._deadlines.drop(task, opened._slot)
        return opened

    def close(self, task: bytes) -> OpenTask | None:
        """End a task; None when it is not open (any more)."""
        opened = self._open.pop(task, None)
        if opened is not None:
            self._deadlines.drop(task, opened._slot)
        return opened

    def close_all(self) -> list[OpenTask]:
        """End every task and forget every question; return whom it concerns."""
        tasks = [opened for task in list(self._open) if (opened := self.close(task))]
        return tasks + [each for key in list(self._asked) if (each := self._forget(key))]

    def expire(self, now_s: float) -> list[OpenTask]:
        """End and return the tasks, and forget the questions, whose deadline is over."""
        due = self._deadlines.due(now_s)
        return [opened for key in due if (opened := self.close(key) or self._forget(key))]

    def next_deadline_at_s(self) -> float | None:
        """Return when `expire` is to be asked next."""
        return self._deadlines.next_at_s()

    # -- questions -------------------------------------------------------------------------------

    def ask(self, opened: OpenTask, question: Signal) -> OpenTask | None:
        """Keep a task that ended in a question until it is answered or its deadline is over.

        Returns:
            The oldest one, forgotten because there are over 10,000 of them.
        """
        opened.question = question
        key = id_bytes(question.id)
        self._asked[key] = opened
        opened._slot = self._deadlines.set(key, opened.expires_at_s)
        if len(self._asked) <= MAX_QUESTIONS:
            return None
        self.counts["drop.question"] += 1
        return self._forget(next(iter(self._asked)))

    def question(self, question_id: str) -> OpenTask | None:
        """Return the task that waits for the answer to a question."""
        return self._asked.get(id_bytes(question_id))

    def answered(self, question_id: str) -> Signal | None:
        """Return the answer that a question got, as far as we know."""
        return self._over.get(id_bytes(question_id))

    def is_over(self, question_id: str) -> bool:
        """Tell whether a question has its answer, or nobody wants one any more."""
        return id_bytes(question_id) in self._over

    def end_question(self, question: Signal, answer: Signal | None) -> None:
        """Note what answer a question got, or that nobody wants one; 10,000 are remembered."""
        self._over[id_bytes(question.id)] = answer
        if len(self._over) > MAX_QUESTIONS:
            self._over.popitem(last=False)

    def answer(self, opened: OpenTask, answer: Signal, signal: Signal) -> None:
        """Go on with another TASK, within the deadline of the one that ended in the question."""
        if opened.question is not None:
            self._forget(id_bytes(opened.question.id))
            self.end_question(opened.question, answer)
        opened.renew(signal)
        self._hold(opened)

    def withdraw(self, opened: OpenTask) -> bool:
        """End a task or forget its question; False when it has ended before."""
        if opened.question is not None:
            self.end_question(opened.question, None)
            return self._forget(id_bytes(opened.question.id)) is not None
        return self.close(opened.task) is not None

    def _forget(self, key: bytes) -> OpenTask | None:
        opened = self._asked.pop(key, None)
        if opened is not None:
            self._deadlines.drop(key, opened._slot)
        return opened
