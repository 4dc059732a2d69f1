"""The call of a tool: its TOOL_CALL, its TASK and its TOOL_RESULT, one after the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from ...errors import NeuronError
from ...payloads import payload_of
from ...signals import Signal, SignalType
from ...tool_errors import tool_error_text

Say: TypeAlias = Callable[[SignalType, dict[str, Any]], Awaitable[Signal]]
"""Sends a Signal about the call."""
MAX_TOOL_DEPTH = 8
"""So many calls of tools stand in one another at most: agents may be tools of each other."""


def check_depth(name: str, depth: int) -> None:
    """Refuse a call that stands in too many others: agents that are tools of each other.

    Raises:
        NeuronError: TOOL_LOOP.
    """
    if depth > MAX_TOOL_DEPTH:
        raise NeuronError(
            "TOOL_LOOP",
            f"{name} is not called: this task stands in {depth - 1} calls of tools already, and "
            f"{MAX_TOOL_DEPTH} are the most; answer without it",
            recoverable=False,
        )


async def call_tool(
    name: str,
    args: Any,
    call_id: str | None,
    say: Say,
    ask: Callable[[Signal], Awaitable[Signal]],
) -> dict[str, Any]:
    """Run a tool and return its output; say before and after what happens.

    Args:
        name: The Neuron.
        args: Its input.
        call_id: The id of the call; a new one by default.
        say: Sends TOOL_CALL and TOOL_RESULT.
        ask: Given the TOOL_CALL, sends the TASK and returns what settles it.

    Raises:
        NeuronError: It ended in an ERROR.
        NeedsAnswer: It asked a question.
        TimeoutError: It did not end in time.
    """
    given = {"tool_name": name, "args": args, "call_id": call_id}
    call = await say(SignalType.TOOL_CALL, payload_of(SignalType.TOOL_CALL, given))
    about = {"tool_name": name, "call_id": call.payload["call_id"]}
    try:
        output: dict[str, Any] = (await ask(call)).output
    except Exception as error:
        about["error"] = tool_error_text(error)
        await say(SignalType.TOOL_RESULT, payload_of(SignalType.TOOL_RESULT, about))
        raise
    told = payload_of(SignalType.TOOL_RESULT, {**about, "result": output})
    await say(SignalType.TOOL_RESULT, told)
    return output
