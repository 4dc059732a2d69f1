"""What is said to a question, read: by a person, by a tool, and in advance."""

import json

import pytest

from cosmonapse import Directed, Signal, SignalType
from cosmonapse.cli.replies import (
    BadReply,
    StandingAnswers,
    checked,
    neuron_of,
    prompt_of,
    read_json_line,
    read_line,
    shown,
)

CLARIFICATION = Signal(type=SignalType.CLARIFICATION, payload={"question": "which?"})
PERMISSION = Signal(type=SignalType.PERMISSION, payload={"action": "delete"})
ESCALATION = Signal(type=SignalType.ESCALATION, payload={"reason": "too hard"})
HANDED = Signal(type=SignalType.ESCALATION, payload={"reason": "no", "target": "chief"})


@pytest.mark.parametrize(
    ("question", "line", "reply"),
    [
        (CLARIFICATION, " blue \n", {"answer": "blue"}),
        (CLARIFICATION, "42", {"answer": "42"}),
        (PERMISSION, "y", {"granted": True, "reason": None}),
        (PERMISSION, "YES, of course", {"granted": True, "reason": "of course"}),
        (PERMISSION, "no way", {"granted": False, "reason": "way"}),
        (ESCALATION, '{"a": 1}', {"input": {"a": 1}}),
        (ESCALATION, "do it", {"input": "do it"}),
        (ESCALATION, "go", {"input": "go"}),
        (ESCALATION, "[" * 100_000, {"input": "[" * 100_000}),
        (HANDED, "go", {}),
    ],
)
def test_a_line_that_was_typed_is_read_as_its_question_wants(question, line, reply):
    assert read_line(question, line) == reply


@pytest.mark.parametrize("question", [CLARIFICATION, PERMISSION, ESCALATION, HANDED])
@pytest.mark.parametrize("line", ["", " ", "\t\r"])
def test_an_empty_line_says_nothing(question, line):
    assert read_line(question, line) is None


@pytest.mark.parametrize("line", ["perhaps", "yesterday", "nobody", "1", "true"])
def test_consent_is_never_guessed(line):
    with pytest.raises(BadReply, match="say y or n"):
        read_line(PERMISSION, line)


@pytest.mark.parametrize("line", ["", "{", "[]", "1", '{"answer": 1}', '{"id": 1}', "[" * 100_000])
def test_a_line_of_a_tool_that_names_no_question_is_refused(line):
    with pytest.raises(BadReply):
        read_json_line(line)


def test_a_line_of_a_tool_names_its_question_and_what_is_said():
    line = json.dumps({"id": "evt_1", "answer": [1]})

    assert read_json_line(line) == ("evt_1", {"answer": [1]})


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        (CLARIFICATION, {}),
        (CLARIFICATION, {"granted": True}),
        (CLARIFICATION, {"answer": 1, "reason": "no"}),
        (PERMISSION, {"reason": "no"}),
        (PERMISSION, {"granted": 1}),
        (PERMISSION, {"granted": None}),
        (ESCALATION, {"answer": 1}),
    ],
)
def test_a_reply_with_the_wrong_keys_is_refused(question, reply):
    with pytest.raises(BadReply, match=r"needs|accepts|must be"):
        checked(question, reply)


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        (CLARIFICATION, {"answer": None, "extra": {"a": 1}}),
        (PERMISSION, {"granted": False, "reason": "no", "ttl_ms": 5}),
        (ESCALATION, {"input": 1, "neuron": "other"}),
        (HANDED, {}),
    ],
)
def test_a_reply_with_the_right_keys_passes(question, reply):
    assert checked(question, reply) == reply


def test_what_is_said_in_advance_holds_for_its_type_only():
    granting, arbiter = StandingAnswers(granted=False), StandingAnswers(answer="", input=(None,))

    assert granting
    assert arbiter
    assert not StandingAnswers()
    assert granting.reply_to(PERMISSION) == {"granted": False}
    assert granting.reply_to(CLARIFICATION) is None
    assert arbiter.reply_to(CLARIFICATION) == {"answer": ""}
    assert arbiter.reply_to(ESCALATION) == {"input": None}
    assert arbiter.reply_to(PERMISSION) is None


def test_a_question_is_shown_with_who_asks_its_trace_and_what_it_says():
    question = Signal(
        type=SignalType.PERMISSION,
        payload={"action": "rm\n\x1b[2J", "context": {"a": 1}},
        directed=Directed("cleaner", "neuron"),
    )

    title, action, context = shown(question).split("\n")

    assert title == f"PERMISSION from cleaner, trace {question.trace_id[:8]}"
    assert action == r"  action: rm\n\x1b[2J"
    assert context == "  context: {'a': 1}"


def test_a_long_question_is_cut_and_says_so():
    question = Signal(type=SignalType.CLARIFICATION, payload={"question": "x" * 10_000})

    assert shown(question).endswith("x... (10,000 characters)")


def test_a_question_without_a_producer_is_nobodys():
    assert neuron_of(CLARIFICATION) == "?"


def test_who_may_hand_on_is_told_how():
    assert "'go'" in prompt_of(HANDED)
    assert "'go'" not in prompt_of(ESCALATION)
