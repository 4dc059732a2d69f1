"""What a tool asks while it runs, and the answer that the input of a follow-up TASK holds. Pure.

A question of a tool becomes a CLARIFICATION. Its answer comes in the input of a new TASK, for which
the call is made once more: each question that the tool then asks takes its answer from there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

import attrs

from ..errors import Clarification
from ..follow_up_input import CLARIFICATION_KEYS

Action = Literal["accept", "decline", "cancel"]
_YES = frozenset({"yes", "y", "true", "ok", "1"})
_NO = frozenset({"no", "n", "false", "0"})


@attrs.frozen
class ToolQuestion:
    """A question of a tool.

    Attributes:
        message: The question, for people.
        schema: The JSON Schema of the answer, an object of plain values; None for a visit to `url`.
        url: A page to visit instead of an answer.
    """

    message: str
    schema: Mapping[str, Any] | None = None
    url: str | None = None

    def clarification(self) -> Clarification:
        """Return what asks our caller."""
        known = {"schema": self.schema, "url": self.url}
        return Clarification(
            self.message, {key: value for key, value in known.items() if value is not None}
        )


@attrs.frozen
class ToolAnswer:
    """The answer to a question of a tool.

    Attributes:
        action: Whether there is one.
        content: The values, if it is accepted and the question has a schema.
    """

    action: Action
    content: dict[str, Any] | None = None


class Answers:
    """The answers in an input; each is given once.

    Args:
        given: The input of the task. Of several answers to one question the oldest is first, and
            one that does not fit its question is passed over, so that it is asked again.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        several = given.get("clarifications")
        found = several if isinstance(several, list) else [given.get("clarification")]
        self._left = [each for each in found if isinstance(each, Mapping)]

    def take(self, question: ToolQuestion) -> ToolAnswer | None:
        """Return the answer to a question; None if there is none."""
        for place, each in enumerate(self._left):
            if each.get("question") == question.message:
                answer = read(each.get("answer"), question)
                if answer is not None:
                    del self._left[place]
                    return answer
        return None


def arguments_of(given: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a tool: the input without the answers, unless it declares those."""
    declared = schema.get("properties") or {}
    return {
        key: value
        for key, value in given.items()
        if key not in CLARIFICATION_KEYS or key in declared
    }


def read(answer: Any, question: ToolQuestion) -> ToolAnswer | None:
    """Return what an answer of a caller means for a question; None if it does not fit.

    None, and `{"action": "decline"}`, decline. A dict holds the values. Another value is that of
    the only property, or of the only one that is required; a text may be a number, yes or no, or
    an object as JSON.
    """
    properties = _properties(question)
    if answer is None:
        return ToolAnswer("decline")
    if isinstance(answer, Mapping) and "action" in answer and "action" not in properties:
        return _of_action(answer)
    if question.url is not None or not properties:
        return _yes_or_no(answer)
    if isinstance(answer, Mapping):
        return ToolAnswer("accept", dict(answer)) if _has_required(answer, question) else None
    return _of_value(answer, question)


def _properties(question: ToolQuestion) -> Mapping[str, Any]:
    found = (question.schema or {}).get("properties")
    return found if isinstance(found, Mapping) else {}


def _of_action(answer: Mapping[str, Any]) -> ToolAnswer | None:
    content = answer.get("content")
    match answer["action"]:
        case "accept":
            return ToolAnswer("accept", dict(content) if isinstance(content, Mapping) else None)
        case "decline":
            return ToolAnswer("decline")
        case "cancel":
            return ToolAnswer("cancel")
    return None


def _yes_or_no(answer: Any) -> ToolAnswer:
    """Read the answer to a question that only wants consent."""
    return ToolAnswer("decline") if _truth(answer) is False else ToolAnswer("accept", {})


def _truth(value: Any) -> Any:
    """Return True or False for a text that says so; else the value."""
    word = value.strip().lower() if isinstance(value, str) else None
    return True if word in _YES else False if word in _NO else value


def _has_required(answer: Mapping[str, Any], question: ToolQuestion) -> bool:
    return all(name in answer for name in (question.schema or {}).get("required") or ())


def _of_value(answer: Any, question: ToolQuestion) -> ToolAnswer | None:
    properties = _properties(question)
    required = list((question.schema or {}).get("required") or ())
    names = required if len(required) == 1 else list(properties)
    if len(names) == 1:
        return ToolAnswer("accept", {names[0]: _cast(answer, properties.get(names[0]) or {})})
    try:
        parsed = json.loads(answer)
    except (TypeError, ValueError):
        return None
    return read(parsed, question) if isinstance(parsed, dict) else None


def _cast(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return a text as the kind of value that is wanted, if it is one."""
    if not isinstance(value, str):
        return value
    match schema.get("type"):
        case "boolean":
            return _truth(value)
        case "integer" | "number" as kind:
            try:
                return int(value) if kind == "integer" else float(value)
            except ValueError:
                return value
    return value
