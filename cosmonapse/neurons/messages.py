"""The Messages dialect, spoken by Anthropic: bodies out, answers and events in. Pure.

Sources: https://platform.claude.com/docs/en/api/messages,
https://platform.claude.com/docs/en/build-with-claude/streaming, and for `stop_details`
https://platform.claude.com/docs/en/test-and-evaluate/strengthen-guardrails/handle-streaming-refusals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import attrs

from ..tool_definitions import ToolDefinitions
from .answers import (
    Answer,
    AnswerReader,
    Message,
    Output,
    output_of,
    read_whole,
    reason_in,
    str_of,
    text_of,
)
from .chat import NO_TOOLS, Sampling, messages_from
from .faults import Faults
from .history import SYSTEM_ROLES
from .messages_tools import in_blocks, result_block, tool_block, tool_part
from .tool_calls import CallPart, ToolCall
from .tool_results import ToolResult

VERSION = "2023-06-01"


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
        return self.request(messages_from(input))

    def request(
        self, messages: Sequence[Message], tools: ToolDefinitions = NO_TOOLS
    ) -> dict[str, Any]:
        """Return the request for a conversation, with the tools that the model may call."""
        system = system_of(messages)
        return {
            "model": self.model,
            **({"system": system} if system else {}),
            "messages": in_blocks([m for m in messages if m["role"] not in SYSTEM_ROLES]),
            **self.sampling.named("max_tokens", "stop_sequences"),
            "stream": self.stream,
            **({"tools": tools.as_anthropic()} if tools else {}),
        }

    def called(self, text: str, calls: Sequence[ToolCall]) -> Message:
        """Return the message in which the model called tools."""
        said = [{"type": "text", "text": text}] if text.strip() else []
        return {"role": "assistant", "content": [*said, *map(tool_block, calls)]}

    def results(self, results: Sequence[ToolResult]) -> list[Message]:
        """Return the one message with what came of all calls of a turn."""
        blocks = [result_block(each.call.id, each.text, each.is_error) for each in results]
        return [{"role": "user", "content": blocks}]

    def answer(self, document: Any, runs_tools: bool = False) -> Output:
        """Return the output that a plain answer holds.

        Args:
            document: The answer.
            runs_tools: See `output_of`.

        Raises:
            NeuronError: PROVIDER_ERROR, the answer reports an error, has another form, or ended
                without being one; see `output_of`.
        """
        answer = read_whole(document, self._read, "content with text", self.faults)
        return output_of(answer, self.faults, runs_tools)

    def _read(self, document: Any) -> Answer:
        content = document["content"]
        if not isinstance(content, list):
            raise TypeError
        return Answer(
            text=text_of(content),
            reasoning="".join(str_of(block.get("thinking")) for block in content),
            calls=tuple(part for block in content if (part := tool_part(block, None))),
            refusal=_refusal(document),
            reason=reason_in(document, "stop_reason"),
            model=document.get("model") or self.model,
            usage=document.get("usage"),
        )

    def reader(self) -> MessagesReader:
        """Return the reader of one streamed answer."""
        return MessagesReader(faults=self.faults, model=self.model)


def _refusal(told: Any) -> str:
    """Return the words of a refusal, which come beside its reason."""
    details = told.get("stop_details")
    return str_of(details.get("explanation")) if isinstance(details, Mapping) else ""


@attrs.define
class MessagesReader(AnswerReader):
    """Reads the events of one streamed message; those of unknown types are passed over."""

    expected: ClassVar[str] = "what its type promises"

    def _take(self, document: Any) -> Answer:
        take = _TAKE.get(document["type"])
        return Answer() if take is None else take(self, document)

    def _take_start(self, event: Any) -> Answer:
        message = event["message"]
        return Answer(model=message.get("model"), usage=self._counts(message))

    def _take_block(self, event: Any) -> Answer:
        block = event["content_block"]
        part = tool_part(block, event.get("index"))
        return Answer(
            text=text_of([block]),
            reasoning=str_of(block.get("thinking")),
            calls=(part,) if part else (),
        )

    def _take_delta(self, event: Any) -> Answer:
        delta = event["delta"]
        if delta["type"] == "thinking_delta":
            return Answer(reasoning=str_of(delta["thinking"]))
        if delta["type"] == "input_json_delta":
            piece = str_of(delta.get("partial_json"))
            return Answer(calls=(CallPart(event.get("index"), arguments=piece),))
        return Answer(text=text_of(delta["text"]) if delta["type"] == "text_delta" else "")

    def _take_message_delta(self, event: Any) -> Answer:
        delta = event["delta"]
        return Answer(
            reason=reason_in(delta, "stop_reason"),
            refusal=_refusal(delta),
            usage=self._counts(event),
        )

    def _take_stop(self, _event: Any) -> Answer:
        self.ended = True
        return Answer()

    def _counts(self, told: Any) -> dict[str, Any] | None:
        """Return earlier counts replaced by later ones: they are running totals."""
        usage = told.get("usage") or {}
        counts = {name: count for name, count in usage.items() if count is not None}
        return {**(self._usage or {}), **counts} if counts else None


_TAKE: Mapping[str, Any] = MappingProxyType(
    {
        "message_start": MessagesReader._take_start,
        "content_block_start": MessagesReader._take_block,
        "content_block_delta": MessagesReader._take_delta,
        "message_delta": MessagesReader._take_message_delta,
        "message_stop": MessagesReader._take_stop,
    }
)
