"""What a Neuron raises to ask instead of answering, and what its caller gets. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .error_roots import RemoteError


class Question(RemoteError):
    """The base of the exceptions that a Neuron raises to ask; its TASK ends with that Signal.

    Attributes:
        payload: The payload of the Signal.
    """

    def __init__(self, text: str, **payload: Any) -> None:
        super().__init__(text)
        self.payload = {key: value for key, value in payload.items() if value is not None}


class Clarification(Question):
    """Ask the caller a question; the Neuron gets its input again, with `clarification` in it.

    Args:
        question: The question.
        context: Information that helps to answer it.
    """

    def __init__(self, question: str, context: Any = None) -> None:
        super().__init__(question, question=question, context=context)


class PermissionNeeded(Question):
    """Ask for consent; the Neuron gets its input again, with `permission` in it.

    Args:
        action: The action that the Neuron wants to take.
        scope: The limits of the action.
        reason: The reason for the action.
        context: Information that helps to decide.
    """

    def __init__(
        self, action: str, scope: Any = None, reason: str | None = None, context: Any = None
    ) -> None:
        super().__init__(action, action=action, scope=scope, reason=reason, context=context)


class Escalation(Question):
    """Pass the task to another neuron or to a person.

    Args:
        reason: The reason why the Neuron cannot continue.
        target: The id of the neuron that should continue.
        context: Information that helps it.
    """

    def __init__(self, reason: str, target: str | None = None, context: Any = None) -> None:
        super().__init__(reason, reason=reason, target=target, context=context)


def question_text(payload: Mapping[str, Any]) -> str:
    """Return what a question asks: its question, its action or its reason; empty for none.

    Args:
        payload: That of a CLARIFICATION, a PERMISSION or an ESCALATION.
    """
    return str(payload.get("question") or payload.get("action") or payload.get("reason") or "")


class NeedsAnswer(RemoteError):
    """A Neuron asked a question instead of answering.

    Attributes:
        signal: The CLARIFICATION, PERMISSION or ESCALATION.
    """

    def __init__(self, signal: Any) -> None:
        asked = question_text(signal.payload) or None
        super().__init__(
            f"the Neuron sent {signal.type.value} instead of an output: {asked}; answer it by a "
            "handler, or by `cosmo answer` while the call waits: answer_elsewhere=True in code, "
            "--answer-elsewhere for a command"
        )
        self.signal = signal
