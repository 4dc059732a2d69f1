"""The input of a follow-up TASK: which of its keys hold answers to questions of a Neuron. Pure.

Spec: docs/spec/07-signals.md, "Questions". `clarification` is the last answer to a CLARIFICATION,
`clarifications` holds all of them from the second one on, and `permission` is a decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CLARIFICATION_KEYS = ("clarification", "clarifications")
ANSWER_KEYS = (*CLARIFICATION_KEYS, "permission")
"""The keys of an input that hold answers, beside those of the Neuron's own schema."""


def answer_keys(before: Mapping[str, Any], question: Any, answer: Any) -> dict[str, Any]:
    """Return the keys that the answer to a CLARIFICATION adds to an input.

    Args:
        before: The input of the TASK that ended in the question.
        question: The question, as the Neuron asked it.
        answer: The answer, any value of JSON.

    Returns:
        `clarification`, `{"question", "answer"}`; and `clarifications`, a list of such, the oldest
        first, if `before` holds an answer already.
    """
    clarification = {"question": question, "answer": answer}
    if "clarification" not in before:
        return {"clarification": clarification}
    earlier = before.get("clarifications")
    known = earlier if isinstance(earlier, list) else [before["clarification"]]
    return {"clarification": clarification, "clarifications": [*known, clarification]}
