"""What an MCP client reads of the Signals of a task: progress, a result, an error. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import attrs

from ..edge.gaps import gap_text
from ..edge.outcomes import answer_of, jsonable, to_json
from ..signals import Signal, SignalType

_HINTS: Mapping[str, str] = MappingProxyType(
    {
        "BAD_INPUT": "Correct the arguments by the input schema of this tool, and call it again.",
        "NO_SUCH_NEURON": "List the tools again: it may have stopped, or start again soon.",
        "EXPIRED": "It may have run in part. Ask for less, or raise the limit of the gateway.",
        "CANCELLED": "Call it again if it is still needed.",
    }
)
_LATER = "The same call may succeed later."


@attrs.frozen
class ToolReply:
    """The end of a call.

    Args:
        text: For a model, and for people.
        content: The output; None for an error.
    """

    text: str
    content: dict[str, Any] | None = None


def progress_of(signal: Signal, missed: int = 0) -> Sequence[str]:
    """Return what a Signal before the reply tells of the progress, behind what is missing there.

    Args:
        signal: The Signal.
        missed: How many Signals were dropped before it.
    """
    told = _told_of(signal)
    return [*([gap_text(missed)] if missed else []), *([] if told is None else [told])]


def _told_of(signal: Signal) -> str | None:
    payload = signal.payload
    match signal.type:
        case SignalType.THOUGHT_DELTA:
            return str(payload.get("delta", ""))
        case SignalType.TOOL_CALL:
            return f"calls {payload.get('tool_name', 'a tool')}"
        case SignalType.TOOL_RESULT:
            name = payload.get("tool_name", "a tool")
            error = payload.get("error")
            return f"{name} failed: {error}" if error is not None else f"{name} has answered"
        case SignalType.PLAN:
            steps = payload.get("steps")
            return f"plan: {'; '.join(map(str, steps))}" if isinstance(steps, list) else None
    return None


def reply_of(outcome: Signal | BaseException) -> ToolReply:
    """Return the end of a call for the Signal that settled its task, or for an exception."""
    answer = answer_of(outcome)
    if answer.status == 200:
        content = jsonable(answer.body)
        return ToolReply(to_json(content).decode(), content)
    body = answer.body
    code = str(body["code"])
    return ToolReply(
        _told(code, str(body["error"]), bool(body["retry"]), body.get("retry_after_s"))
    )


def error_reply(code: str, message: str) -> ToolReply:
    """Return the end of a call for an error of the gateway itself."""
    return ToolReply(_told(code, message, False, None))


def _told(code: str, message: str, retry: bool, wait_s: object) -> str:
    lines = [f"{code}: {message}"]
    if code in _HINTS:
        lines.append(_HINTS[code])
    elif wait_s is not None:
        lines.append(f"The same call may succeed in {wait_s} s.")
    elif retry:
        lines.append(_LATER)
    return "\n".join(lines)
