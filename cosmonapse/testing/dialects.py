"""How providers of models write their answers: documents of chat completions and of messages.

Pure. Each dialect has a whole answer, and the events of a streamed one in their order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

Document = dict[str, Any]
Event = Document | str

USAGE: Mapping[str, int] = MappingProxyType(
    {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
)
MESSAGES_USAGE: Mapping[str, int] = MappingProxyType({"input_tokens": 3, "output_tokens": 4})
CHAT_ID, MESSAGE_ID = "chatcmpl-1", "msg_1"
"""The ids of all answers."""
STRICT_KEYS = frozenset({"model", "messages", "max_tokens", "temperature", "stop", "stream"})
"""The keys of a provider that refuses all others."""

REFUSAL = "I cannot help with that."
TOOL = "get_weather"
_PIECE_CHARS = 7


class Call(NamedTuple):
    """The call of a tool in an answer.

    Args:
        number: Makes its id.
        name: The name of the tool.
        arguments: Its arguments as the text that the model writes, which may be no JSON.
    """

    number: int
    name: str
    arguments: str

    @property
    def pieces(self) -> list[str]:
        """The arguments in pieces, as they are streamed."""
        text, size = self.arguments, _PIECE_CHARS
        return [text[start : start + size] for start in range(0, len(text), size)]


class ProviderDialect(Protocol):
    """The documents and events of answers.

    A reason is one of `stop`, `length`, `content_filter`, `refusal`, `tool_calls`, `error` or "";
    each dialect has its own word for it.
    """

    last: tuple[Event, ...]
    """The events that end a stream."""

    def plain(self, text: str, reason: str = "stop", calls: Sequence[Call] = ()) -> Document:
        """Return a whole answer."""

    def opening(self) -> list[Event]:
        """Return the events before the first token."""

    def token(self, text: str) -> Event:
        """Return one token."""

    def reasoning(self, text: str) -> list[Event]:
        """Return the events of one piece of reasoning."""

    def tool_calls(self, calls: Sequence[Call]) -> list[Event]:
        """Return the events of calls of tools, one after the other, their arguments in pieces."""

    def refusal(self) -> list[Event]:
        """Return the words of a refusal, where they are events of their own."""

    def finish(self, reason: str) -> list[Event]:
        """Return the events after the last token."""

    def sparse(self) -> list[Event]:
        """Return events that are allowed and hold nothing, or nothing but the usage."""

    def error(self, message: str) -> Event:
        """Return an error in the middle of a stream."""


class Chat:
    """Chat completions.

    Args:
        asked: The request.
        reasoning_key: The key of reasoning; providers have two names for it.
    """

    last: tuple[Event, ...] = ("[DONE]",)

    def __init__(self, asked: Document, reasoning_key: str = "reasoning") -> None:
        self.reasoning_key = reasoning_key
        self._model = asked.get("model", "stand-in")
        self._usage_wanted = bool((asked.get("stream_options") or {}).get("include_usage"))

    def plain(self, text: str, reason: str = "stop", calls: Sequence[Call] = ()) -> Document:
        """Return a whole answer."""
        message: Document = {"role": "assistant", "content": text}
        if reason == "refusal":
            message = {"role": "assistant", "content": None, "refusal": REFUSAL}
        if reason == "tool_calls":
            entries = [self._call(call, call.arguments) for call in calls]
            message = {"role": "assistant", "content": text or None, "tool_calls": entries}
        choice = {"index": 0, "message": message, "finish_reason": self._native(reason)}
        return {
            "id": CHAT_ID,
            "choices": [choice],
            "model": self._model,
            "usage": dict(USAGE),
        }

    def opening(self) -> list[Event]:
        """Return nothing: the first token is the first event."""
        return []

    def token(self, text: str) -> Event:
        """Return one token."""
        return self._chunk({"content": text}, None)

    def reasoning(self, text: str) -> list[Event]:
        """Return one event with reasoning and an empty content, as providers send it."""
        return [self._chunk({"content": "", self.reasoning_key: text}, None)]

    def tool_calls(self, calls: Sequence[Call]) -> list[Event]:
        """Return calls of tools: of each id and name, then its arguments in pieces."""
        events: list[Event] = []
        for index, call in enumerate(calls):
            entries = [{"index": index, **self._call(call, "")}]
            entries += [{"index": index, "function": {"arguments": each}} for each in call.pieces]
            events += [self._chunk({"tool_calls": [entry]}, None) for entry in entries]
        return events

    def refusal(self) -> list[Event]:
        """Return the words of a refusal in two pieces."""
        return [
            self._chunk({"content": None, "refusal": each}, None)
            for each in (REFUSAL[:8], REFUSAL[8:])
        ]

    def finish(self, reason: str) -> list[Event]:
        """Return the reason, and the usage if it was asked for."""
        chunk = self._chunk({}, self._native(reason))
        return [chunk, {"choices": [], "usage": dict(USAGE)}] if self._usage_wanted else [chunk]

    def sparse(self) -> list[Event]:
        """Return events with no choices, null choices, a null choice and a null delta."""
        usage = {"usage": dict(USAGE), "model": self._model}
        return [
            {"model": self._model},
            {"choices": None, "model": self._model},
            {"choices": [None]},
            {"choices": [{"index": 0, "delta": None, "finish_reason": None}]},
            {"choices": [{"index": 0, "finish_reason": None}]},
            {"choices": [], **usage},
            usage,
        ]

    def error(self, message: str) -> Event:
        """Return an error in the middle of a stream."""
        return {"error": {"message": message, "code": 503}}

    def _native(self, reason: str) -> str:
        return "stop" if reason == "refusal" else reason

    def _call(self, call: Call, arguments: str) -> Document:
        function = {"name": call.name, "arguments": arguments}
        return {"id": f"call_{call.number}", "type": "function", "function": function}

    def _chunk(self, delta: Document, reason: str | None) -> Document:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return {"id": CHAT_ID, "choices": [choice], "model": self._model}


class StrictChat(Chat):
    """Chat completions of providers that send the usage unasked, with the reason."""

    def finish(self, reason: str) -> list[Event]:
        """Return the reason and the usage in one."""
        return [{**self._chunk({}, self._native(reason)), "usage": dict(USAGE)}]


_STOP_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "stop": "end_turn",
        "length": "max_tokens",
        "content_filter": "refusal",
        "tool_calls": "tool_use",
    }
)


class Messages:
    """Messages, whose events have types.

    Args:
        asked: The request.
    """

    last: tuple[Event, ...] = ({"type": "message_stop"},)

    def __init__(self, asked: Document) -> None:
        self._model = asked.get("model", "stand-in")

    def plain(self, text: str, reason: str = "stop", calls: Sequence[Call] = ()) -> Document:
        """Return a whole answer; arguments that are no object become none: it has no other form."""
        content: list[Document] = [{"type": "text", "text": text}] if text else []
        content += [{**self._call(call), "input": _object(call.arguments)} for call in calls]
        answer: Document = {
            "id": MESSAGE_ID,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": content,
        }
        return {**answer, **self._stop(reason), "usage": dict(MESSAGES_USAGE)}

    def opening(self) -> list[Event]:
        """Return the empty message, its first block, and a sign of life."""
        message = {**self.plain(""), "content": [], "stop_reason": None}
        message["usage"] = {**MESSAGES_USAGE, "output_tokens": 1}
        block = {"type": "text", "text": ""}
        return [
            {"type": "message_start", "message": message},
            {"type": "content_block_start", "index": 0, "content_block": block},
            {"type": "ping"},
        ]

    def token(self, text: str) -> Event:
        """Return one token."""
        return self._delta(0, {"type": "text_delta", "text": text})

    def reasoning(self, text: str) -> list[Event]:
        """Return a block of thinking with its signature."""
        block = {"type": "thinking", "thinking": "", "signature": ""}
        return [
            {"type": "content_block_start", "index": 1, "content_block": block},
            self._delta(1, {"type": "thinking_delta", "thinking": text}),
            self._delta(1, {"type": "signature_delta", "signature": "c2ln"}),
            {"type": "content_block_stop", "index": 1},
        ]

    def tool_calls(self, calls: Sequence[Call]) -> list[Event]:
        """Return a block for each call of a tool, its arguments in pieces after an empty one."""
        events: list[Event] = []
        for index, call in enumerate(calls, start=1):
            block = {**self._call(call), "input": {}}
            events.append({"type": "content_block_start", "index": index, "content_block": block})
            for piece in ("", *call.pieces):
                delta = {"type": "input_json_delta", "partial_json": piece}
                events.append(self._delta(index, delta))
            events.append({"type": "content_block_stop", "index": index})
        return events

    def refusal(self) -> list[Event]:
        """Return nothing: the words come with the reason."""
        return []

    def finish(self, reason: str) -> list[Event]:
        """Return the end of the block, the reason and the usage."""
        usage = {"output_tokens": MESSAGES_USAGE["output_tokens"]}
        return [
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": self._stop(reason), "usage": usage},
        ]

    def sparse(self) -> list[Event]:
        """Return a ping, an unknown event and the usage alone."""
        usage = dict(MESSAGES_USAGE)
        return [
            {"type": "ping"},
            {"type": "of_tomorrow"},
            {"type": "message_delta", "delta": {}, "usage": usage},
            {"type": "message_delta", "delta": {"stop_reason": None}, "usage": None},
        ]

    def error(self, message: str) -> Event:
        """Return an error in the middle of a stream."""
        return {"type": "error", "error": {"type": "overloaded_error", "message": message}}

    def _call(self, call: Call) -> Document:
        return {"type": "tool_use", "id": f"toolu_{call.number}", "name": call.name}

    def _delta(self, index: int, delta: Document) -> Document:
        return {"type": "content_block_delta", "index": index, "delta": delta}

    def _stop(self, reason: str) -> Document:
        stop: Document = {"stop_reason": _STOP_REASONS.get(reason, reason)}
        if reason == "refusal":
            stop["stop_details"] = {"type": "refusal", "category": "x", "explanation": REFUSAL}
        return stop


def _object(arguments: str) -> Any:
    try:
        found = json.loads(arguments)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def first_tool(asked: Document) -> str:
    """Return the name of the first tool of a request; of one without tools, that of another."""
    tool = (asked.get("tools") or [{"name": TOOL}])[0]
    return str(tool.get("function", tool).get("name"))


def words_of(text: str) -> list[str]:
    """Return a text as tokens: its words, each with the space after it."""
    *words, last = text.split(" ")
    return [*(f"{word} " for word in words), last]


def prompt_of(asked: Document) -> Any:
    """Return the last thing that was said in a request."""
    if "inputs" in asked:
        return asked["inputs"]
    messages = asked.get("messages") or [{}]
    content = messages[-1].get("content")
    if isinstance(content, list) and content and "tool_use_id" in content[-1]:
        return content[-1].get("content")
    return content
