"""Questions that a Neuron sends instead of an output, and the TASK that an answer leads to. Pure.

Spec: docs/spec/07-signals.md, "Questions". A question settles its TASK. Its answer leads to
a new TASK on the same trace, with the question as its parent: the original input and the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ...codec import shown
from ...errors import DendriteProtocolError
from ...follow_up_input import answer_keys
from ...names import checked_name
from ...signals import Directed, Signal, SignalType, made

ANSWER_OF: Mapping[SignalType, SignalType] = MappingProxyType(
    {
        SignalType.CLARIFICATION: SignalType.CLARIFICATION_ANSWER,
        SignalType.PERMISSION: SignalType.PERMISSION_DECISION,
        SignalType.ESCALATION: SignalType.CLARIFICATION_ANSWER,
    }
)
"""An ESCALATION has no answer type of its own: its answer carries `input` and `neuron`."""
ANSWERS = frozenset(ANSWER_OF.values())


def check_question(question: Signal, type_: SignalType) -> None:
    """Check that a Signal is a question of a type.

    Raises:
        DendriteProtocolError: It is another Signal.
    """
    if question.type is not type_:
        raise DendriteProtocolError(
            f"expected a {type_.value} to answer, got a {question.type.value}"
        )


def clarification_answer(question: Signal, answer: Any, extra: Mapping[str, Any] | None) -> Signal:
    """Return the CLARIFICATION_ANSWER to a CLARIFICATION.

    Raises:
        DendriteProtocolError: `question` is of another type.
    """
    check_question(question, SignalType.CLARIFICATION)
    payload = {"answer": answer}
    if extra:
        payload["extra"] = dict(extra)
    return question.reply(SignalType.CLARIFICATION_ANSWER, payload=payload)


def permission_decision(
    question: Signal, granted: bool, reason: str | None, ttl_ms: int | None
) -> Signal:
    """Return the PERMISSION_DECISION to a PERMISSION.

    Raises:
        DendriteProtocolError: `question` is of another type.
        TypeError: `granted` is not a bool.
    """
    check_question(question, SignalType.PERMISSION)
    if not isinstance(granted, bool):
        raise TypeError(f"granted must be True or False, not {granted!r:.100}")
    payload: dict[str, Any] = {"granted": granted}
    if reason is not None:
        payload["reason"] = reason
    if ttl_ms is not None:
        payload["ttl_ms"] = ttl_ms
    return question.reply(SignalType.PERMISSION_DECISION, payload=payload)


def escalation_answer(question: Signal, input: Any, neuron: str | None) -> Signal:
    """Return the answer to an ESCALATION: the neuron that continues, and its input.

    Raises:
        DendriteProtocolError: `question` is of another type; or there is neither an input nor
            another neuron.
        InvalidName: `neuron`, or the target in the question, is an invalid name.
    """
    check_question(question, SignalType.ESCALATION)
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
    """Return the TASK that continues with an answer.

    Its destination is the neuron that asked, or the one that the answer names.

    Args:
        task: The TASK that ended in the question.
        question: The question.
        answer: A Signal of one of `ANSWERS`.

    Raises:
        DendriteProtocolError: The answer does not fit the type of the question, or its `granted` is
            neither true nor false.
        InvalidName: It names a neuron by an invalid name.
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
    added = answer_keys(before, question.payload.get("question"), said.get("answer"))
    return {**before, **(extra if isinstance(extra, dict) else {}), **added}
