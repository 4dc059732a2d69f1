"""The spans of TASKs at their caller, and the trace context that travels with each.

The kind of a span follows the conventions for messages and the general ones: a caller that waits
for the reply is a CLIENT; a TASK that is only handed in is sent by a PRODUCER, whose span ends when
it has left.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from ..signals import Signal, SignalType
from ..telemetry import span_names as names
from ..telemetry.task_observer import SentTask
from ..telemetry.told_values import told_attempt, told_text
from ..telemetry.trace_context import TRACEPARENT, TRACESTATE, found_in, traceparent_of
from .api import (
    Context,
    Link,
    Span,
    SpanContext,
    SpanKind,
    Tracer,
    context_api,
    failed,
    remote_context,
    span_context_of,
    trace,
)

MAX_FAILED = 1024
"""For so many tasks that failed it is known where a further attempt belongs."""


class DispatchSpans:
    """The spans of the TASKs of one Dendrite.

    Args:
        tracer: Makes the spans.
        facts: What every span says about the Dendrite.
        run_of: Returns the context of the run that a TASK follows, if it runs here.
    """

    def __init__(
        self, tracer: Tracer, facts: Mapping[str, str], run_of: Callable[[str], Context | None]
    ) -> None:
        self._tracer = tracer
        self._facts = facts
        self._run_of = run_of
        self._open: dict[str, Span] = {}
        self._parents: dict[str, Context] = {}
        self._failed: OrderedDict[str, tuple[Context, SpanContext]] = OrderedDict()

    def begin(self, task: Signal, waits: bool) -> None:
        """Begin the span of a TASK, and write its context into the meta of the TASK."""
        parent, links = self._place_of(task)
        directed, meta = task.directed, task.meta
        neuron = None if directed is None else directed.id
        wanted = () if directed is None else directed.capabilities
        attributes: dict[str, Any] = {
            **self._facts,
            names.MESSAGING_OPERATION: names.DISPATCH,
            names.MESSAGING_OPERATION_TYPE: "send",
            names.MESSAGE_ID: task.id,
            names.TRACE: task.trace_id,
        }
        if neuron is not None:
            attributes[names.DESTINATION] = neuron
        if wanted:
            attributes[names.CAPABILITIES] = wanted
        attempt = told_attempt(meta.get("attempt"))
        if attempt is not None:
            attributes[names.ATTEMPT] = attempt
        span = self._tracer.start_span(
            names.span_name(names.DISPATCH, neuron or ",".join(wanted)),
            parent,
            SpanKind.CLIENT if waits else SpanKind.PRODUCER,
            attributes,
            links,
        )
        self._open[task.id] = span
        self._parents[task.id] = parent
        write(span.get_span_context(), meta)

    def _place_of(self, task: Signal) -> tuple[Context, list[Link]]:
        """Return the parent of a new span, and the links to earlier attempts.

        What is current goes first. Without it that is what the caller gave, as an edge does, or
        the run of which the TASK is a child, in whatever thread it was made.
        """
        meta = task.meta
        found = found_in(meta).context
        if "answer" in meta:  # it goes on with a task, and whoever answers is not its caller
            return remote_context(found), []
        links, parent = [], None
        if "attempt" in meta:
            parent, last = self._failed.get(_first_id(task), (None, None))
            if last is None and found is not None:
                last = span_context_of(found)
            links = [] if last is None else [Link(last)]
        current = context_api.get_current()
        if trace.get_current_span(current).get_span_context().is_valid:
            return current, links
        if parent is None and task.parent_id is not None:
            parent = self._run_of(task.parent_id)
        return (remote_context(found) if parent is None else parent), links

    def sent(self, opened: SentTask) -> None:
        """End the span of a TASK that nobody waits for: it has left."""
        if opened.keep:
            self._end(opened.signal)

    def not_sent(self, task: Signal, error: BaseException) -> None:
        """End the span of a TASK that did not leave."""
        span = self._end(task, ends=False)
        if span is not None:
            kind = type(error).__name__
            span.set_attribute(names.ERROR_TYPE, kind)
            span.set_status(failed(kind))
            span.end()

    def heard(self, opened: SentTask) -> None:
        """Note when the first thought came."""
        span = self._open.get(opened.signal.id)
        if span is not None:
            span.add_event(names.FIRST_THOUGHT)

    def settled(self, opened: SentTask, outcome: Signal | str) -> None:
        """End the span of a TASK with its outcome."""
        task = opened.signal
        parent = self._parents.get(task.id)
        span = self._end(task, ends=False)
        if span is None:
            return
        if isinstance(outcome, str):
            span.set_attribute(names.OUTCOME, outcome)
        else:
            span.set_attribute(names.OUTCOME, outcome.type.value)
            if outcome.type is SignalType.ERROR:
                code = told_text(outcome.payload.get("code"))
                span.set_attribute(names.ERROR_TYPE, code)
                span.set_status(failed(code))
                self._remember(task, parent, span.get_span_context())
        span.end()

    def _end(self, task: Signal, ends: bool = True) -> Span | None:
        self._parents.pop(task.id, None)
        span = self._open.pop(task.id, None)
        if span is not None and ends:
            span.end()
        return span

    def _remember(self, task: Signal, parent: Context | None, span: SpanContext) -> None:
        """Note where a further attempt belongs."""
        first = _first_id(task)
        self._failed[first] = (Context() if parent is None else parent, span)
        self._failed.move_to_end(first)
        if len(self._failed) > MAX_FAILED:
            self._failed.popitem(last=False)

    def close(self) -> None:
        """End every span that is open, as it is."""
        for span in self._open.values():
            span.end()
        self._open.clear()
        self._parents.clear()


def _first_id(task: Signal) -> str:
    first = task.meta.get("idempotency_key")
    return first if isinstance(first, str) else task.id


def write(span: SpanContext, meta: dict[str, Any]) -> None:
    """Write the context of a span into the meta of its TASK, in place of any other."""
    if not span.is_valid:  # tracing is off, and what came from elsewhere goes on as it is
        return
    meta[TRACEPARENT] = traceparent_of(span.trace_id, span.span_id, span.trace_flags)
    state = span.trace_state.to_header() if span.trace_state else ""
    if state:
        meta[TRACESTATE] = state
    else:
        meta.pop(TRACESTATE, None)
