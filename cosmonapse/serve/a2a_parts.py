"""What A2A's parts and states say of an input, an answer and an outcome of ours. Pure.

Page: docs/gateways.md, "A2A". A part is a text or a value here, so that nothing of A2A's package is
needed: `a2a_wire` turns the parts of its messages into these, and back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import attrs

from ..edge.outcomes import BadRequest, answer_of, jsonable, to_json
from ..signals import Signal, SignalType

JSON_TYPE = "application/json"
PROMPT = "prompt"
"""The key of a text in an input, unless the card names one other."""
CHAT_KEYS = ("response", "text", "content", "answer")
"""The keys of an output whose text is what a person wants to read; the first that it has counts."""
MAX_DEPTH = 24
"""The deepest value that goes into a data part; protobuf reads about thirty levels of JSON."""
TOO_LARGE = 1 << 53
"""The first whole number that a data part, whose numbers are all doubles, may carry wrongly."""
_YES = frozenset({"yes", "y", "ok", "okay", "true", "granted", "grant", "allow", "approve"})
_NO = frozenset({"no", "n", "false", "denied", "deny", "refuse", "reject"})
_REJECTED = frozenset(
    {
        "ACCESS_DENIED",
        "BAD_INPUT",
        "BAD_REQUEST",
        "BAD_SIGNAL",
        "NO_CAPABLE_NEURON",
        "NO_SUCH_NEURON",
        "OVERLOADED",
        "TOO_LARGE",
    }
)
_ASKED: Mapping[SignalType, str] = MappingProxyType(
    {
        SignalType.CLARIFICATION: "INPUT_REQUIRED",
        SignalType.ESCALATION: "INPUT_REQUIRED",
        SignalType.PERMISSION: "AUTH_REQUIRED",
    }
)


@attrs.frozen
class TextPart:
    """A text.

    Args:
        text: The text.
        media_type: Empty for plain text; `application/json` for a value that is exact.
    """

    text: str
    media_type: str = ""


@attrs.frozen
class DataPart:
    """A value of JSON.

    Args:
        value: The value.
        is_rounded: True if it holds a number that a double cannot carry.
    """

    value: Any
    is_rounded: bool = False


Piece = TextPart | DataPart


@attrs.frozen
class Settled:
    """What a task has come to.

    Args:
        state: The state, without its prefix `TASK_STATE_`.
        text: What the status says; empty for nothing.
        facts: The metadata of the status: code, retry and what a question asks.
    """

    state: str
    text: str = ""
    facts: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def asks(self) -> bool:
        """Whether the task waits for a message of its client."""
        return self.state in _ASKED.values()


def whole(value: Any) -> Any:
    """Return a value with each whole float below 2**53 as an int: a data part has only doubles."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < TOO_LARGE else value
    if isinstance(value, dict):
        return {key: whole(each) for key, each in value.items()}
    return [whole(each) for each in value] if isinstance(value, list) else value


def text_key(schema: Mapping[str, Any] | None) -> str:
    """Return the key under which a text goes into an input.

    It is `prompt`, unless the schema takes no `prompt` and has one string field, or one that it
    requires.
    """
    fields = schema.get("properties") if schema is not None else None
    if schema is None or not isinstance(fields, Mapping) or PROMPT in fields:
        return PROMPT
    texts = [name for name, field in fields.items() if _is_text(field)]
    needed = schema.get("required")
    required = [name for name in texts if isinstance(needed, list) and name in needed]
    return next((each[0] for each in (texts, required) if len(each) == 1), PROMPT)


def _is_text(field: Any) -> bool:
    if not isinstance(field, Mapping):
        return False
    kind, choices = field.get("type"), field.get("anyOf")
    if isinstance(choices, list):
        return any(_is_text(each) for each in choices)
    return kind == "string" or (isinstance(kind, list) and "string" in kind)


def input_of(pieces: Iterable[Piece], key: str = PROMPT) -> dict[str, Any]:
    """Return the input that a message stands for.

    Its texts are joined by line ends and go under `key`. Its values are merged, the later one
    before the earlier one, and before the text; one that is no object goes under `value`.

    Raises:
        BadRequest: A part of the type application/json is no JSON.
    """
    text, values = _split(pieces)
    return {**({} if text is None else {key: text}), **values}


