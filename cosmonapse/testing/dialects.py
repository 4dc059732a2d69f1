"""How providers of models write their answers: documents of chat completions and of messages.

Pure. Each dialect has a whole answer, and the events of a streamed one in their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

Document = dict[str, Any]
Event = Document | str

USAGE: Mapping[str, int] = MappingProxyType(
    {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
)
MESSAGES_USAGE: Mapping[str, int] = MappingProxyType({"input_tokens": 3, "output_tokens": 4})
STRICT_KEYS = frozenset({"model", "messages", "max_tokens", "temperature", "stop", "stream"})
"""The keys of a provider that refuses all others."""


class ProviderDialect(Protocol):
    """The documents and events of answers."""

    last: tuple[Event, ...]
    """The events that end a stream."""

    def plain(self, text: str) -> Document:
        """Return a whole answer."""

    def opening(self) -> list[Event]:
        """Return the events before the first token."""

    def token(self, text: str) -> Event:
        """Return one token."""

    def finish(self, reason: str) -> list[Event]:
        """Return the events after the last token; `reason` is `stop` or `length`."""

    def error(self, message: str) -> Event:
        """Return an error in the middle of a stream."""


class Chat:
    """Chat completions.

    Args:
        asked: The request.
    """

    last: tuple[Event, ...] = ("[DONE]",)

    def __init__(self, asked: Document) -> None:
        self._model = asked.get("model", "stand-in")
        self._usage_wanted = bool((asked.get("stream_options") or {}).get("include_usage"))

    def plain(self, text: str) -> Document:
        """Return a whole answer."""
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return {"choices": [choice], "model": self._model, "usage": dict(USAGE)}

    def opening(self) -> list[Event]:
        """Return nothing: the first token is the first event."""
        return []

    def token(self, text: str) -> Event:
        """Return one token."""
        return self._chunk({"content": text}, None)

    def finish(self, reason: str) -> list[Event]:
        """Return the reason, and the usage if it was asked for."""
        chunk = self._chunk({}, reason)
        return [chunk, {"choices": [], "usage": dict(USAGE)}] if self._usage_wanted else [chunk]

    def error(self, message: str) -> Event:
        """Return an error in the middle of a stream."""
        return {"error": {"message": message, "code": 503}}

    def _chunk(self, delta: Document, reason: str | None) -> Document:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return {"choices": [choice], "model": self._model}


class StrictChat(Chat):
    """Chat completions of providers that send the usage unasked, with the reason."""

    def finish(self, reason: str) -> list[Event]:
        """Return the reason and the usage in one."""
        return [{**self._chunk({}, reason), "usage": dict(USAGE)}]


class Messages:
    """Messages, whose events have types.

    Args:
        asked: The request.
    """

    last: tuple[Event, ...] = ({"type": "message_stop"},)

    def __init__(self, asked: Document) -> None:
        self._model = asked.get("model", "stand-in")

    def plain(self, text: str) -> Document:
        """Return a whole answer."""
        content = [{"type": "text", "text": text}]
        answer = {"type": "message", "role": "assistant", "model": self._model, "content": content}
        return {**answer, "stop_reason": "end_turn", "usage": dict(MESSAGES_USAGE)}

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
        delta = {"type": "text_delta", "text": text}
        return {"type": "content_block_delta", "index": 0, "delta": delta}

    def finish(self, reason: str) -> list[Event]:
        """Return the end of the block, the reason and the usage."""
        stop = {"stop": "end_turn", "length": "max_tokens"}[reason]
        usage = {"output_tokens": MESSAGES_USAGE["output_tokens"]}
        return [
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": usage},
        ]

    def error(self, message: str) -> Event:
        """Return an error in the middle of a stream."""
        return {"type": "error", "error": {"type": "overloaded_error", "message": message}}


def words_of(text: str) -> list[str]:
    """Return a text as tokens: its words, each with the space after it."""
    *words, last = text.split(" ")
    return [*(f"{word} " for word in words), last]


def prompt_of(asked: Document) -> Any:
    """Return the last thing that was said in a request."""
    if "inputs" in asked:
        return asked["inputs"]
    messages = asked.get("messages") or [{}]
    return messages[-1].get("content")
