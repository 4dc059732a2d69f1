"""Questions of a tool, and the answers in the input of a follow-up TASK."""

import pytest

from cosmonapse.mcp_tools.tool_questions import (
    Answers,
    ToolAnswer,
    ToolQuestion,
    arguments_of,
    read,
)

CITY = {"properties": {"city": {"type": "string"}}, "required": ["city"]}
NIGHTS = {"properties": {"nights": {"type": "integer"}}}
SMOKE = {"properties": {"smoke": {"type": "boolean"}}}
BOTH = {"properties": {"city": {}, "nights": {"type": "integer"}}, "required": ["city", "nights"]}
CONSENT = {"type": "object", "properties": {}}


def accept(**content):
    return ToolAnswer("accept", content)


@pytest.mark.parametrize(
    ("schema", "answer", "read_as"),
    [
        (CITY, "Oslo", accept(city="Oslo")),
        (CITY, {"city": "Oslo"}, accept(city="Oslo")),
        (CITY, {"town": "Oslo"}, None),
        (CITY, None, ToolAnswer("decline")),
        (CITY, {"action": "cancel"}, ToolAnswer("cancel")),
        (CITY, {"action": "decline"}, ToolAnswer("decline")),
        (CITY, {"action": "accept", "content": {"city": "Oslo"}}, accept(city="Oslo")),
        (CITY, {"action": "run"}, None),
        (NIGHTS, "3", accept(nights=3)),
        (NIGHTS, "three", accept(nights="three")),
        (SMOKE, "no", accept(smoke=False)),
        (SMOKE, False, accept(smoke=False)),
        (BOTH, "Oslo", None),
        (BOTH, '{"city": "Oslo", "nights": 2}', accept(city="Oslo", nights=2)),
        (CONSENT, True, accept()),
        (CONSENT, "no", ToolAnswer("decline")),
    ],
)
def test_an_answer_is_read_by_the_schema_of_its_question(schema, answer, read_as):
    assert read(answer, ToolQuestion("?", schema)) == read_as


def test_a_page_to_visit_is_accepted_or_declined():
    question = ToolQuestion("Sign in", url="https://example.com")

    assert read("done", question) == accept()
    assert read("no", question) == ToolAnswer("decline")
    assert question.clarification().payload["context"] == {"url": "https://example.com"}


def test_each_answer_is_given_once_and_the_oldest_first():
    given = [{"question": "Which?", "answer": name} for name in ("Oslo", "Rome")]
    answers = Answers({"clarification": given[1], "clarifications": given})
    question = ToolQuestion("Which?", CITY)

    taken = [answers.take(question) for _ in range(3)]

    assert taken == [accept(city="Oslo"), accept(city="Rome"), None]


def test_an_answer_that_does_not_fit_is_passed_over_so_that_the_next_one_counts():
    given = [{"question": "?", "answer": answer} for answer in ({"x": 1}, "Oslo")]

    assert Answers({"clarifications": given}).take(ToolQuestion("?", CITY)) == accept(city="Oslo")


@pytest.mark.parametrize(
    "given", [{}, {"clarification": "yes"}, {"clarifications": [7]}, {"clarification": {}}]
)
def test_an_input_without_the_answer_has_none(given):
    assert Answers(given).take(ToolQuestion("?", CITY)) is None


def test_answers_are_no_arguments_unless_the_tool_declares_one_of_that_name():
    given = {"a": 1, "clarification": {}, "clarifications": [], "permission": True}

    assert arguments_of(given, {}) == {"a": 1, "permission": True}
    declared = {"properties": {"clarification": {}}}
    assert arguments_of(given, declared) == {"a": 1, "clarification": {}, "permission": True}
