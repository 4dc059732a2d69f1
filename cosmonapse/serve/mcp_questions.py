"""The questions of Neurons as forms of MCP, and the answers as input of the next TASK. Pure.

Spec: docs/spec/07-signals.md, "Answers": the same keys that a caller of the fabric adds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from ..follow_up_input import answer_keys
from ..question_errors import question_text
from ..signals import Signal, SignalType

_FORM_TYPES = frozenset({"string", "number", "integer", "boolean"})
_ONE_ANSWER: Mapping[str, Any] = {
    "type": "object",
    "properties": {"answer": {"type": "string", "title": "Answer"}},
    "required": ["answer"],
}
_WHY: Mapping[str, Any] = {
    "type": "object",
    "properties": {"reason": {"type": "string", "title": "Reason (optional)"}},
}
_NOTHING: Mapping[str, Any] = {"type": "object", "properties": {}}


@attrs.frozen
class AskedQuestion:
    """A question of a Neuron, without the Signal that brought it.

    Args:
        type: CLARIFICATION, PERMISSION or ESCALATION.
        text: The question, the action or the reason.
        message: The text for a person.
        form: The JSON Schema of the form.
        trace_id: The workflow, which its answer continues.
        event_id: The id of the question.
        neuron: Who gets the answer.
    """

    type: SignalType
    text: str
    message: str
    form: Mapping[str, Any]
    trace_id: str
    event_id: str
    neuron: str

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON, without what only the form needs."""
        return {
            "type": self.type.value,
            "text": self.text,
            "trace_id": self.trace_id,
            "event_id": self.event_id,
            "neuron": self.neuron,
            "has_form": self.has_own_form,
        }

    @property
    def has_own_form(self) -> bool:
        """Whether the Neuron gave the form: its answer is all of it."""
        return self.type is SignalType.CLARIFICATION and self.form is not _ONE_ANSWER


def asked_by(signal: Signal, neuron: str) -> AskedQuestion:
    """Return the question that a Signal asks.

    Args:
        signal: A CLARIFICATION, PERMISSION or ESCALATION.
        neuron: The Neuron that was called.
    """
    payload = signal.payload
    text = question_text(payload) or "?"
    if signal.type is SignalType.PERMISSION:
        scope, reason = payload.get("scope"), payload.get("reason")
        message = f"Allow {text}"
        message += f" on {_shown(scope)}?" if scope else "?"
        message += f" ({reason})" if reason else ""
        form = _WHY
    elif signal.type is SignalType.ESCALATION:
        target = payload.get("target")
        neuron = target if isinstance(target, str) else ""
        message = f"The tool cannot continue: {text}. Pass it on to {neuron or 'somebody else'}?"
        form = _NOTHING
    else:
        message = text
        form = _form_in(payload.get("context")) or _ONE_ANSWER
    return AskedQuestion(signal.type, text, message, form, signal.trace_id, signal.id, neuron)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _form_in(context: Any) -> Mapping[str, Any] | None:
    """Return the schema in the context of a question if it is flat, as forms must be."""
    schema = context.get("schema") if isinstance(context, Mapping) else None
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping) or not properties:
        return None
    is_flat = all(
        isinstance(each, Mapping) and each.get("type") in _FORM_TYPES
        for each in properties.values()
    )
    return {"type": "object", **schema} if is_flat and schema is not None else None


def with_decision(
    input: Mapping[str, Any], action: str, granted: bool, reason: Any = None
) -> dict[str, Any]:
    """Return the input of the next TASK with the decision about a PERMISSION."""
    decision = {"action": action, "granted": granted}
    return {**input, "permission": {**decision, "reason": reason} if reason else decision}


def after_form(
    asked: Mapping[str, Any],
    input: Mapping[str, Any],
    action: str,
    content: Mapping[str, Any] | None,
) -> dict[str, Any] | None:
    """Return the input of the next TASK, or None if the person gave no answer.

    Args:
        asked: `AskedQuestion.as_dict`.
        input: The input of the last TASK.
        action: accept, decline or cancel.
        content: The form as it was filled in.
    """
    values = content or {}
    if asked["type"] == SignalType.PERMISSION.value and action in ("accept", "decline"):
        return with_decision(input, asked["text"], action == "accept", values.get("reason"))
    if action != "accept":
        return None
    if asked["type"] == SignalType.ESCALATION.value:
        return dict(input)
    answer = dict(values) if asked["has_form"] else values.get("answer")
    return {**input, **answer_keys(input, asked["text"], answer)}


def unanswered(asked: Mapping[str, Any], action: str) -> str:
    """Return the text of a call whose question the person declined or dismissed."""
    did = "declined to answer" if action == "decline" else "dismissed the question"
    return f"{asked['type']}: the user {did}: {asked['text']}"


def asks_in_text(asked: AskedQuestion, tool: str, input: Mapping[str, Any]) -> str:
    """Return the text of a call whose client cannot show a form: it says how to answer."""
    head = f"{asked.type.value}: {asked.message}\n"
    if asked.type is SignalType.PERMISSION:
        return head + (
            "Only a person may decide this, and this client cannot ask its user, as it does not "
            "offer elicitation. Tell the user; the arguments of a call cannot grant it."
        )
    if asked.type is SignalType.ESCALATION:
        return head + "This client cannot ask its user whether to pass it on. Tell the user."
    more = answer_keys(input, asked.text, "<the answer>")
    return head + (
        f"This client cannot ask its user, as it does not offer elicitation. Ask the user, then "
        f"call {tool} again with the same arguments and these beside them: "
        f"{json.dumps(more, ensure_ascii=False, default=str)}"
    )
