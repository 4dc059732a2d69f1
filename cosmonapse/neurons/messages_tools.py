"""Calls of tools as blocks of the Messages dialect, and out of the form of chat completions. Pure.

Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use.
The results of all calls of a turn stand in one message, which follows the one with the calls.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .answers import Message
from .tool_calls import CallPart, ToolCall, assembled, chat_part, object_of


def tool_part(block: Any, index: Any) -> CallPart | None:
    """Return the call that a block of content is; None if it is another block.

    Raises:
        LookupError, TypeError, AttributeError: The block has another form.
    """
    if block["type"] != "tool_use":
        return None
    given = block.get("input")
    arguments = json.dumps(given) if given else ""  # of a streamed one they follow
    name, id = block.get("name"), block.get("id")
    return CallPart(index, id if isinstance(id, str) else "", str(name or ""), arguments)


def tool_block(call: ToolCall) -> dict[str, Any]:
    """Return the block in which the model called a tool."""
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": object_of(call)}


def result_block(call_id: str, text: Any, is_error: bool) -> dict[str, Any]:
    """Return the block with what came of a call."""
    block = {"type": "tool_result", "tool_use_id": call_id, "content": text}
    return {**block, "is_error": True} if is_error else block


def in_blocks(messages: Sequence[Message]) -> list[Message]:
    """Return a conversation with the turns of tools in it as blocks, whatever their form."""
    found: list[Message] = []
    results: list[Any] | None = None
    for message in messages:
        if message["role"] == "tool":
            block = result_block(str(message.get("tool_call_id")), message.get("content"), False)
            if results is None:
                results = []
                found.append({"role": "user", "content": results})
            results.append(block)
        else:
            results = None
            found.append(_called(message) if message.get("tool_calls") else message)
    return found


def _called(message: Message) -> Message:
    content = message.get("content")
    said = [{"type": "text", "text": content}] if isinstance(content, str) and content else []
    parts = content if isinstance(content, list) else said
    entries = [each for each in message["tool_calls"] if isinstance(each, Mapping)]
    functions = ((each, each.get("function")) for each in entries)
    calls = assembled(chat_part(*each) for each in functions if isinstance(each[1], Mapping))
    return {"role": message["role"], "content": [*parts, *map(tool_block, calls)]}
