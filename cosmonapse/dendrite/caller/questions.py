"""Questions that a Neuron sends instead of an output, and the TASK that an answer leads to. Pure.

Spec: docs/spec/07-signals.md. A question settles its TASK. Its answer is a new TASK on the same
trace, with the question as its parent: the original input and the answer beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ...codec import shown
from ...errors import DendriteProtocolError
from ...names import checked_name
from ...signals import Directed, Signal, SignalType, made

QUESTIONS = frozenset({SignalType.CLARIFICATION, SignalType.PERMISSION, SignalType.ESCALATION})
ANSWER_OF: Mapping[SignalType, SignalType] = MappingProxyType(
    {
        SignalType.CLARIFICATION: SignalType.CLARIFICATION_ANSWER,
        SignalType.PERMISSION: SignalType.PERMISSION_DECISION,
        SignalType.ESCALATION: SignalType.CLARIFICATION_ANSWER,
    }
)
"""An ESCALATION has no answer type of its own: its answer says `input` and `neuron`."""
ANSWERS = frozenset(ANSWER_OF.values())


def asked_in(question: Signal, type_: SignalType) -> None:
    """Check that a Signal is a question of a type.

    Raises:
        DendriteProtocolError: It is not.
    """
    if question.type is not type_:
        raise DendriteProtocolError(
            f"this answers a {type_.value}, and the Signal is a {question.type.value}"
        )


def clarification_answer(question: Signal, answer: Any, extra: Mapping[str, Any] | None) -> Signal:
    """Return the CLARIFICATION_ANSWER to a CLARIFICATION.

    Raises:
        DendriteProtocolError: `question` is none.
    """
    asked_in(question, SignalType.CLARIFICATION)
    payload = {"answer": answer}
    if extra:
        payload["extra"] = dict(extra)
    return question.reply(SignalType.CLARIFICATION_ANSWER, payload=payload)


def permission_decision(
    question: Signal, granted: bool, reason: str | None, ttl_ms: int | None
) -> Signal:
    """Return the PERMISSION_DECISION to a PERMISSION.

    Raises:
        DendriteProtocolError: `question` is none.
        TypeError: `granted` is no bool.
    """
    asked_in(question, SignalType.PERMISSION)
    if not isinstance(granted, bool):
        raise TypeError(f"granted must be True or False, not {granted!r:.100}")
    payload: dict[str, Any] = {"granted": granted}
    if reason is not None:
        payload["reason"] = reason
    if ttl_ms is not None:
        payload["ttl_ms"] = ttl_ms
    return question.reply(SignalType.PERMISSION_DECISION, payload=payload)


def escalation_answer(question: Signal, input: Any, neuron: str | None) -> Signal:
    """Return the answer to an ESCALATION: who shall go on, and with which input.

    Raises:
        DendriteProtocolError: `question` is none; or there is neither an input nor somebody else
            to send the task to.
        InvalidName: `neuron`, or the target that the question names, is no name.
    """
    asked_in(question, SignalType.ESCALATION)
    target = neuron or question.payload.get("target")
    if input is None and target is None:
        raise DendriteProtocolError(
            "respond_to_escalation needs input=, neuron= or a target in the ESCALATION: the same "
            "neuron with the same input would escalate again"
        )
    payload: dict[str, Any] = {"answer": None}
    if input is not None:
        payload["input"] = input
    if target is not None:
        payload["neuron"] = checked_name("neuron", target)
    return question.reply(SignalType.CLARIFICATION_ANSWER, payload=payload)


def follow_up(task: Signal, question: Signal, answer: Signal) -> Signal:
    """Return the TASK that goes on with an answer.

    It goes to the neuron that asked, or to the one that the answer names.

    Args:
        task: The TASK that ended in the question.
        question: The question.
        answer: A Signal of one of `ANSWERS`.

    Raises:
        DendriteProtocolError: The answer is none to a question of this type, or grants neither
            with true nor with false.
        InvalidName: It names a neuron that is no name.
    """
    if answer.type is not ANSWER_OF[question.type]:
        raise DendriteProtocolError(
            f"a {answer.type.value} does not answer a {question.type.value}"
        )
    granted = answer.payload.get("granted")
    if question.type is SignalType.PERMISSION and not isinstance(granted, bool):
        raise DendriteProtocolError(f"granted must be true or false, not {shown(granted)}")
    asked = question.directed
    directed = task.directed if asked is None or asked.id is None else Directed(asked.id, "neuron")
    if answer.payload.get("neuron") is not None:
        directed = Directed(checked_name("neuron", answer.payload["neuron"]), "neuron")
    payload = {**task.payload, "input": _input_of(task, question, answer)}
    payload.pop("capabilities", None)
    meta = {**task.meta, "answer": answer.id}
    return made(SignalType.TASK, payload, directed, task.trace_id, question.id, meta)


def _input_of(task: Signal, question: Signal, answer: Signal) -> Any:
    given, said = task.payload.get("input"), answer.payload
    if question.type is SignalType.ESCALATION:
        return said.get("input", given)
    before = dict(given) if isinstance(given, dict) else {"value": given}
    extra = said.get("extra")
    if question.type is SignalType.PERMISSION:
        decision = {key: said[key] for key in ("granted", "reason", "ttl_ms") if key in said}
        return {**before, "permission": {"action": question.payload.get("action"), **decision}}
    clarification = {"question": question.payload.get("question"), "answer": said.get("answer")}
    after = {**before, **(extra if isinstance(extra, dict) else {})}
    if "clarification" in before:
        earlier = before.get("clarifications")
        known = earlier if isinstance(earlier, list) else [before["clarification"]]
        after["clarifications"] = [*known, clarification]
    return {**after, "clarification": clarification}
