"""Questions of tools: answered out of the input of the agent, asked by it, or told to the model."""

from cosmonapse.errors import Clarification, NeedsAnswer, PermissionNeeded
from cosmonapse.neurons.tool_questions import KnownAnswers
from cosmonapse.neurons.tool_results import failure_text
from cosmonapse.signals import Signal, SignalType


def asked(kind, **payload):
    return NeedsAnswer(Signal(type=kind, payload=payload))


def test_an_earlier_answer_is_found_by_its_question():
    answers = [{"question": "a?", "answer": 1}, {"question": "b?", "answer": 2}]
    known = KnownAnswers({"clarifications": answers, "clarification": answers[1]})

    assert known.to(asked(SignalType.CLARIFICATION, question="a?")) == {"clarification": answers[0]}
    assert known.to(asked(SignalType.CLARIFICATION, question="c?")) is None
    assert known.to(asked(SignalType.PERMISSION, action="a?")) is None


def test_a_second_permission_is_no_question_of_the_agent():
    pay = asked(SignalType.PERMISSION, action="pay", scope="3 EUR")
    first = KnownAnswers({}).question_of("till", pay)

    assert isinstance(first, PermissionNeeded)
    assert first.payload["context"] == {"tool": "till", "context": None}
    assert KnownAnswers({"permission": {"action": "x"}}).question_of("till", pay) is None
    assert failure_text(pay, 1000).startswith("PERMISSION: the tool needs a permission")


def test_a_clarification_is_asked_and_an_escalation_is_a_text():
    which = asked(SignalType.CLARIFICATION, question="which?")
    up = asked(SignalType.ESCALATION, reason="too hard")

    assert isinstance(KnownAnswers(None).question_of("a", which), Clarification)
    assert KnownAnswers(None).question_of("a", up) is None
    assert failure_text(up, 1000) == "ESCALATION: the tool cannot go on: too hard"
