"""The Messages dialect, spoken by Anthropic: bodies out, answers and events in. Pure.

Sources: https://platform.claude.com/docs/en/api/messages and
https://platform.claude.com/docs/en/build-with-claude/streaming.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import attrs

from .answers import AnswerReader, Output, text_of, whole_output
from .chat import Message, Sampling, messages_from
from .faults import Faults

VERSION = "2023-06-01"
SYSTEM_ROLES = ("system", "developer")


def system_of(messages: Sequence[Message]) -> str | list[Any]:
    """Return the system text in `messages`: one text, or parts if one of them has parts."""
    contents = [m["content"] for m in messages if m["role"] in SYSTEM_ROLES and m.get("content")]
    if all(isinstance(content, str) for content in contents):
        return "\n\n".join(contents)
    return [part for content in contents for part in _parts(content)]


def _parts(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


@attrs.frozen(kw_only=True)
class MessagesDialect:
    """One provider's Messages API.

    Args:
        faults: Names and masks the provider's errors; holds the key.
        url: The full URL of its messages.
        model: Which model answers.
        sampling: How it answers.
        stream: Whether to ask for the answer token by token.
    """

    path: ClassVar[str] = "/messages"
    faults: Faults
    url: str
    model: str
    sampling: Sampling
    stream: bool

    def headers(self) -> dict[str, str]:
        """Return the headers that prove who asks, and by which version of the API."""
        return {**self.faults.key.header("x-api-key"), "anthropic-version": VERSION}

    def body(self, input: Any) -> dict[str, Any]:
        """Return the request for the input of a TASK; the system text is a separate field.

        Raises:
            NeuronError: BAD_INPUT, see `messages_from`.
        """
        messages = messages_from(input)
        system = system_of(messages)
        return {
            "model": self.model,
            **({"system": system} if system else {}),
            "messages": [m for m in messages if m["role"] not in SYSTEM_ROLES],
            **self.sampling.named("max_tokens", "stop_sequences"),
            "stream": self.stream,
        }

    def answer(self, document: Any) -> Output:
        """Return the output that a plain answer holds.

        Raises:
            NeuronError: PROVIDER_ERROR, the answer reports an error or has another form.
        """
        return whole_output(
            document,
            lambda answer: answer["content"],
            "content with text",
            self.model,
            self.faults,
        )

    def reader(self) -> MessagesReader | None:
        """Return the reader of one streamed answer, or None when not streaming."""
        return MessagesReader(faults=self.faults, model=self.model) if self.stream else None


@attrs.define
class MessagesReader(AnswerReader):
    """Reads the events of one streamed message; those of unknown types are passed over."""

    expected: ClassVar[str] = "what its type promises"

    def _take(self, document: Any) -> Any:
        if document["type"] == "error":  # one that says nothing, else it was raised before
            return None
        take = _TAKE.get(document["type"])
        return "" if take is None else take(self, document)

    def _take_start(self, event: Any) -> str:
        self._model = event["message"].get("model") or self._model
        self._note_usage(event["message"])
        return ""

    def _take_block(self, event: Any) -> Any:
        return text_of([event["content_block"]])

    def _take_delta(self, event: Any) -> Any:
        delta = event["delta"]
        return delta["text"] if delta["type"] == "text_delta" else ""

    def _take_message_delta(self, event: Any) -> str:
        self.complete = self.complete or event["delta"].get("stop_reason") is not None
        self._note_usage(event)
        return ""

    def _take_stop(self, _event: Any) -> str:
        self._end()
        return ""

    def _note_usage(self, told: Any) -> None:
        """Replace earlier counts by later ones: they are running totals."""
        usage = told.get("usage") or {}
        counts = {name: count for name, count in usage.items() if count is not None}
        if counts:
            self._usage = {**(self._usage or {}), **counts}


_TAKE: Mapping[str, Any] = MappingProxyType(
    {
        "message_start": MessagesReader._take_start,
        "content_block_start": MessagesReader._take_block,
        "content_block_delta": MessagesReader._take_delta,
        "message_delta": MessagesReader._take_message_delta,
        "message_stop": MessagesReader._take_stop,
    }
)