def _split(pieces: Iterable[Piece]) -> tuple[str | None, dict[str, Any]]:
    texts: list[str] = []
    values: dict[str, Any] = {}
    for piece in pieces:
        if isinstance(piece, TextPart) and piece.media_type != JSON_TYPE:
            texts.append(piece.text)
            continue
        value = whole(piece.value) if isinstance(piece, DataPart) else _parsed(piece.text)
        values |= value if isinstance(value, dict) else {"value": value}
    return ("\n".join(texts) if texts else None), values


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BadRequest(f"a text part says {JSON_TYPE} and is not valid JSON") from None


def answer_to(question: Signal, pieces: Iterable[Piece], key: str = PROMPT) -> dict[str, Any]:
    """Return the payload of the answer to a question that a message stands for.

    - CLARIFICATION: the text, with the values as further input; without a text `answer` of the
      values, or else all of them.
    - PERMISSION: `granted` (and `reason`) of the values, or a text such as yes or no.
    - ESCALATION: the message as a new input, for the Neuron that the question names.

    Raises:
        BadRequest: It is no answer; the text asks again.
    """
    text, values = _split(pieces)
    if question.type is SignalType.PERMISSION:
        return _decision(text, values)
    if question.type is SignalType.ESCALATION:
        again = {"input": {**({} if text is None else {key: text}), **values}}
        target = question.payload.get("target")
        return {"answer": None, **again, **({} if target is None else {"neuron": target})}
    if text is not None:
        return {"answer": text, **({"extra": values} if values else {})}
    return {"answer": values.get("answer", values)}


def _decision(text: str | None, values: Mapping[str, Any]) -> dict[str, Any]:
    granted = values.get("granted")
    word = (text or "").strip().rstrip(".!").lower()
    if granted is None and word in _YES | _NO:
        granted = word in _YES
    if not isinstance(granted, bool):
        raise BadRequest(
            'answer with the text "yes" or "no", or with a data part {"granted": true} or '
            '{"granted": false}'
        )
    kept = {key: values[key] for key in ("reason", "ttl_ms") if key in values}
    return {"granted": granted, **kept}


def output_pieces(output: Mapping[str, Any], streamed: str = "") -> Sequence[Piece]:
    """Return the parts of an output: its text for people, if it has one, and its value.

    A text that was streamed is not repeated. A value with a number from 2**53 on comes as an exact
    text of JSON too, and one that is too deep for a data part as that text alone.
    """
    value = jsonable(output)
    text = chat_text(output)
    pieces: list[Piece] = [TextPart(text)] if text and text != streamed else []
    depth, is_rounded = _depth(value), has_large_number(value)
    if depth <= MAX_DEPTH:
        pieces.append(DataPart(value, is_rounded))
    if depth > MAX_DEPTH or is_rounded:
        pieces.append(TextPart(to_json(value).decode(), JSON_TYPE))
    return pieces


def chat_text(output: Mapping[str, Any]) -> str:
    """Return the text of an output that a person wants to read, or an empty one."""
    found = (output[key] for key in CHAT_KEYS if isinstance(output.get(key), str))
    return next(found, "")


def has_large_number(value: Any) -> bool:
    """Return whether a value holds a whole number that a double may carry wrongly."""
    if isinstance(value, dict):
        return any(map(has_large_number, value.values()))
    if isinstance(value, list):
        return any(map(has_large_number, value))
    return isinstance(value, int) and abs(value) >= TOO_LARGE


def _depth(value: Any) -> int:
    inside = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(_depth, inside), default=0)


def settled(outcome: Signal | BaseException, trace_id: str) -> Settled:
    """Return the state of a task for the Signal that settled it, or for what went wrong.

    Args:
        outcome: The Signal, or the exception that came instead.
        trace_id: The workflow.
    """
    if isinstance(outcome, Signal) and outcome.type in _ASKED:
        return _question(outcome)
    answer = answer_of(outcome, trace_id)
    if answer.status == 200:
        return Settled("COMPLETED")
    facts = {key: answer.body[key] for key in answer.body if key != "error"}
    return Settled(_failed(facts["code"]), str(answer.body["error"]), facts)


def _failed(code: str) -> str:
    if code == "CANCELLED":
        return "CANCELED"
    return "REJECTED" if code in _REJECTED else "FAILED"


def _question(question: Signal) -> Settled:
    payload = question.payload
    text = payload.get("question") or payload.get("action") or payload.get("reason") or ""
    facts = {"code": question.type.value, "trace_id": question.trace_id}
    asked = {key: _shallow(value) for key, value in jsonable(payload).items()}
    return Settled(_ASKED[question.type], str(text), {**facts, **asked})


def _shallow(value: Any) -> Any:
    """Return a value for metadata: what is too deep for protobuf comes as a text of JSON."""
    return value if _depth(value) <= MAX_DEPTH else to_json(value).decode()
