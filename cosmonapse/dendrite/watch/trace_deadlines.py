"""Tells when a trace is over, so that the handlers of one trace do not stay for ever. Pure.

A trace is over when every TASK that was seen in it has ended, no question waits for its answer, and
nothing more came for `GRACE_S` seconds. One that never began is not over.
"""

from __future__ import annotations

from ...kernel import Deadlines
from ...signals import QUESTIONS, Signal, SignalType

GRACE_S = 30.0
_ENDS = frozenset({SignalType.AGENT_OUTPUT, SignalType.FINAL, SignalType.ERROR})


class _OpenTrace:
    """One trace: the tasks and questions that are open, and the slot of its end."""

    __slots__ = ("open_ids", "question_ids", "slot")

    def __init__(self) -> None:
        self.open_ids: set[str] = set()
        self.question_ids: set[str] = set()
        self.slot: int | None = None


class TraceDeadlines:
    """The traces that are observed for their end."""

    def __init__(self) -> None:
        self._open: dict[str, _OpenTrace] = {}
        self._ends: Deadlines[str] = Deadlines()

    def __contains__(self, trace_id: object) -> bool:
        """Return whether a trace is observed."""
        return trace_id in self._open

    def begin(self, trace_id: str) -> None:
        """Observe a trace."""
        self._open.setdefault(trace_id, _OpenTrace())

    def forget(self, trace_id: str) -> None:
        """Observe a trace no longer."""
        trace = self._open.pop(trace_id, None)
        if trace is not None and trace.slot is not None:
            self._ends.drop(trace_id, trace.slot)

    def saw(self, signal: Signal, now_s: float) -> float | None:
        """Record a Signal; return when its trace is over if nothing else comes, or None."""
        trace = self._open.get(signal.trace_id)
        if trace is None:
            return None
        had_ended = trace.slot is not None
        if trace.slot is not None:
            self._ends.drop(signal.trace_id, trace.slot)
            trace.slot = None
        parent_id = signal.parent_id or ""
        if signal.type is SignalType.TASK:
            trace.question_ids.discard(parent_id)
            trace.open_ids.add(signal.id)
        elif signal.type in QUESTIONS:
            trace.open_ids.discard(parent_id)
            trace.question_ids.add(signal.id)
        elif signal.type in _ENDS:
            trace.open_ids.discard(parent_id)
            trace.question_ids.discard(parent_id)
            had_ended = True
        if not had_ended or trace.open_ids or trace.question_ids:
            return None
        trace.slot = self._ends.set(signal.trace_id, now_s + GRACE_S)
        return now_s + GRACE_S

    def next_at_s(self) -> float | None:
        """Return the time of the next call of `due`, or None."""
        return self._ends.next_at_s()

    def due(self, now_s: float) -> list[str]:
        """Return the traces that are over, and forget them."""
        over = self._ends.due(now_s)
        for trace_id in over:
            self._open.pop(trace_id, None)
        return over
