"""What a Dendrite tells of its tasks, as spans: at its caller's side and at its worker's."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..signals import Signal, SignalType
from ..telemetry import span_names as names
from ..telemetry.task_observer import ArrivedTask, SentTask, TaskObserver
from .api import Tracer
from .dispatch_spans import DispatchSpans
from .run_spans import RunSpans


class TracingObserver(TaskObserver):
    """Makes the spans of one Dendrite.

    Args:
        tracer: Makes the spans.
        namespace: The namespace of the Dendrite.
        dendrite_id: Its id.
        counts: Counts the trace contexts that were invalid.
        captures_content: Whether inputs, outputs and arguments are recorded.
    """

    def __init__(
        self,
        tracer: Tracer,
        namespace: str,
        dendrite_id: str,
        counts: Counter[str],
        captures_content: bool,
    ) -> None:
        facts = {
            names.MESSAGING_SYSTEM: names.SYSTEM,
            names.NAMESPACE: namespace,
            names.DENDRITE: dendrite_id,
        }
        self._runs = RunSpans(tracer, facts, counts, captures_content)
        self._dispatches = DispatchSpans(tracer, facts, self._runs.context_of)

    def before_send(self, signal: Signal, waits: bool) -> None:
        """Begin the span of a TASK at its caller."""
        self._dispatches.begin(signal, waits)

    def on_not_sent(self, signal: Signal, error: BaseException) -> None:
        """End it: the TASK did not leave."""
        self._dispatches.not_sent(signal, error)

    def on_sent(self, opened: SentTask) -> None:
        """End it if nobody waits."""
        self._dispatches.sent(opened)

    def on_first_thought(self, opened: SentTask) -> None:
        """Note when the first thought came."""
        self._dispatches.heard(opened)

    def on_settled(self, opened: SentTask, signal: Signal | str) -> None:
        """End it with the outcome."""
        self._dispatches.settled(opened, signal)

    def on_start(self, job: ArrivedTask) -> None:
        """Begin the span of a run; it is the current one until `on_leave`."""
        self._runs.begin(job, asyncio.get_running_loop().time())

    def on_first_said(self, job: ArrivedTask) -> None:
        """Note when the first thought left."""
        self._runs.said(job)

    def on_tool(self, job: ArrivedTask, signal: Signal) -> None:
        """Begin or end the span of a tool."""
        self._runs.tool(job, signal)

    def on_end(self, job: ArrivedTask, signal_type: SignalType, payload: Mapping[str, Any]) -> None:
        """End the span of a run."""
        self._runs.end(job, signal_type, payload, asyncio.get_running_loop().time())

    def on_leave(self, job: ArrivedTask) -> None:
        """Leave the context of the run."""
        self._runs.leave(job)

    def on_removed(self) -> None:
        """End every span that is open."""
        self._dispatches.close()
        self._runs.close()
