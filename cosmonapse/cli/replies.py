"""Questions as text for a person, and replies of a person or a tool, parsed. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

from ..runtime.printable import printable
from ..signals import Signal, SignalType

_MAX_SHOWN_CHARS = 4_000
_KEYS: Mapping[SignalType, tuple[str, ...]] = MappingProxyType(
    {
        SignalType.CLARIFICATION: ("answer", "extra"),
        SignalType.PERMISSION: ("granted", "reason", "ttl_ms"),
        SignalType.ESCALATION: ("input", "neuron"),
    }
)
_PROMPTS: Mapping[SignalType, str] = MappingProxyType(
    {
        SignalType.CLARIFICATION: "answer> ",
        SignalType.PERMISSION: "grant? [y or n, then a reason]> ",
        SignalType.ESCALATION: "go on with input> ",
    }
)
_YES, _NO = frozenset({"y", "yes"}), frozenset({"n", "no"})
_HAND_ON = "go"

Reply = dict[str, Any]
"""The arguments of the `respond_to_...` of a question."""


class BadReply(Exception):
    """The reply does not answer the question; the text says which would."""


@attrs.frozen
class StandingAnswers:
    """Answers given in advance to every question of a type.

    Args:
        answer: To a CLARIFICATION.
        granted: To a PERMISSION.
        input: The input for a neuron that escalated, in a tuple of one; or an empty tuple.
    """

    answer: str | None = None
    granted: bool | None = None
    input: tuple[Any, ...] = ()

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return self.answer is not None or self.granted is not None or bool(self.input)

    def reply_to(self, question: Signal) -> Reply | None:
        """Return the reply to a question, or None if it is left to others."""
        if question.type is SignalType.CLARIFICATION:
            return None if self.answer is None else {"answer": self.answer}
        if question.type is SignalType.PERMISSION:
            return None if self.granted is None else {"granted": self.granted}
        return {"input": self.input[0]} if self.input else None


def neuron_of(question: Signal) -> str:
    """Return the neuron that asks, for people."""
    directed = question.directed
    return "?" if directed is None or directed.id is None else directed.id


def shown(question: Signal) -> str:
    """Return a question as lines for a terminal, control characters escaped."""
    title = f"{question.type.value} from {neuron_of(question)}, trace {question.trace_id[:8]}"
    rows = (f"  {key}: {_text(value)}" for key, value in question.payload.items())
    return "\n".join(map(printable, (title, *rows)))


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    if len(text) <= _MAX_SHOWN_CHARS:
        return text
    return f"{text[:_MAX_SHOWN_CHARS]}... ({len(text):,} characters)"


def prompt_of(question: Signal) -> str:
    """Return the prompt for a person."""
    if question.payload.get("target") and question.type is SignalType.ESCALATION:
        return f"go on with input, or {_HAND_ON!r} to hand it on as it is> "
    return _PROMPTS[question.type]


def read_line(question: Signal, line: str) -> Reply | None:
    """Return the reply in a typed line; None if the line is empty.

    A CLARIFICATION accepts any text. A PERMISSION accepts y or n, followed by a reason or not. An
    ESCALATION accepts JSON, or other text.

    Raises:
        BadReply: It does not answer the question.
    """
    text = line.strip()
    if not text:
        return None
    if question.type is SignalType.CLARIFICATION:
        return {"answer": text}
    if question.type is SignalType.ESCALATION:
        handed_on = text == _HAND_ON and bool(question.payload.get("target"))
        return {} if handed_on else {"input": _json_or_text(text)}
    word, _, reason = text.partition(" ")
    word = word.strip(",.;:").lower()
    if word not in _YES | _NO:
        raise BadReply("say y or n, then a reason if you like; an empty line leaves it to others")
    return {"granted": word in _YES, "reason": reason.strip() or None}


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def read_json_line(line: str) -> tuple[str, Reply]:
    """Return the id of the question that a tool's line answers, and the reply.

    Raises:
        BadReply: It is not a JSON object with the id of a question.
    """
    try:
        said = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadReply(f"invalid JSON: {error}") from None
    if not isinstance(said, dict) or not isinstance(said.get("id"), str):
        raise BadReply(
            'expected an object with the id of a question, such as {"id": ..., "answer": 1}'
        )
    return said.pop("id"), said


def checked(question: Signal, reply: Reply) -> Reply:
    """Return a tool's reply if it has the keys for its question.

    Raises:
        BadReply: A key is missing or unknown.
    """
    keys = _KEYS[question.type]
    kind = question.type.value
    unknown = [key for key in reply if key not in keys]
    if unknown:
        raise BadReply(f"a {kind} accepts {', '.join(keys)}, not {', '.join(unknown)}")
    if question.type is not SignalType.ESCALATION and keys[0] not in reply:
        raise BadReply(f"a {kind} needs {keys[0]!r}")
    if question.type is SignalType.PERMISSION and not isinstance(reply["granted"], bool):
        raise BadReply(f"granted must be true or false, not {reply['granted']!r:.80}")
    return reply
