"""The messages of the context items, ahead of those of the input."""

import pytest

from cosmonapse.errors import NeuronError
from cosmonapse.neurons.history import with_history


def user(text):
    return {"role": "user", "content": text}


def assistant(text):
    return {"role": "assistant", "content": text}


CHAT = [user("I am Zoe"), assistant("Hello Zoe")]


def test_without_messages_in_the_context_the_input_is_the_same_object():
    given = {"prompt": "hi"}

    assert with_history(given, []) is given
    assert with_history(given, ["a text", {"role": "user"}, 7]) is given


def test_messages_of_the_context_come_first():
    given = {"prompt": "Who am I?", "temperature": 0}

    assert with_history(given, CHAT) == {
        "temperature": 0,
        "messages": [*CHAT, user("Who am I?")],
    }


def test_system_texts_of_the_input_stay_first():
    system = {"role": "system", "content": "Be brief"}

    merged = with_history({"messages": [system, user("Who am I?")]}, CHAT)

    assert merged["messages"] == [system, *CHAT, user("Who am I?")]


def test_what_a_client_says_again_is_there_once():
    whole = {"messages": [*CHAT, user("Who am I?")]}

    assert with_history(whole, CHAT)["messages"] == whole["messages"]


def test_a_question_that_is_in_the_history_is_not_repeated_by_its_answer():
    asked = [*CHAT, user("Book a room"), assistant("Where?")]
    answer = {"prompt": "Book a room", "clarification": {"question": "Where?", "answer": "Oslo"}}

    assert with_history(answer, asked) == {"messages": [*asked, user("Oslo")]}


def test_an_input_that_is_not_understood_is_bad_input():
    with pytest.raises(NeuronError, match="BAD_INPUT"):
        with_history({"x": 1}, CHAT)
