"""The turns of a chat."""

import pytest

from cosmonapse import SignalType
from cosmonapse.memory import turns
from cosmonapse.memory.turns import SessionRef, cut, said_in, session_ref, size_of, turn_of
from cosmonapse.tasks import task_for


def user(text):
    return {"role": "user", "content": text}


def assistant(text):
    return {"role": "assistant", "content": text}


def said(input):
    return said_in(task_for("chat", None, input))


def answer(kind, **payload):
    task = task_for("chat", None, {})
    return turns.answer_in(task.reply(kind, payload=payload))["content"]


def test_a_reference_names_a_session_and_perhaps_a_number():
    assert session_ref({"session": "s1", "last": 3}) == SessionRef("s1", 3)
    assert session_ref({"session": "s1"}) == SessionRef("s1", 20)
    assert session_ref("Zoë & co") == SessionRef("Zoë & co", 20)


@pytest.mark.parametrize(
    "reference",
    [
        {},
        7,
        "",
        {"session": 7},
        {"session": "x" * 257},
        {"session": "\ud800"},
        {"session": "s", "last": 0},
        {"session": "s", "last": True},
        {"session": "s", "last": 1001},
    ],
)
def test_another_reference_is_refused(reference):
    with pytest.raises(ValueError, match=r"session|last"):
        session_ref(reference)


def test_what_a_task_says_is_its_prompt_its_messages_or_its_json():
    assert said({"prompt": "hi"}) == [user("hi")]
    assert said({"x": 1}) == [user('{"x": 1}')]
    assert said("hi") == [user("hi")]
    system, tool = {"role": "system", "content": "s"}, {"role": "tool", "content": "t"}
    assert said({"messages": [system, user("hi"), tool]}) == [user("hi")]


def test_the_answer_is_the_text_of_the_output_or_the_question():
    assert answer(SignalType.AGENT_OUTPUT, output={"response": "hello", "usage": {}}) == "hello"
    assert answer(SignalType.AGENT_OUTPUT, output={"x": 1}) == '{"x": 1}'
    assert answer(SignalType.AGENT_OUTPUT, output={"value": 3}) == "3"
    assert answer(SignalType.CLARIFICATION, question="Where?") == "Where?"
    assert answer(SignalType.PERMISSION, action="pay") == "I ask for permission: pay"
    assert answer(SignalType.ESCALATION, reason="too hard") == "too hard"


def test_what_the_history_has_is_not_said_again():
    asked = [user("Book"), assistant("Where?")]
    follow_up = {"prompt": "Book", "clarification": {"question": "Where?", "answer": "Oslo"}}

    turn = turn_of(said(follow_up), assistant("Done"), asked)

    assert turn == [user("Oslo"), assistant("Done")]


def test_a_turn_that_is_too_long_is_cut_and_says_so():
    long = [user("é" * 5000), assistant("short")]

    kept = cut(long, 1024)

    assert size_of(kept) <= 1024
    assert kept[0]["content"].endswith("é…")
    assert kept[1] == long[1]
    assert cut(long, 100_000) == long
    assert cut([{"role": "user", "content": [{"image": "x" * 5000}]}], 1024)[0]["content"] == "…"


def test_of_a_message_with_an_image_that_is_too_long_the_text_is_kept():
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image", "data": "x" * 5000}]

    assert cut([user(parts)], 1024) == [user("What is it?…")]
