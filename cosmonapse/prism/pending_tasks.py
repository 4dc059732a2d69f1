"""Tasks that were observed and have no outcome yet. Pure.

A task may end unobserved: its caller cancels it, or its reply is missed. The tables of the Synapse
show that: a worker without open tasks there has none here, a task that is not in a complete list of
them is over, and one whose deadline has passed is forgotten there. Such a task is *unseen*.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping

import attrs

from ..doppler.observed import ObservedSignal
from ..doppler.preview import preview
from ..registry import NeuronRecord, TaskRecord
from ..signals import QUESTIONS, Signal, SignalType
from ..telemetry.told_values import told_attempt
from .record import neuron_of

MOST_TASKS = 20_000
MOST_ASKING = 500
MOST_UNSEEN = 500
UNSEEN_S = 60.0
"""So long a task without a seen outcome is shown as one."""
GRACE_S = 5.0
"""So long after its end or its deadline an outcome may still come; the Synapse waits as long."""
_KEPT_BYTES = 1024
"""A TASK of at most so many bytes is kept whole, and read when it is shown; of others the text."""
_LINE_CHARS = 200
_CAPABILITIES = 16
_CAPABILITY_CHARS = 128
_ASKED_S = 3_600.0
"""So long a question is waited for to be answered."""
_NOBODY = bytes(16)
_SETTLING = frozenset(
    {
        SignalType.AGENT_OUTPUT,
        SignalType.FINAL,
        SignalType.ERROR,
        SignalType.CLARIFICATION,
        SignalType.PERMISSION,
        SignalType.ESCALATION,
    }
)
_ANSWERS = frozenset({SignalType.CLARIFICATION_ANSWER, SignalType.PERMISSION_DECISION})
_SLACK_S = 1.0
_ABSENT_S = 15.0
_HOMELESS_S = 300.0


@attrs.define(eq=False)
class PendingTask:
    """A task without an outcome.

    Args:
        id: The id of its TASK.
        trace_id: Its workflow.
        parent_id: The Signal that its TASK follows.
        neuron: The neuron it names, if it names one.
        capabilities: The capabilities it requires otherwise.
        caller: Instance id of its caller.
        worker: Instance id of its worker; zero if unknown.
        at_s: When it was observed.
        ts: When it was made, by the clock of its caller.
        body: Its TASK, encoded; empty if that is long.
        prompt: What its TASK says, on one line; None if it is not read yet.
        attempt: Which attempt it is, from 1.

    Attributes:
        first_at_s: When its first thought was observed; None before that.
        told_at_s: When it was heard of last.
        thoughts: How many thoughts it sent.
        characters: Of how many characters, all together.
        asks: The type of the question that it ended with, if it waits for the answer.
        question: What that says, on one line.
        due_s: Its deadline, as the Synapse told it; None if it did not.
        ended_at_s: When it was found to have ended unobserved; None while it is open.
        is_told: Whether it was returned as unseen.
    """

    id: str
    trace_id: str
    parent_id: str | None
    neuron: str | None
    capabilities: tuple[str, ...]
    caller: bytes
    worker: bytes
    at_s: float
    ts: float
    body: bytes
    prompt: str | None = None
    attempt: int = 1
    first_at_s: float | None = None
    told_at_s: float = 0.0
    thoughts: int = 0
    characters: int = 0
    asks: SignalType | None = None
    question: str = ""
    due_s: float | None = None
    ended_at_s: float | None = None
    is_told: bool = False

    def read(self) -> str:
        """Return what its TASK says, on one line of at most 200 characters, secrets masked."""
        if self.prompt is None:
            self.prompt, self.body = line_of(Signal.decode(self.body)), b""
        return self.prompt


class PendingTasks:
    """The open tasks, the oldest first.

    Args:
        most: Most tasks that are remembered; beyond that the oldest is dropped.
    """

    def __init__(self, most: int = MOST_TASKS) -> None:
        self._open: OrderedDict[str, PendingTask] = OrderedDict()
        self._asking: OrderedDict[str, PendingTask] = OrderedDict()  # by the id of the question
        self._unseen: OrderedDict[str, PendingTask] = OrderedDict()  # an outcome may be on its way
        self._absent_since_s: dict[bytes, float] = {}
        self._open_of: dict[tuple[bytes, str | None], int] = {}
        self._most = most

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._open)

    def __iter__(self) -> Iterator[PendingTask]:
        """Yield them, the oldest first."""
        return iter(self._open.values())

    @property
    def asking(self) -> Iterator[PendingTask]:
        """Those that ended with a question which nobody has answered, the oldest first."""
        return iter(self._asking.values())

    def unseen(self, now_s: float) -> Iterator[PendingTask]:
        """Yield those of the last minute that ended without a seen outcome, the oldest first."""
        return (task for task in self._unseen.values() if _is_late(task, now_s))

    def observe(self, observed: ObservedSignal, now_s: float) -> PendingTask | None:
        """Record a Signal; return the task that it settles, if it does."""
        signal = observed.signal
        kind, parent = signal.type, signal.parent_id
        if kind is SignalType.THOUGHT_DELTA:
            task = self._open.get(parent or "")
            if task is not None:
                _think(task, signal, now_s)
            return None
        if kind is SignalType.TASK:
            self._begin(observed, now_s)
            return None
        if parent is None:
            return None
        if kind in _SETTLING:
            task = self._open.pop(parent, None) or self._unseen.pop(parent, None)
            if task is not None and kind in QUESTIONS:
                self._ask(task, signal, now_s)
            return task
        if kind in _ANSWERS:
            self._asking.pop(parent, None)
        elif (task := self._open.get(parent)) is not None:
            task.told_at_s = now_s
        return None

    def _begin(self, observed: ObservedSignal, now_s: float) -> None:
        signal, directed = observed.signal, observed.signal.directed
        is_short = len(observed.body) <= _KEPT_BYTES
        if signal.parent_id is not None:
            self._asking.pop(signal.parent_id, None)
        self._open[signal.id] = PendingTask(
            id=signal.id,
            trace_id=signal.trace_id,
            parent_id=signal.parent_id,
            neuron=neuron_of(observed),
            capabilities=() if directed is None else _shortened(directed.capabilities),
            caller=observed.caller,
            worker=observed.worker,
            at_s=now_s,
            ts=signal.ts,
            body=observed.body if is_short else b"",
            prompt=None if is_short else line_of(signal),
            attempt=told_attempt(signal.meta.get("attempt")) or 1,
            told_at_s=now_s,
        )
        if len(self._open) > self._most:
            self._open.popitem(last=False)

    def _ask(self, task: PendingTask, question: Signal, now_s: float) -> None:
        task.asks, task.question, task.told_at_s = question.type, line_of(question), now_s
        self._asking[question.id] = task
        if len(self._asking) > MOST_ASKING:
            self._asking.popitem(last=False)

    def count_of(self, worker: bytes) -> int:
        """Return how many open tasks a worker has."""
        return sum(1 for task in self._open.values() if task.worker == worker)

    def compare(self, records: Iterable[NeuronRecord], asked_at_s: float) -> list[PendingTask]:
        """Drop the tasks that are not open in the tables of the Synapse any more.

        Args:
            records: Every Axon of the namespace.
            asked_at_s: When the Synapse was asked for them; later tasks may be missing.

        Returns:
            Those that are unseen since the last time.
        """
        open_of: dict[tuple[bytes, str | None], int] = {}
        for record in records:
            worker = bytes.fromhex(record.instance)
            for key in ((worker, record.neuron_id), (worker, None)):
                open_of[key] = open_of.get(key, 0) + record.open
        self._open_of = open_of
        workers = {worker for worker, _ in open_of}
        self._absent_since_s = {
            task.worker: self._absent_since_s.get(task.worker, asked_at_s)
            for task in self._open.values()
            if task.worker not in workers
        }
        for task in list(self._open.values()):
            if task.due_s is not None and asked_at_s > task.due_s + GRACE_S:
                self._end(task, task.due_s)
            elif task.at_s < asked_at_s - _SLACK_S and self._has_ended(task, open_of, asked_at_s):
                self._end(task, asked_at_s)
        for question, task in list(self._asking.items()):
            if asked_at_s - task.told_at_s > _ASKED_S:
                del self._asking[question]
        return self._new_unseen(asked_at_s)

    def compare_tasks(self, records: Iterable[TaskRecord], asked_at_s: float) -> None:
        """Take the deadlines of open tasks, and drop those that the Synapse has not open.

        Args:
            records: The open tasks that this peer may see; it is complete for a worker where it
                has all that the roster counted.
            asked_at_s: When the Synapse was asked for them; later tasks may be missing.
        """
        told = {each.id: each for each in records}
        told_of = Counter(each.instance for each in told.values())
        for task in list(self._open.values()):
            record = told.get(task.id)
            if record is not None:
                # What is left is never below 0: the first time that it says so counts.
                if record.remaining_s is not None and (record.remaining_s or task.due_s is None):
                    task.due_s = asked_at_s + record.remaining_s
                continue
            counted = self._open_of.get((task.worker, None), 0)
            is_complete = 0 < counted <= told_of[task.worker.hex()]
            if is_complete and task.at_s < asked_at_s - _SLACK_S:
                self._end(task, asked_at_s)

    def _end(self, task: PendingTask, at_s: float) -> None:
        del self._open[task.id]
        task.ended_at_s = at_s
        self._unseen[task.id] = task

    def _new_unseen(self, now_s: float) -> list[PendingTask]:
        """Return the tasks whose outcome is not waited for any more; forget those of long ago."""
        new = [task for task in self.unseen(now_s) if not task.is_told]
        while len(self._unseen) > MOST_UNSEEN:
            _, oldest = self._unseen.popitem(last=False)
            if not oldest.is_told and not _is_late(oldest, now_s):
                new.append(oldest)
        for task in new:
            task.is_told = True
        for task in list(self._unseen.values()):
            if now_s - (task.ended_at_s or 0.0) > UNSEEN_S:
                del self._unseen[task.id]
        return new

    def _has_ended(
        self, task: PendingTask, open_of: Mapping[tuple[bytes, str | None], int], now_s: float
    ) -> bool:
        since_s = self._absent_since_s.get(task.worker)
        if since_s is None:
            key = (task.worker, task.neuron)
            return not open_of.get(key, open_of[task.worker, None])
        limit_s = _HOMELESS_S if task.worker == _NOBODY else _ABSENT_S
        return now_s - (task.at_s if task.worker == _NOBODY else since_s) > limit_s


def line_of(signal: Signal) -> str:
    """Return what a Signal says, on one line of at most 200 characters, secrets masked."""
    return " ".join(preview(signal)[: 2 * _LINE_CHARS].split())[:_LINE_CHARS]


def _is_late(task: PendingTask, now_s: float) -> bool:
    return now_s - (task.ended_at_s or 0.0) >= GRACE_S


def _shortened(capabilities: tuple[str, ...]) -> tuple[str, ...]:
    """Return the first capabilities; a hostile TASK may have thousands."""
    return tuple(each[:_CAPABILITY_CHARS] for each in capabilities[:_CAPABILITIES])


def _think(task: PendingTask, signal: Signal, now_s: float) -> None:
    if task.first_at_s is None:
        task.first_at_s = now_s
    task.told_at_s = now_s
    task.thoughts += 1
    text = signal.payload.get("delta")
    if text.__class__ is str:
        task.characters += len(text)
