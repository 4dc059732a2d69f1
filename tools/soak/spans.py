"""The spans of a process of a soak: counted, and kept in memory within bounds. Needs the SDK."""

from __future__ import annotations

from collections import deque

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider

from .log import Log

KEPT_SPANS = 1_000
_ONE_IN = 16
"""Of how many traces one is written down."""


class SpanCounter(SpanProcessor):
    """A span processor that counts, keeps the last 1,000 spans, and writes down one trace in 16.

    A span is written at its start: nothing below it can have begun, and if the process is killed
    its line is there.

    Args:
        log: The log of the process.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._started = self._ended = 0
        self.kept: deque[ReadableSpan] = deque(maxlen=KEPT_SPANS)

    def counts(self) -> dict[str, int]:
        """Return how many have started and ended, and how many are kept."""
        return {"started": self._started, "ended": self._ended, "kept": len(self.kept)}

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Count a span, and write it down if its trace is one of those."""
        self._started += 1
        context = span.get_span_context()
        if context.trace_id % _ONE_IN == 0:
            parent = None if span.parent is None else f"{span.parent.span_id:016x}"
            trace, own = f"{context.trace_id:032x}", f"{context.span_id:016x}"
            self._log.write("span", trace=trace, id=own, parent=parent, name=span.name)

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span."""
        self._ended += 1
        self.kept.append(span)


def provide(log: Log) -> SpanCounter:
    """Set a TracerProvider that keeps its spans here: a Dendrite that starts later finds it."""
    counter = SpanCounter(log)
    provider = TracerProvider()
    provider.add_span_processor(counter)
    trace.set_tracer_provider(provider)
    return counter
