"""What the next TASK of a call holds after the answers of its client."""

import pytest

from cosmonapse.serve.mcp_call import ClientCall
from cosmonapse.serve.mcp_questions import asked_by
from cosmonapse.signals import Directed, SignalType, made


def asked(type, **payload):
    return asked_by(made(type, payload, Directed("me", "peer"), None, None, {}), "book")


def test_a_call_begins_with_its_arguments_and_a_workflow_of_its_own():
    call = ClientCall("book", {"city": "Oslo"})

    assert (call.neuron, call.input) == ("book", {"city": "Oslo"})
    assert (call.trace_id, call.parent_id) == (None, None)


def test_an_answer_goes_on_in_the_workflow_of_its_question():
    call = ClientCall("book", {"city": "Oslo"})
    question = asked(SignalType.CLARIFICATION, question="when?")

    ended = call.take(question.as_dict(), "accept", {"answer": "May"})

    assert ended is None
    assert call.input == {
        "city": "Oslo",
        "clarification": {"question": "when?", "answer": "May"},
    }
    assert (call.trace_id, call.parent_id) == (question.trace_id, question.event_id)


def test_a_task_that_is_passed_on_goes_to_the_neuron_that_the_escalation_names():
    call = ClientCall("book", {})

    call.take(asked(SignalType.ESCALATION, reason="odd", target="desk").as_dict(), "accept", None)

    assert (call.tool, call.neuron) == ("book", "desk")


@pytest.mark.parametrize("action", ["decline", "cancel"])
def test_a_call_whose_question_is_not_answered_ends_with_that_question(action):
    call = ClientCall("book", {"city": "Oslo"})

    ended = call.take(asked(SignalType.CLARIFICATION, question="when?").as_dict(), action, None)

    assert ended.content is None
    assert ended.text.endswith("when?")
    assert (call.input, call.parent_id) == ({"city": "Oslo"}, None)


def test_a_call_that_ended_with_a_question_is_resumed_with_all_earlier_answers():
    first = asked(SignalType.CLARIFICATION, question="when?")
    second = asked(SignalType.PERMISSION, action="pay")
    call = ClientCall("book", {"city": "Oslo"})
    call.take(first.as_dict(), "accept", {"answer": "May"})
    state = call.state_with(second)

    again = ClientCall("book", {"city": "Oslo"})
    again.take(again.resume(state), "accept", None)

    assert again.input == call.input | {"permission": {"action": "pay", "granted": True}}
    assert again.parent_id == second.event_id


def test_the_state_does_not_repeat_the_arguments():
    call = ClientCall("book", {"city": "Oslo"})
    call.take(asked(SignalType.CLARIFICATION, question="when?").as_dict(), "accept", {"answer": 1})

    assert "Oslo" not in call.state_with(asked(SignalType.PERMISSION, action="pay"))
