"""The chat-completions dialect that most providers speak: bodies out, answers and chunks in. Pure.

Source: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import attrs

from ..errors import NeuronError
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
from .faults import Faults
from .tool_calls import CallPart, ToolCall, chat_part, object_of
from .tool_results import ToolResult

NO_TOOLS = ToolDefinitions()
TEXT_KEYS = ("prompt", "text", "query", "content")
_UNDERSTOOD = (
    f"a Neuron accepts {' or '.join(TEXT_KEYS)} (a str) or messages (a list of "
    "{role, content}), with clarification {question, answer} or permission "
    "{action, granted, reason} in a follow-up"
)


def api_url(endpoint: str, path: str) -> str:
    """Return where `/v1` and `path` are served under `endpoint`, however much of it is given."""
    base = endpoint.rstrip("/")
    if base.endswith(path):
        return base
    return f"{base}{path}" if base.endswith("/v1") else f"{base}/v1{path}"


def messages_from(input: Any) -> list[Message]:
    """Return the conversation that a TASK's input stands for.

    Raises:
        NeuronError: BAD_INPUT, the input has no key that is understood, or one of a wrong type.
    """
    if not isinstance(input, Mapping):
        raise _bad_input(f"the input is a {type(input).__name__}, not a dict")
    return [*_opening(input), *_clarified(input), *_permitted(input)]


def _opening(input: Mapping[str, Any]) -> list[Message]:
    if "messages" in input:
        return _checked_messages(input["messages"])
    for key in TEXT_KEYS:
        if key in input:
            if not isinstance(input[key], str):
                raise _bad_input(f"{key} is a {type(input[key]).__name__}, not a str")
            return [{"role": "user", "content": input[key]}]
    raise _bad_input(f"the input has only the keys {sorted(map(str, input))[:10]}")


def _checked_messages(messages: Any) -> list[Message]:
    if not isinstance(messages, Sequence) or isinstance(messages, str | bytes) or not messages:
        raise _bad_input("messages is not a list with something in it")
    for index, message in enumerate(messages):
        if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
            raise _bad_input(f"messages[{index}] is not a dict with a role")
        if not isinstance(message.get("content"), str | list | None):
            raise _bad_input(f"messages[{index}].content is neither a str nor a list")
    return [dict(message) for message in messages]


def _clarified(input: Mapping[str, Any]) -> list[Message]:
    clarification = input.get("clarification")
    if clarification is None:
        return []
    if not isinstance(clarification, Mapping) or "answer" not in clarification:
        raise _bad_input("clarification is not a dict with an answer")
    return _turns(clarification.get("question"), _as_text(clarification["answer"]))


def _permitted(input: Mapping[str, Any]) -> list[Message]:
    permission = input.get("permission")
    if permission is None:
        return []
    if not isinstance(permission, Mapping) or not isinstance(permission.get("granted"), bool):
        raise _bad_input("permission is not a dict with granted, true or false")
    action = _as_text(permission.get("action") or "go on")
    decision = "Permission granted" if permission["granted"] else "Permission denied"
    reason = permission.get("reason")
    return _turns(
        f"I ask for permission: {action}",
        f"{decision}: {_as_text(reason)}" if reason else f"{decision}.",
    )


def _turns(question: Any, answer: str) -> list[Message]:
    asked = [{"role": "assistant", "content": _as_text(question)}] if question else []
    return [*asked, {"role": "user", "content": answer}]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _bad_input(what: str) -> NeuronError:
    return NeuronError("BAD_INPUT", f"{what}; {_UNDERSTOOD}", recoverable=False)


@attrs.frozen(kw_only=True)
class Sampling:
    """How much the model writes and how it picks its words.

    Args:
        max_new_tokens: The most tokens of one answer.
        temperature: 0 for the likeliest words; None leaves it to the provider.
        stop: Texts before which the answer ends.
    """

    max_new_tokens: int
    temperature: float | None = None
    stop: tuple[str, ...] = ()

    def named(self, max_tokens_name: str, stop_name: str = "stop") -> dict[str, Any]:
        """Return the values that are set, under the names of the provider."""
        named = {
            max_tokens_name: self.max_new_tokens,
            "temperature": self.temperature,
            stop_name: list(self.stop) or None,
        }
        return {name: value for name, value in named.items() if value is not None}


@attrs.frozen(kw_only=True)
class ChatDialect:
    """One provider's chat completions.

    Args:
        faults: Names and masks the provider's errors; holds the key.
        url: The full URL of its chat completions.
        model: Which model answers; None leaves it to the provider.
        sampling: How it answers.
        stream: Whether to ask for the answer token by token.
        max_tokens_name: What it calls the most tokens of one answer.
        asks_for_usage: Whether a streamed answer has the usage only on request.
    """

    path: ClassVar[str] = "/chat/completions"
    faults: Faults
    url: str
    model: str | None
    sampling: Sampling
    stream: bool
    max_tokens_name: str = "max_tokens"
    asks_for_usage: bool = True

    def headers(self) -> dict[str, str]:
        """Return the headers that prove who asks."""
        return self.faults.key.bearer()

    def body(self, input: Any) -> dict[str, Any]:
        """Return the request for a TASK's input.

        Raises:
            NeuronError: BAD_INPUT, see `messages_from`.
        """
        return self.request(messages_from(input))

    def request(
        self, messages: Sequence[Message], tools: ToolDefinitions = NO_TOOLS
    ) -> dict[str, Any]:
        """Return the request for a conversation, with the tools that the model may call."""
        model = {} if self.model is None else {"model": self.model}
        ask_for_usage = self.stream and self.asks_for_usage
        return {
            **model,
            "messages": list(messages),
            **self.sampling.named(self.max_tokens_name),
            "stream": self.stream,
            **({"stream_options": {"include_usage": True}} if ask_for_usage else {}),
            **({"tools": tools.as_openai()} if tools else {}),
        }

    def called(self, text: str, calls: Sequence[ToolCall]) -> Message:
        """Return the message in which the model called tools."""
        entries = [
            {
                **call.extra,
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(object_of(call))},
            }
            for call in calls
        ]
        return {"role": "assistant", "content": text or None, "tool_calls": entries}

    def results(self, results: Sequence[ToolResult]) -> list[Message]:
        """Return the messages with what came of calls; an error has no other form here."""
        return [
            {
                "role": "tool",
                "tool_call_id": each.call.id,
                "content": f"Error: {each.text}" if each.is_error else each.text,
            }
            for each in results
        ]

    def answer(self, document: Any, runs_tools: bool = False) -> Output:
        """Return the output that a plain answer holds.

        Args:
            document: The answer.
            runs_tools: See `output_of`.

        Raises:
            NeuronError: PROVIDER_ERROR, the answer reports an error, has another form, or ended
                without being one; see `output_of`.
        """
        answer = read_whole(document, self._read, "choices[0].message.content", self.faults)
        return output_of(answer, self.faults, runs_tools)

    def _read(self, document: Any) -> Answer:
        choice = document["choices"][0]
        reason = reason_in(choice, "finish_reason")
        model = document.get("model") or self.model
        return said_in(choice["message"], reason, model, document.get("usage"))

    def reader(self) -> ChatReader:
        """Return the reader of one streamed answer."""
        return ChatReader(faults=self.faults, model=self.model)


def said_in(message: Any, reason: str | None, model: Any, usage: Any) -> Answer:
    """Return the content of a message, or of the delta of one, with the facts beside it.

    Raises:
        LookupError, TypeError, AttributeError: The message has another form.
    """
    content = message.get("content")
    # two names for the same text, and some providers send both
    reasoning = str_of(message.get("reasoning")) or str_of(message.get("reasoning_content"))
    refusal = str_of(message.get("refusal"))
    if isinstance(content, list):  # Mistral sends its reasoning as a part
        parts = _mappings(content)
        reasoning = reasoning or "".join(map(_thinking, parts))
        refusal = refusal or "".join(str_of(part.get("refusal")) for part in parts)
    has_calls = message.get("tool_calls") or message.get("function_call")
    calls = _calls(message) if has_calls else ()
    return Answer(text_of(content), reasoning, refusal, calls, reason, model, usage)


def _calls(message: Any) -> tuple[CallPart, ...]:
    """Return the calls of tools in a message; those of a delta are parts of calls."""
    calls = _mappings([message.get("function_call"), *_mappings(message.get("tool_calls"))])
    functions = ((call, call.get("function", call)) for call in calls)
    return tuple(chat_part(*each) for each in functions if isinstance(each[1], Mapping))


def _thinking(part: Mapping[str, Any]) -> str:
    thinking = part.get("thinking") if part.get("type") == "thinking" else None
    return text_of(thinking) if isinstance(thinking, list) else str_of(thinking)


def _mappings(values: Any) -> list[Mapping[str, Any]]:
    return (
        [each for each in values if isinstance(each, Mapping)] if isinstance(values, list) else []
    )


@attrs.define
class ChatReader(AnswerReader):
    """Reads the events of one streamed chat completion."""

    expected: ClassVar[str] = "choices[0].delta"

    def _take(self, document: Any) -> Answer:
        choice = (document.get("choices") or [None])[0]
        model, usage = document.get("model"), document.get("usage")
        if choice is None:  # an event with the usage alone, or with nothing
            return Answer(model=model, usage=usage)
        reason = reason_in(choice, "finish_reason")
        return said_in(choice.get("delta") or {}, reason, model, usage)
