"""What a model reads of a tool: its output or its failure as a text, bounded. Pure."""

from __future__ import annotations

import base64
import json
from typing import Any, NamedTuple

from ..errors import NeedsAnswer
from ..question_errors import question_text
from ..signals import SignalType
from ..tool_errors import tool_error_text
from .tool_calls import ToolCall

_ASKS = {
    SignalType.CLARIFICATION: "the tool asks: {0}; answer in its arguments, or ask the user",
    SignalType.PERMISSION: "the tool needs a permission that you cannot give: {0}; ask the user",
    SignalType.ESCALATION: "the tool cannot go on: {0}",
}


class ToolResult(NamedTuple):
    """What came of a call.

    Args:
        call: The call.
        text: What the model reads.
        is_error: Whether it failed.
    """

    call: ToolCall
    text: str
    is_error: bool = False


def output_text(output: Any, max_bytes: int) -> str:
    """Return an output as JSON with bytes as base64, cut at `max_bytes` with a note of the rest."""
    return cut(json.dumps(output, ensure_ascii=False, default=_base64), max_bytes)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def failure_text(error: BaseException, max_bytes: int) -> str:
    """Return a failure as a model reads it: its code and its message, or what the tool asks."""
    if isinstance(error, NeedsAnswer):
        text = _ASKS[error.signal.type].format(question_text(error.signal.payload))
        return cut(f"{error.signal.type.value}: {text}", max_bytes)
    return cut(tool_error_text(error), max_bytes)


def cut(text: str, max_bytes: int) -> str:
    """Return a text of at most `max_bytes` bytes of UTF-8, and a note if it had more."""
    whole = text.encode("utf-8", "replace")
    if len(whole) <= max_bytes:
        return whole.decode()
    kept = whole[:max_bytes].decode("utf-8", "ignore")
    return f"{kept}\n[cut: {max_bytes:,} of {len(whole):,} bytes; ask for less]"
