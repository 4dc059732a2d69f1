"""The trace context of an HTTP request, as it goes on in the meta of its TASK. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..telemetry.trace_context import TRACEPARENT, TRACESTATE, passed_on


def with_headers(
    task: dict[str, Any], traceparent: str | None, tracestate: str | None
) -> dict[str, Any]:
    """Return the arguments of a task with the trace context of its request, if that has one.

    What the program itself puts into `meta` stays. A span that is current where the task is sent
    goes before both: an instrumented framework knows better.
    """
    if traceparent is None:
        return task
    passed = passed_on({TRACEPARENT: traceparent, TRACESTATE: tracestate})
    meta = task.get("meta") or {}
    if not passed or not isinstance(meta, dict) or TRACEPARENT in meta:
        return task
    return {**task, "meta": {**passed, **meta}}


def with_environ(task: dict[str, Any], environ: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same for the environment of a WSGI request."""
    return with_headers(task, environ.get("HTTP_TRACEPARENT"), environ.get("HTTP_TRACESTATE"))
