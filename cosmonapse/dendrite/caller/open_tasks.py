"""Open tasks at their caller: the tasks that wait for their end, and their deadlines. Pure.

Spec: docs/spec/03-routing.md, "At the caller". Every task that is opened ends exactly once: by the
reply that settles it, by a BOUNCE or LOST, or at its deadline.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

from ...ids import id_bytes, own_id_bytes, trace_begun_by
from ...kernel import Deadlines
from ...signals import Directed, Signal
from ...tasks import MAX_TIMEOUT_S
from ...transport import Opened

GAP_INTERVAL_S = 0.25
_MAX_TIMEOUT_S = float(MAX_TIMEOUT_S)
_NO_WORKER = bytes(16)
_NEVER_S = float("-inf")

AddressOf = Callable[[str | None, tuple[str, ...]], bytes]
"""Neuron or None, capabilities -> the address that a TASK is sent to."""


class OpenTask:
    """One task that waits for its end. Slots, because every dispatch makes one.

    Attributes:
        task: Task id, 16 bytes.
        trace: Trace id, 16 bytes.
        signal: The TASK; made from `body` when somebody looks at it, if there is none yet.
        timeout_s: The time that its caller allows.
        expires_at_s: Its deadline on the monotonic clock.
        deadline_slot: The slot of that deadline in its table of `Deadlines`.
        waiter: The future of the waiting caller; nothing here reads it.
        pathway: The feed of the Pathway that receives every reply; here it hears of lost ones.
        answer_elsewhere: True if its caller waits for answers from other Dendrites.
        worker: Instance id of the worker, once it is known.
        body: The TASK as it was sent; empty before that.
        address: Where it was sent to; empty before that.
        has_thought: True once an observer was told of its first thought.
        gap_sent_at_s: The time of the last request for missing replies.
        early_index: The highest number of a reply that arrived before missing ones.
        question: The unanswered question that the Neuron sent instead of an output.
    """

    is_observed = True
    """Whether it counts as a task: is told to observers, handlers and watchers."""

    __slots__ = (
        "_signal",
        "address",
        "answer_elsewhere",
        "body",
        "deadline_slot",
        "early_index",
        "expires_at_s",
        "gap_sent_at_s",
        "has_thought",
        "next_index",
        "pathway",
        "question",
        "task",
        "timeout_s",
        "trace",
        "waiter",
        "worker",
    )

    def __init__(
        self,
        task: bytes,
        trace: bytes,
        signal: Signal | None,
        body: bytes,
        timeout_s: float,
        waiter: Any,
        pathway: Any,
        answer_elsewhere: bool,
        address: bytes = b"",
    ) -> None:
        self.task = task
        self.trace = trace
        self._signal = signal
        self.question: Signal | None = None
        self.worker = _NO_WORKER
        self.next_index = 0
        self.early_index = 0
        self.timeout_s = timeout_s
        self.expires_at_s = 0.0
        self.waiter = waiter
        self.pathway = pathway
        self.answer_elsewhere = answer_elsewhere
        self.deadline_slot = 0
        self.body = body
        self.address = address
        self.has_thought = False
        self.gap_sent_at_s = _NEVER_S

    @classmethod
    def of(
        cls,
        signal: Signal,
        timeout_s: float,
        waiter: Any = None,
        pathway: Any = None,
        answer_elsewhere: bool = False,
    ) -> OpenTask:
        """Return the open task of a TASK that was not sent yet."""
        task = own_id_bytes(signal.id)
        # 07-signals, "Ids", 4: a TASK that begins a trace has the same bytes for both ids.
        begins = signal.trace_id == trace_begun_by(signal.id)
        trace = task if begins else id_bytes(signal.trace_id)
        return cls(task, trace, signal, b"", timeout_s, waiter, pathway, answer_elsewhere)

    @property
    def signal(self) -> Signal:
        """The TASK."""
        if self._signal is None:
            self._signal = Signal.decode(self.body)
        return self._signal

    def continue_with(self, signal: Signal) -> None:
        """Replace the TASK that ended in a question by the one that its answer led to."""
        self.task = own_id_bytes(signal.id)
        self._signal = signal
        self.question = None
        self.has_thought = False
        self.worker = _NO_WORKER
        self.next_index = 0
        self.early_index = 0

    @property
    def keep(self) -> bool:
        """Whether the task runs on when its caller disconnects."""
        return self.waiter is None and self.pathway is None

    @property
    def target(self) -> str:
        """The destination of the task, for error texts."""
        directed = self.signal.directed
        if directed is not None and directed.id is not None:
            return f"neuron {directed.id!r}"
        wanted = directed.capabilities if directed is not None else ()
        return f"a neuron that offers {', '.join(wanted)}"


class CardTask(OpenTask):
    """A TASK that asks for a card: no work of a Neuron."""

    __slots__ = ()
    is_observed = False


class OpenTasks:
    """The open tasks of one Dendrite."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._open: dict[bytes, OpenTask] = {}
        self._deadlines: Deadlines[bytes] = Deadlines()

    def __len__(self) -> int:
        """Return the number of open tasks."""
        return len(self._open)

    def open(self, opened: OpenTask, now_s: float) -> None:
        """Add a task; its deadline is in `timeout_s` seconds."""
        opened.expires_at_s = at_s = now_s + opened.timeout_s
        self._open[opened.task] = opened
        opened.deadline_slot = self._deadlines.set(opened.task, at_s)

    def reopen(self, opened: OpenTask) -> None:
        """Add a task that continues after a question; it keeps its deadline."""
        self._open[opened.task] = opened
        opened.deadline_slot = self._deadlines.set(opened.task, opened.expires_at_s)

    def of_trace(self, trace: bytes) -> list[OpenTask]:
        """Return the open tasks of a trace."""
        return [each for each in self._open.values() if each.trace == trace]

    def get(self, task: bytes) -> OpenTask | None:
        """Return an open task."""
        return self._open.get(task)

    def opened(self, now_s: float, address_of: AddressOf | None = None) -> list[Opened]:
        """Return every open task as a row of resync, oldest first (09-resync, "After WELCOME").

        Args:
            now_s: The time.
            address_of: Returns the address of a destination, see `Transport.address_of`; without
                it the rows name none.
        """
        return [
            Opened(
                each.task,
                each.trace,
                each.next_index,
                max(0, int((each.expires_at_s - now_s) * 1000)),
                each.keep,
                b"" if address_of is None else _address(each.signal.directed, address_of),
            )
            for each in self._open.values()
        ]

    def missed(self, task: bytes, index: int, now_s: float) -> OpenTask | None:
        """Return the task if its replies before `index` are missing and a GAP may be sent now."""
        opened = self._open.get(task)
        if opened is None or index <= opened.next_index:
            return None
        opened.early_index = max(opened.early_index, index)
        # 09-resync, "At the caller", 2: at most one GAP every 0.25 s for a task.
        if now_s < opened.gap_sent_at_s + GAP_INTERVAL_S:
            return None
        opened.gap_sent_at_s = now_s
        return opened

    def replied(
        self, task: bytes, worker: bytes, index: int, settles: bool, skips: bool = False
    ) -> OpenTask | None:
        """Accept the next reply of an open task; return None and count any other reply.

        Replies are numbered from 0 (03-routing, "Replies", 3). A missing reply is sent again after
        a GAP, see `missed`; with `skips` the replies before this one are lost for good.
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
            self._lose(opened, index - opened.next_index)
        opened.next_index = index + 1
        opened.worker = worker
        if settles:
            del self._open[task]
            self._deadlines.drop(task, opened.deadline_slot)
        return opened

    def replied_by_run(
        self, task: bytes, worker: bytes, index: int, count: int, skips: bool
    ) -> tuple[OpenTask, int] | None:
        """Accept `count` replies from number `index` on, as `replied` does with each.

        Returns:
            The task, and how many of the first replies it has had; None if it takes none of them.
        """
        opened = self._open.get(task)
        if opened is None:
            self.counts["drop.late_reply"] += count
            return None
        had = min(count, max(0, opened.next_index - index))
        if had:
            self.counts["drop.repeated_reply"] += had
        if had == count:
            return None
        if index > opened.next_index:
            if not skips:
                self.counts["drop.early_reply"] += count
                return None
            self._lose(opened, index - opened.next_index)
        opened.next_index = index + count
        opened.worker = worker
        return opened, had

    def _lose(self, opened: OpenTask, count: int) -> None:
        self.counts["gap.replies"] += count
        if opened.pathway is not None:
            opened.pathway.lose(count)

    def settled(self, opened: OpenTask, worker: bytes) -> None:
        """End an open task by its only reply."""
        opened.next_index = 1
        opened.worker = worker
        del self._open[opened.task]
        self._deadlines.drop(opened.task, opened.deadline_slot)

    def close(self, task: bytes) -> OpenTask | None:
        """End a task; return None if it is not open."""
        opened = self._open.pop(task, None)
        if opened is not None:
            self._deadlines.drop(task, opened.deadline_slot)
        return opened

    def close_all(self) -> list[OpenTask]:
        """End and return every task."""
        return [opened for task in list(self._open) if (opened := self.close(task))]

    def expire(self, now_s: float) -> list[OpenTask]:
        """End and return the tasks whose deadline has passed."""
        return [opened for key in self._deadlines.due(now_s) if (opened := self.close(key))]

    def next_deadline_at_s(self) -> float | None:
        """Return the time of the next call of `expire`, or None without an open task."""
        return self._deadlines.next_at_s()


def _address(directed: Directed | None, address_of: AddressOf) -> bytes:
    return b"" if directed is None else address_of(directed.id, directed.capabilities)


def checked_timeout(timeout_s: float) -> float:
    """Return `timeout_s` if it is a valid length of time.

    Raises:
        ValueError: It is not a number over 0 and at most 30 days.
    """
    if timeout_s.__class__ is float and 0.0 < timeout_s <= _MAX_TIMEOUT_S:
        return timeout_s
    if not isinstance(timeout_s, (int, float)) or not math.isfinite(timeout_s):
        raise ValueError(f"timeout_s must be a number of seconds, not {timeout_s!r}")
    if not 0 < timeout_s <= _MAX_TIMEOUT_S:
        raise ValueError(f"timeout_s must be over 0 and at most 30 days, not {timeout_s:g}")
    return float(timeout_s)
