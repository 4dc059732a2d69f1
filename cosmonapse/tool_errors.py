"""What the failure of a tool is called: on the trace, and for a model that goes on. Pure."""

from __future__ import annotations

from .errors import NeedsAnswer, NeuronError
from .question_errors import question_text


def tool_error_text(error: BaseException) -> str:
    """Return the failure of a tool in one line: `CODE: message`, or what it asks."""
    if isinstance(error, NeuronError):
        return f"{error.code}: {error.message}"
    if isinstance(error, NeedsAnswer):
        return f"{error.signal.type.value}: {question_text(error.signal.payload)}"
    if isinstance(error, TimeoutError):
        return f"EXPIRED: {error}"
    return f"{type(error).__name__}: {error}"
