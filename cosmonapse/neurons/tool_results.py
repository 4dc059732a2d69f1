"""What a model reads of a tool: its output or its failure as a text, bounded. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
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
    """Return an output as a model reads it, cut at `max_bytes` with a note of the rest.

    It is JSON with bytes as base64. Of one in parts, as tools of MCP give, the texts stand there
    once and as they are, and of images and sounds no more than their kind and size.
    """
    parts = _parts(output)
    if parts is None:
        return cut(_as_json(output), max_bytes)
    shown = [_without_bytes(part) for part in parts]
    if output.keys() <= {"content", "text"}:
        return cut("\n".join(map(_part_text, shown)), max_bytes)
    return cut(_as_json({**output, "content": shown}), max_bytes)


def _parts(output: Any) -> list[Mapping[str, Any]] | None:
    """Return the parts of an output; None if it has none."""
    found = output.get("content") if isinstance(output, Mapping) else None
    if not isinstance(found, list) or not found:
        return None
    are_parts = all(isinstance(each, Mapping) and "type" in each for each in found)
    return found if are_parts else None


def _without_bytes(part: Mapping[str, Any]) -> Any:
    """Return a part with a note in place of its bytes, which are base64."""
    if part["type"] in ("image", "audio"):
        return _noted(part, "data")
    resource = part.get("resource")
    return {**part, "resource": _noted(resource, "blob")} if resource else part


def _noted(holder: Any, key: str) -> Any:
    coded = holder.get(key) if isinstance(holder, Mapping) else None
    if not isinstance(coded, str):
        return holder
    return {**holder, key: f"[{len(coded) * 3 // 4:,} bytes that are not shown]"}


def _part_text(part: Mapping[str, Any]) -> str:
    text = part.get("text") if part["type"] == "text" else None
    return text if isinstance(text, str) else _as_json(part)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_base64)


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
