"""A request for a chat completion, read. Pure.

Source: https://platform.openai.com/docs/api-reference/chat/create. Fields that are unknown here are
left out in silence, as clients expect it; what would change the form of the answer is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import attrs

from ...tasks import MAX_TIMEOUT_S
from .error_bodies import ChatRefusal
from .model_list import ModelName, model_named

OPTIONS = (
    "temperature",
    "top_p",
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "seed",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "reasoning_effort",
)
"""The fields that go into the input of the Neuron, under their own names, where they are given."""
_INSTEAD = {
    "functions": "send tools instead",
    "function_call": "send tool_choice instead",
    "audio": "an answer is text",
    "top_logprobs": "a Neuron tells no probabilities",
}


@attrs.frozen
class ChatRequest:
    """One request.

    Args:
        name: The model, in the words of the client.
        model: The same, read.
        messages: The chat.
        options: What else was asked for, see `OPTIONS`.
        stream: Whether the answer comes in pieces.
        include_usage: Whether the last piece of a stream has the usage.
    """

    name: str
    model: ModelName
    messages: list[dict[str, Any]]
    options: dict[str, Any]
    stream: bool
    include_usage: bool


def chat_request(body: Mapping[str, Any]) -> ChatRequest:
    """Return what the body of a request asks for.

    Raises:
        NoSuchModel: No Neuron can be called so.
        ChatRefusal: A field is missing or wrong, or asks for what no Neuron can do.
    """
    name = body.get("model")
    if not isinstance(name, str) or not name:
        raise ChatRefusal(
            "model must be the id of a Neuron or capability:NAME, see GET /v1/models", "model"
        )
    _check_form(body)
    stream_options = body.get("stream_options")
    return ChatRequest(
        name=name,
        model=model_named(name),
        messages=_messages(body.get("messages")),
        options={key: body[key] for key in OPTIONS if body.get(key) is not None},
        stream=bool(body.get("stream")),
        include_usage=isinstance(stream_options, Mapping)
        and bool(stream_options.get("include_usage")),
    )


def _messages(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value:
        raise ChatRefusal("messages must be an array with at least one message", "messages")
    for at, message in enumerate(value):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise ChatRefusal(f"messages[{at}] must be an object with a role", f"messages[{at}]")
        if not isinstance(message.get("content"), str | list | None):
            raise ChatRefusal(
                f"messages[{at}].content must be a text or an array of parts",
                f"messages[{at}].content",
            )
    return value


def _check_form(body: Mapping[str, Any]) -> None:
    """Refuse what would need another form of answer than one text."""
    if not isinstance(body.get("stream"), bool | None):
        raise ChatRefusal("stream must be true or false", "stream")
    if body.get("n") not in (None, 1):
        raise ChatRefusal("n must be 1: a Neuron answers once", "n", "unsupported_value")
    if body.get("logprobs"):
        raise ChatRefusal(
            "logprobs must be false: a Neuron tells no probabilities",
            "logprobs",
            "unsupported_value",
        )
    if body.get("modalities") not in (None, ["text"]):
        raise ChatRefusal(
            "modalities must be text: an answer is text", "modalities", "unsupported_value"
        )
    for key, instead in _INSTEAD.items():
        if body.get(key):
            raise ChatRefusal(f"{key} is not supported: {instead}", key, "unsupported_parameter")


def timeout_of(told: str | None, otherwise_s: float) -> float:
    """Return how long a task may take, in seconds.

    Args:
        told: The header `x-timeout-s`, if the request has it.
        otherwise_s: For a request without it.

    Raises:
        ChatRefusal: It is no number over 0 and up to 30 days.
    """
    if told is None:
        return otherwise_s
    try:
        timeout_s = float(told)
    except ValueError:
        timeout_s = math.nan
    if not 0 < timeout_s <= MAX_TIMEOUT_S:
        raise ChatRefusal(
            "the header x-timeout-s must be a number of seconds over 0 and at most 30 days",
            "x-timeout-s",
        )
    return timeout_s
