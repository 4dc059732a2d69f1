"""Errors at the edge: into the log of the service, and into an answer for its client."""

from __future__ import annotations

import logging

from ..errors import CosmonapseError
from ..raised import leaves_of
from ..telemetry.current_trace import fields_of
from .outcomes import HttpAnswer, answer_of, trace_of

_LOG = logging.getLogger(__name__)


def answer_and_log(error: BaseException) -> HttpAnswer:
    """Return the answer to a client for an exception; log what only the service may see."""
    answer = answer_of(error)
    if answer.log != "no":
        trace = error if answer.log == "traceback" else None
        told = "; ".join(
            str(leaf) if isinstance(leaf, CosmonapseError) else repr(leaf)
            for leaf in leaves_of(error)
        )
        trace_id = trace_of(error)
        extra = None if trace_id is None else fields_of(trace_id)
        _LOG.error("a task could not be served: %s", told, exc_info=trace, extra=extra)
    return answer
