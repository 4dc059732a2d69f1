"""The one door to OpenTelemetry's API: what of it is used, or one line where it is missing."""

from __future__ import annotations

import re

from ..runtime.extras import missing_extra
from ..telemetry.trace_context import TraceContext

try:
    from opentelemetry import context as context_api
    from opentelemetry import trace
    from opentelemetry.context import Context
    from opentelemetry.trace import (
        Link,
        NonRecordingSpan,
        NoOpTracerProvider,
        ProxyTracerProvider,
        Span,
        SpanContext,
        SpanKind,
        Status,
        StatusCode,
        TraceFlags,
        Tracer,
        TracerProvider,
        TraceState,
    )
except ImportError as error:
    raise missing_extra("opentelemetry-api", "otel", error) from None

__all__ = [
    "Context",
    "Link",
    "NoOpTracerProvider",
    "ProxyTracerProvider",
    "Span",
    "SpanContext",
    "SpanKind",
    "Status",
    "StatusCode",
    "Tracer",
    "TracerProvider",
    "context_api",
    "failed",
    "remote_context",
    "span_context_of",
    "trace",
]


# The older form of a key. Where one has the newer form, OpenTelemetry warns and drops every member.
_KEY = re.compile(
    r"[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}"
)


def span_context_of(found: TraceContext) -> SpanContext:
    """Return the context of the span that sent a TASK."""
    state = TraceState.from_header([_known(found.state)]) if found.state else None
    return SpanContext(found.trace_id, found.span_id, True, TraceFlags(found.flags), state)


def _known(state: str) -> str:
    """Return the members of a `tracestate` that OpenTelemetry knows how to read."""
    members = state.split(",")
    return ",".join(each for each in members if _KEY.fullmatch(each.partition("=")[0].strip(" \t")))


def remote_context(found: TraceContext | None) -> Context:
    """Return a context with that span, and nothing else in it; an empty one for None."""
    if found is None:
        return Context()
    return trace.set_span_in_context(NonRecordingSpan(span_context_of(found)), Context())


def failed(code: str) -> Status:
    """Return the status for the code of an ERROR; the text of one may be content, and stays out."""
    return Status(StatusCode.ERROR, code)
