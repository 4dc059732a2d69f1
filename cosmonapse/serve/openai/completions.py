"""The output of a Neuron as the answer of a model: its text, tool calls, end and usage. Pure.

Source: https://platform.openai.com/docs/api-reference/chat/object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from ...edge.outcomes import jsonable
from ...neurons.answers import OUTPUT_TEXT_KEYS
from ...neurons.endings import CONTENT_FILTER, LENGTH, REFUSAL, STOP, TOOL_CALLS, finish_reason
from ...payloads import REASONING
from ...signals import Signal, SignalType
from ...telemetry.token_counts import tokens_of

_REASONS = {each: each for each in (STOP, LENGTH, TOOL_CALLS, CONTENT_FILTER)}
_REASON_OF = {**_REASONS, REFUSAL: CONTENT_FILTER}
_DETAILS = ("prompt_tokens_details", "completion_tokens_details")
_MOST_COUNT = 2**53

Usage = dict[str, Any]


@attrs.frozen
class Said:
    """What a Neuron has said in the end.

    Args:
        text: The answer; None where there are only tool calls.
        is_text: Whether the Neuron named a text; else `text` is its whole output as JSON.
        reasoning: The reasoning behind it.
        tool_calls: In OpenAI's form.
        reason: Why it ended, in OpenAI's word.
        usage: In OpenAI's form; 0 where the Neuron does not tell.
    """

    text: str | None
    is_text: bool
    reasoning: str
    tool_calls: tuple[dict[str, Any], ...]
    reason: str
    usage: Usage


def said_by(signal: Signal) -> Said:
    """Return what a Signal says that settled a task: an output, or a question for the user.

    Raises:
        NeuronError: It is an ERROR.
        NeedsAnswer: It is a question that no chat can answer.
    """
    if signal.type is SignalType.CLARIFICATION:
        question = signal.payload.get("question")
        text = question if isinstance(question, str) else _as_json(question)
        return Said(text, True, "", (), STOP, usage_of(None))
    return said_in_output(signal.output)


def said_in_output(output: Mapping[str, Any]) -> Said:
    """Return what an output says."""
    text = next((output[key] for key in OUTPUT_TEXT_KEYS if isinstance(output.get(key), str)), None)
    calls = tool_calls_of(output.get(TOOL_CALLS))
    reasoning = output.get(REASONING)
    return Said(
        text=text if text is not None or calls else _as_json(output),
        is_text=text is not None,
        reasoning=reasoning if isinstance(reasoning, str) else "",
        tool_calls=calls,
        reason=_reason_of(output, bool(calls)),
        usage=usage_of(output.get("usage")),
    )


def _as_json(value: Any) -> str:
    return json.dumps(jsonable(value), ensure_ascii=False, allow_nan=False)


def _reason_of(output: Mapping[str, Any], has_calls: bool) -> str:
    told = output.get("finish_reason") or output.get("stop_reason")
    word = finish_reason(told) if isinstance(told, str) else None
    reason = _REASON_OF.get(word or "", STOP)
    if has_calls:
        return reason if reason == LENGTH else TOOL_CALLS
    return STOP if reason == TOOL_CALLS else reason


def tool_calls_of(value: Any) -> tuple[dict[str, Any], ...]:
    """Return the tool calls in an output in OpenAI's form; what is none is left out.

    A call is `{"id", "type", "function": {"name", "arguments"}}`; `arguments` may be an object, and
    an `id` that is missing is made of its place.
    """
    calls: list[dict[str, Any]] = []
    for each in value if isinstance(value, list) else ():
        function = each.get("function") if isinstance(each, Mapping) else None
        if isinstance(function, Mapping) and isinstance(function.get("name"), str):
            calls.append(_call(each.get("id"), function, len(calls)))
    return tuple(calls)


def _call(call_id: Any, function: Mapping[str, Any], at: int) -> dict[str, Any]:
    given = function.get("arguments")
    arguments = given if isinstance(given, str) else _as_json({} if given is None else given)
    return {
        "id": call_id if isinstance(call_id, str) and call_id else f"call_{at}",
        "type": "function",
        "function": {"name": function["name"], "arguments": arguments},
    }


def usage_of(usage: Any) -> Usage:
    """Return a usage in OpenAI's form, from its words or from those of Anthropic.

    Every value is a whole number, 0 where the Neuron does not tell: clients add them up.
    """
    read, written = (min(each or 0, _MOST_COUNT) for each in tokens_of(usage))
    told = {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
    }
    details = usage if isinstance(usage, Mapping) else {}
    return {**told, **{key: each for key in _DETAILS if (each := _counts(details.get(key)))}}


def _counts(value: Any) -> dict[str, int]:
    if not isinstance(value, Mapping):
        return {}
    return {
        str(key): each
        for key, each in value.items()
        if type(each) is int and 0 <= each <= _MOST_COUNT
    }


def completion(said: Said, completion_id: str, created: int, model: str) -> dict[str, Any]:
    """Return the body of a plain answer.

    Args:
        said: What the Neuron has said.
        completion_id: The id of the answer.
        created: When it was asked for, in whole seconds UTC.
        model: The model, in the words of the client.
    """
    message: dict[str, Any] = {"role": "assistant", "content": said.text, "refusal": None}
    if said.reasoning:
        message["reasoning_content"] = said.reasoning
    if said.tool_calls:
        message[TOOL_CALLS] = said.tool_calls
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": said.reason}
    return {
        "id": completion_id,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [choice],
        "usage": said.usage,
    }
