"""Questions of Neurons as forms, and what a person filled in as the input of the next TASK."""

import json

import pytest

from cosmonapse.serve.mcp_questions import after_form, asked_by, asks_in_text
from cosmonapse.signals import Directed, SignalType, made


def question(type, **payload):
    return asked_by(made(type, payload, Directed("me", "peer"), None, None, {}), "book")


def test_a_permission_names_action_scope_and_reason():
    asked = question(SignalType.PERMISSION, action="pay", scope={"eur": 5}, reason="room")

    assert asked.message == 'Allow pay on {"eur": 5}? (room)'


@pytest.mark.parametrize(
    ("action", "decision"), [("accept", True), ("decline", False), ("cancel", None)]
)
def test_accept_grants_decline_refuses_and_cancel_decides_nothing(action, decision):
    asked = question(SignalType.PERMISSION, action="pay").as_dict()
    after = after_form(asked, {"a": 1}, action, None)

    expected = {"a": 1, "permission": {"action": "pay", "granted": decision}}
    assert after == (None if decision is None else expected)


@pytest.mark.parametrize(
    ("context", "is_own"),
    [
        (None, False),
        ({"schema": {"properties": {}}}, False),
        ({"schema": {"properties": {"a": {"type": "object"}}}}, False),
        ({"schema": {"properties": {"a": {"type": "string"}}}}, True),
    ],
)
def test_a_flat_form_of_the_neuron_is_shown_and_its_answer_is_all_of_it(context, is_own):
    asked = question(SignalType.CLARIFICATION, question="what?", context=context)
    after = after_form(asked.as_dict(), {}, "accept", {"a": "x", "answer": "y"})

    assert asked.has_own_form is is_own
    assert after["clarification"]["answer"] == ({"a": "x", "answer": "y"} if is_own else "y")


def test_a_task_that_is_passed_on_goes_to_its_target_with_the_same_input():
    asked = question(SignalType.ESCALATION, reason="too hard", target="expert")

    assert asked.neuron == "expert"
    assert after_form(asked.as_dict(), {"a": 1}, "accept", {}) == {"a": 1}
    assert question(SignalType.ESCALATION, reason="too hard").neuron == ""


def test_the_text_for_a_client_without_forms_holds_the_arguments_that_answer():
    asked = question(SignalType.CLARIFICATION, question="where?")
    text = asks_in_text(asked, "book", {"city": "Oslo"})

    given = json.loads(text[text.index("{") :])
    assert given == {"clarification": {"question": "where?", "answer": "<the answer>"}}
    assert "call book again" in text


def test_the_text_for_a_permission_gives_no_way_to_grant_it():
    text = asks_in_text(question(SignalType.PERMISSION, action="pay"), "book", {})

    assert "the arguments of a call cannot grant it" in text
    assert "{" not in text
