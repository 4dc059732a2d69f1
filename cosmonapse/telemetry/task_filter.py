"""A filter of `logging`: each record says which task it belongs to."""

from __future__ import annotations

import logging
import sys
from typing import Final

from . import current_trace

NOTHING: Final = "-"
"""What a field has outside a task, so that a format may name it."""


class TaskFilter(logging.Filter):
    """Gives each record `trace_id` and `neuron` of the task around the call, "-" outside a task.

    So does a record of your own Neuron, by your own logger. Where OpenTelemetry is in use there
    are `otel_trace_id` and `otel_span_id`, too. What a record has already is kept. Add it to a
    handler that formats in the thread of the call: in front of a queue, and not behind it.
    """

    def __init__(self) -> None:
        super().__init__()
        current_trace.follow()

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the fields, and pass every record."""
        task = current_trace.CURRENT.get()
        trace_id, neuron = (NOTHING, NOTHING) if task is None else task
        otel_trace_id, otel_span_id = _span_ids()
        for name, value in (
            ("trace_id", trace_id),
            ("neuron", neuron),
            ("otel_trace_id", otel_trace_id),
            ("otel_span_id", otel_span_id),
        ):
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


def _span_ids() -> tuple[str, str]:
    """Return the ids of the current span in hexadecimal, as W3C has them."""
    trace = sys.modules.get("opentelemetry.trace")  # never loaded for a log
    try:
        context = trace.get_current_span().get_span_context()  # type: ignore[union-attr]
        if context.is_valid:
            return f"{context.trace_id:032x}", f"{context.span_id:016x}"
    except Exception:  # noqa: BLE001, S110  # it is not loaded, or is just being loaded
        pass
    return NOTHING, NOTHING
