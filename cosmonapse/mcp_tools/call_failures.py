"""What an error of the MCP client means to the caller of a tool. Pure.

The codes are those of JSON-RPC and of MCP; two of them are the client's own, which calls a lost
connection and a timeout so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import NeuronError
from .tool_questions import ToolQuestion

_TIMED_OUT = -32001
_CLOSED = -32000
_CLOSED_TEXTS = ("Connection closed", "SSE stream ended without a response")
_NEEDS_VISIT = -32042


def is_connection_lost(code: int, message: str, has_ended: bool) -> bool:
    """Return whether an error says that the connection was lost while the call ran.

    Args:
        code: Of the error.
        message: Of the error: a server may use the code of the client for errors of its own.
        has_ended: Whether the connection is known to be over.
    """
    return code == _CLOSED and (has_ended or message in _CLOSED_TEXTS)


def lost_during_call(server: str) -> NeuronError:
    """Return the error of a call whose connection was lost."""
    return NeuronError(
        "TOOL_UNREACHABLE",
        f"the MCP server {server} went away during the call; it is unknown whether that took "
        "effect",
    )


def failure_of(code: int, message: str, data: Any, *, is_late: bool) -> Exception:
    """Return what a call raises for an error that the server sent, or the client made.

    Args:
        code: Of the error.
        message: Of the error.
        data: Of the error: with a code of its own it holds the pages that the user must visit.
        is_late: Whether the deadline of our task has passed.

    Returns:
        TimeoutError, a Clarification that asks for a visit, or a NeuronError TOOL_ERROR.
    """
    if code == _TIMED_OUT and is_late:
        return TimeoutError()
    if code == _NEEDS_VISIT:
        page = _first_page(data)
        if page is not None:
            return ToolQuestion(str(page.get("message", "")), url=page.get("url")).clarification()
    return NeuronError("TOOL_ERROR", message)


def _first_page(data: Any) -> Mapping[str, Any] | None:
    pages = data.get("elicitations") if isinstance(data, Mapping) else None
    first = pages[0] if isinstance(pages, list) and pages else None
    return first if isinstance(first, Mapping) else None
