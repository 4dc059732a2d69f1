"""The chat-completions dialect that most providers speak: bodies out, answers and chunks in. Pure.

Source: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ..errors import NeuronError
from .faults import Faults, parsed

TEXT_KEYS = ("prompt", "text", "query", "content")
_UNDERSTOOD = (
    f"a Neuron takes {' or '.join(TEXT_KEYS)} (a str) or messages (a list of "
    "{role, content}), with clarification {question, answer} or permission "
    "{action, granted, reason} in a follow-up"
)

Message = dict[str, Any]
Output = dict[str, Any]


def chat_url(endpoint: str) -> str:
    """Return where chat completions are served under `endpoint`, however much of it is given."""
    base = endpoint.rstrip("/")
    if base.endswith("/chat/completions"):
        return base
    return f"{base}/chat/completions" if base.endswith("/v1") else f"{base}/v1/chat/completions"


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

    def named(self, max_tokens_name: str) -> dict[str, Any]:
        """Return what is set, under the names that providers use; that of the first varies."""
        named = {
            max_tokens_name: self.max_new_tokens,
            "temperature": self.temperature,
            "stop": list(self.stop) or None,
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
    """

    faults: Faults
    url: str
    model: str | None
    sampling: Sampling
    stream: bool

    def headers(self) -> dict[str, str]:
        """Return the headers that prove who asks."""
        return self.faults.key.bearer()

    def body(self, input: Any) -> dict[str, Any]:
        """Return the request for a TASK's input.

        Raises:
            NeuronError: BAD_INPUT, see `messages_from`.
        """
        model = {} if self.model is None else {"model": self.model}
        body = {**model, "messages": messages_from(input), **self.sampling.named("max_tokens")}
        if self.stream:
            return {**body, "stream": True, "stream_options": {"include_usage": True}}
        return {**body, "stream": False}

    def answer(self, document: Any) -> Output:
        """Return the output that a plain answer holds.

        Raises:
            NeuronError: PROVIDER_ERROR, the answer reports an error or has another form.
        """
        if error := self.faults.reported(document):
            raise error
        try:
            content = document["choices"][0]["message"]["content"] or ""
        except (LookupError, TypeError):
            content = None
        if not isinstance(content, str):
            raise self.faults.malformed("choices[0].message.content", json.dumps(document))
        return output_of(content, document.get("model") or self.model, document.get("usage"))

    def reader(self) -> ChatReader | None:
        """Return what reads one streamed answer, or None when not streaming."""
        return ChatReader(self) if self.stream else None


@attrs.define
class ChatReader:
    """Reads the events of one streamed answer.

    Attributes:
        ended: The last event came.
        complete: The answer is whole; some providers send no last event after it.
    """

    _dialect: ChatDialect
    ended: bool = attrs.field(default=False, init=False)
    complete: bool = attrs.field(default=False, init=False)
    _tokens: list[str] = attrs.field(factory=list, init=False)
    _model: Any = attrs.field(default=None, init=False)
    _usage: Any = attrs.field(default=None, init=False)

    @property
    def token_count(self) -> int:
        """Return how many pieces of text came."""
        return len(self._tokens)

    def feed(self, event: str) -> str:
        """Take the data of one event and return the text it adds, often none.

        Raises:
            NeuronError: PROVIDER_ERROR, the event reports an error or has another form.
        """
        if self.ended or event.strip() == "[DONE]":
            self.ended = self.complete = True
            return ""
        if not event.strip():  # a sign of life, no more
            return ""
        document = parsed(event)
        if error := self._dialect.faults.reported(document):
            raise error
        try:
            token = self._take(document)
        except (LookupError, TypeError, AttributeError):
            token = None
        if not isinstance(token, str):
            raise self._dialect.faults.malformed("choices[0].delta in an event", event)
        if token:
            self._tokens.append(token)
        return token

    def output(self) -> Output:
        """Return the output made of all that came."""
        return output_of("".join(self._tokens), self._model or self._dialect.model, self._usage)

    def _take(self, chunk: Any) -> Any:
        self._model = chunk.get("model") or self._model
        self._usage = chunk.get("usage") or self._usage
        choices = chunk.get("choices")
        if not choices:  # the event with the usage has none
            return ""
        self.complete = self.complete or choices[0].get("finish_reason") is not None
        return (choices[0].get("delta") or {}).get("content") or ""


def output_of(response: str, model: Any, usage: Any) -> Output:
    """Return a Neuron's output; usage only when the provider told it."""
    output = {"response": response, "model": model}
    return {**output, "usage": usage} if isinstance(usage, Mapping) else output
