"""The spans of TASKs at their worker: the wait for a place, the run, the calls of tools in it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from contextvars import Token
from typing import Any

from ..signals import Signal, SignalType
from ..telemetry import content, model_calls
from ..telemetry import span_names as names
from ..telemetry.task_observer import ArrivedTask
from ..telemetry.told_values import told_attempt, told_text
from ..telemetry.trace_context import found_in
from .api import Context, Span, SpanKind, Tracer, context_api, failed, remote_context, trace
from .model_spans import ModelSpans

LEAST_QUEUED_MS = 1.0
"""A shorter wait has no span of its own: it is the turn of the loop, and not a queue."""
MAX_TOOL_CALLS = 256
"""So many calls of tools may be open in one run; further ones have no span."""
BAD_TRACEPARENT = "drop.bad_traceparent"


class Run:
    """The span of a run, and what belongs to it. Slots: each TASK makes one."""

    __slots__ = ("context", "has_ended", "listener", "span", "task_id", "token", "tools")

    def __init__(
        self,
        task_id: str,
        span: Span,
        context: Context,
        token: Token[Context],
        listener: Token[model_calls.ModelListener | None],
    ) -> None:
        self.task_id = task_id
        self.has_ended = False
        self.span = span
        self.context = context
        self.token = token
        self.listener = listener
        self.tools: dict[str, Span] | None = None


class RunSpans:
    """The spans of the TASKs that the Axons of one Dendrite run.

    Args:
        tracer: Makes the spans.
        facts: What every span says about the Dendrite.
        counts: Counts the trace contexts that were invalid.
        captures_content: Whether inputs, outputs and arguments are recorded.
    """

    def __init__(
        self,
        tracer: Tracer,
        facts: Mapping[str, str],
        counts: Counter[str],
        captures_content: bool,
    ) -> None:
        self._tracer = tracer
        self._facts = facts
        self._counts = counts
        self._captures_content = captures_content
        self._models = ModelSpans(tracer, captures_content)
        self._runs: dict[bytes, Run] = {}

    def context_of(self, task_id: str) -> Context | None:
        """Return the context of a run that goes on here; None if two callers use this id."""
        # Asked for only where no span is current, so a look at each run is good enough.
        found = [run for run in self._open() if run.task_id == task_id]
        return found[0].context if len(found) == 1 else None

    def _open(self) -> list[Run]:
        return [run for run in list(self._runs.values()) if not run.has_ended]

    def begin(self, job: ArrivedTask, now_s: float) -> None:
        """Begin the span of a run and make it the current one of this asyncio task."""
        task = job.signal
        parent = self._parent_of(job)
        attributes = self._about(job)
        queued_ms = (now_s - job.arrived_at_s) * 1000
        if queued_ms >= LEAST_QUEUED_MS:
            self._queue_span(job, parent, queued_ms, None)
        attributes[names.QUEUED_MS] = round(queued_ms, 3)
        attributes[names.OPERATION] = names.INVOKE_AGENT
        axon = job.slots.axon
        attributes[names.AGENT_NAME] = axon.neuron_id
        attributes[names.PROVIDER] = names.SYSTEM
        if axon.version is not None:
            attributes[names.AGENT_VERSION] = axon.version
        if self._captures_content:
            attributes[names.INPUT_MESSAGES] = content.messages(task.payload.get("input"))
        span = self._tracer.start_span(
            names.span_name(names.INVOKE_AGENT, axon.neuron_id),
            parent,
            SpanKind.CONSUMER if job.keep else SpanKind.SERVER,
            attributes,
        )
        context = trace.set_span_in_context(span, Context())
        listener = model_calls.LISTENER.set(self._models)
        token = context_api.attach(context)
        self._runs[job.key] = Run(task.id, span, context, token, listener)

    def _parent_of(self, job: ArrivedTask) -> Context:
        """Return where a TASK belongs; count what is invalid, so this is asked once for each."""
        found = found_in(job.signal.meta)
        if found.dropped_count:
            self._counts[BAD_TRACEPARENT] += found.dropped_count
        return remote_context(found.context)

    def _about(self, job: ArrivedTask) -> dict[str, Any]:
        task = job.signal
        attributes: dict[str, Any] = {
            **self._facts,
            names.MESSAGING_OPERATION_TYPE: "process",
            names.MESSAGE_ID: task.id,
            names.DESTINATION: job.slots.axon.neuron_id,
            names.TRACE: task.trace_id,
        }
        attempt = told_attempt(task.meta.get("attempt"))
        if attempt is not None:
            attributes[names.ATTEMPT] = attempt
        return attributes

    def _queue_span(
        self, job: ArrivedTask, parent: Context, queued_ms: float, code: str | None
    ) -> None:
        """Record a wait that is over, which ends in the code of an ERROR or in a run."""
        now_ns = time.time_ns()
        span = self._tracer.start_span(
            names.span_name(names.QUEUE, job.slots.axon.neuron_id),
            parent,
            SpanKind.INTERNAL,
            self._about(job),
            start_time=now_ns - int(queued_ms * 1e6),
        )
        if code is not None:
            span.set_attribute(names.ERROR_TYPE, code)
            span.set_status(failed(code))
        span.end(now_ns)

    def said(self, job: ArrivedTask) -> None:
        """Note when the first thought left."""
        run = self._runs.get(job.key)
        if run is not None:
            run.span.add_event(names.FIRST_THOUGHT)

    def end(
        self, job: ArrivedTask, kind: SignalType, payload: Mapping[str, Any], now_s: float
    ) -> None:
        """End the span of a run with its outcome; a TASK that never ran has a queue span alone."""
        code = told_text(payload.get("code")) if kind is SignalType.ERROR else None
        run = self._runs.get(job.key)
        if run is None:
            if job.started_at_s is None:  # else it ran before there was anybody to tell
                queued_ms = (now_s - job.arrived_at_s) * 1000
                self._queue_span(job, self._parent_of(job), queued_ms, code)
            return
        run.has_ended = True
        span = run.span
        span.set_attribute(names.OUTCOME, kind.value)
        if code is not None:
            span.set_attribute(names.ERROR_TYPE, code)
            span.set_status(failed(code))
        elif self._captures_content:
            told = payload.get("output", payload.get("result", payload))
            span.set_attribute(names.OUTPUT_MESSAGES, content.message("assistant", told, "stop"))
        for tool in (run.tools or {}).values():
            tool.end()
        span.end()

    def leave(self, job: ArrivedTask) -> None:
        """Give the asyncio task the context back that it had."""
        run = self._runs.pop(job.key, None)
        if run is not None:
            context_api.detach(run.token)
            model_calls.LISTENER.reset(run.listener)

    # -- tools -------------------------------------------------------------------------------------

    def tool(self, job: ArrivedTask, signal: Signal) -> None:
        """Begin the span of a TOOL_CALL, or end that of its TOOL_RESULT."""
        run = self._runs.get(job.key)
        call_id = signal.payload.get("call_id")
        if run is None or not isinstance(call_id, str):
            return
        if signal.type is SignalType.TOOL_CALL:
            self._begin_tool(run, call_id, signal.payload)
        elif run.tools is not None and (span := run.tools.pop(call_id, None)) is not None:
            self._end_tool(span, signal.payload)

    def _begin_tool(self, run: Run, call_id: str, payload: Mapping[str, Any]) -> None:
        if run.tools is None:
            run.tools = {}
        if len(run.tools) >= MAX_TOOL_CALLS or call_id in run.tools:
            return
        name = told_text(payload.get("tool_name"))
        attributes = {
            names.OPERATION: names.EXECUTE_TOOL,
            names.TOOL_NAME: name,
            names.TOOL_CALL_ID: told_text(call_id),
        }
        if self._captures_content:
            attributes[names.TOOL_ARGUMENTS] = content.as_text(payload.get("args"))
        run.tools[call_id] = self._tracer.start_span(
            names.span_name(names.EXECUTE_TOOL, name),
            run.context,
            SpanKind.INTERNAL,
            attributes,
        )

    def _end_tool(self, span: Span, payload: Mapping[str, Any]) -> None:
        if payload.get("error") is not None:
            span.set_attribute(names.ERROR_TYPE, "tool_error")
            span.set_status(failed("tool_error"))
        elif self._captures_content:
            span.set_attribute(names.TOOL_RESULT, content.as_text(payload.get("result")))
        span.end()

    def close(self) -> None:
        """End every span that is open, as it is, and begin none any more for the models."""
        self._models.close()
        for run in self._open():
            for tool in (run.tools or {}).values():
                tool.end()
            run.span.end()
            run.has_ended = True
