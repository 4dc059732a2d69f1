"""What the failure of a tool is called: on the trace, and for a model that goes on. Pure."""

from __future__ import annotations

from .errors import NeedsAnswer, NeuronError


def tool_error_text(error: BaseException) -> str:
    """Return the failure of a tool in one line: `CODE: message`, or what it asks."""
    if isinstance(error, NeuronError):
        return f"{error.code}: {error.message}"
    if isinstance(error, NeedsAnswer):
        return f"{error.signal.type.value}: {question_in(error)}"
    if isinstance(error, TimeoutError):
        return f"EXPIRED: {error}"
    return f"{type(error).__name__}: {error}"


def question_in(asked: NeedsAnswer) -> str:
    """Return what a tool asks: the question, the action that needs consent, or the reason."""
    payload = asked.signal.payload
    return str(payload.get("question") or payload.get("action") or payload.get("reason") or "")
