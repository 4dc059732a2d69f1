"""The content of spans, where it is asked for."""

import json

import pytest

from cosmonapse.telemetry.content import MAX_CONTENT_CHARACTERS, as_text, is_asked_for, message
from cosmonapse.telemetry.content import messages as messages_of


@pytest.mark.parametrize(
    ("value", "is_asked"),
    [
        (None, False),
        ("", False),
        ("false", False),
        ("NO_CONTENT", False),
        ("event_only", False),
        ("true", True),
        (" SPAN_ONLY ", True),
        ("span_and_event", True),
    ],
)
def test_only_some_values_of_the_variable_ask_for_content_in_spans(value, is_asked):
    assert is_asked_for(value) is is_asked


def test_the_messages_of_a_chat_keep_their_roles():
    given = {"messages": [{"role": "system", "content": "be brief"}, "no message"]}

    assert json.loads(messages_of(given)) == [
        {"role": "system", "parts": [{"type": "text", "content": "be brief"}]}
    ]


def test_any_other_input_is_one_message_of_the_user():
    (told,) = json.loads(messages_of({"prompt": "héllo"}))

    assert told["role"] == "user"
    assert json.loads(told["parts"][0]["content"]) == {"prompt": "héllo"}


def test_an_output_says_why_it_ended():
    (told,) = json.loads(message("assistant", "yes", "stop"))

    assert told["finish_reason"] == "stop"
    assert told["parts"] == [{"type": "text", "content": "yes"}]


@pytest.mark.parametrize("value", ["x" * 100_000, {"x": ["y" * 100_000]}])
def test_a_long_content_is_cut(value):
    assert len(as_text(value)) == MAX_CONTENT_CHARACTERS


@pytest.mark.parametrize(
    "texts",
    [
        ["\x00" * 20_000],
        ["\\" * 20_000],
        ["x" * 9_000, "y" * 9_000],
        ["brief", "\n" * 50_000, "z" * 50_000],
        ["x"] * 5_000,
    ],
    ids=["control", "backslashes", "two", "three", "many"],
)
def test_messages_that_are_too_long_together_share_the_room_and_stay_json(texts):
    given = {"messages": [{"role": "user", "content": text} for text in texts]}

    told = messages_of(given)

    assert MAX_CONTENT_CHARACTERS - 100 < len(told) <= MAX_CONTENT_CHARACTERS
    found = [each["parts"][0]["content"] for each in json.loads(told)]
    assert found
    assert all(text.startswith(part) for part, text in zip(found, texts, strict=False))
    assert len(message("user", texts[-1])) <= MAX_CONTENT_CHARACTERS


@pytest.mark.parametrize("value", [b"bytes", {"x": {1, 2}}, float("nan"), None, "\ud800"])
def test_whatever_a_signal_or_a_neuron_has_becomes_a_text(value):
    assert as_text(value).encode()
    assert json.loads(message("user", value))
