"""The chat-completions dialect: conversations, bodies, answers and streamed answers."""

import json

import pytest

from cosmonapse.errors import NeuronError
from cosmonapse.neurons.chat import ChatDialect, Sampling, api_url, messages_from
from cosmonapse.neurons.faults import Faults
from cosmonapse.neurons.settings import ApiKey

USER = {"role": "user", "content": "Why?"}
USAGE = {"total_tokens": 7}


def dialect(**changes):
    settings = {
        "faults": Faults("vendor", ApiKey("sesame")),
        "url": "http://host/v1/chat/completions",
        "model": "m",
        "sampling": Sampling(max_new_tokens=5),
        "stream": True,
    }
    return ChatDialect(**{**settings, **changes})


def chunk(content=None, finish_reason=None, **more):
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish_reason}
    return json.dumps({"choices": [choice], **more})


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://host",
        "http://host/",
        "http://host/v1",
        "http://host/v1/",
        "http://host/v1/chat/completions",
    ],
)
def test_the_url_is_the_same_however_much_of_it_is_given(endpoint):
    assert api_url(endpoint, "/chat/completions") == "http://host/v1/chat/completions"


@pytest.mark.parametrize("key", ["prompt", "text", "query", "content"])
def test_a_text_under_any_known_key_is_what_the_user_says(key):
    assert messages_from({key: "Why?"}) == [USER]


def test_messages_pass_as_they_are():
    messages = [{"role": "system", "content": "Be brief."}, {**USER, "name": "ann"}]

    assert messages_from({"messages": messages, "prompt": "ignored"}) == messages


def test_an_answered_clarification_continues_the_conversation():
    input = {"prompt": "Why?", "clarification": {"question": "Why what?", "answer": "All."}}

    assert messages_from(input) == [
        USER,
        {"role": "assistant", "content": "Why what?"},
        {"role": "user", "content": "All."},
    ]


def test_an_answer_that_is_no_text_is_told_as_json():
    input = {"prompt": "Why?", "clarification": {"answer": {"depth": 3}}}

    assert messages_from(input) == [USER, {"role": "user", "content": '{"depth": 3}'}]


@pytest.mark.parametrize(
    ("permission", "decision"),
    [
        ({"action": "pay", "granted": True}, "Permission granted."),
        ({"action": "pay", "granted": True, "reason": "go"}, "Permission granted: go"),
        ({"action": "pay", "granted": False, "reason": None}, "Permission denied."),
    ],
)
def test_a_decided_permission_continues_the_conversation(permission, decision):
    assert messages_from({"prompt": "Why?", "permission": permission}) == [
        USER,
        {"role": "assistant", "content": "I ask for permission: pay"},
        {"role": "user", "content": decision},
    ]


@pytest.mark.parametrize(
    ("input", "what"),
    [
        (None, "the input is a NoneType"),
        ("Why?", "the input is a str"),
        ({}, r"only the keys \[\]"),
        ({"override": "x"}, r"only the keys \['override'\]"),
        ({"prompt": 7}, "prompt is a int"),
        ({"messages": []}, "messages is not a list"),
        ({"messages": "Why?"}, "messages is not a list"),
        ({"messages": ["Why?"]}, r"messages\[0\] is not a dict with a role"),
        ({"messages": [USER, {"content": "x"}]}, r"messages\[1\] is not a dict with a role"),
        ({"messages": [{"role": "user", "content": 7}]}, r"messages\[0\]\.content"),
        ({"prompt": "x", "clarification": "yes"}, "clarification is not"),
        ({"prompt": "x", "clarification": {"question": "?"}}, "clarification is not"),
        ({"prompt": "x", "permission": {"granted": "no"}}, "permission is not"),
    ],
)
def test_bad_input_is_refused_with_the_keys_that_are_understood(input, what):
    with pytest.raises(NeuronError, match=what) as caught:
        messages_from(input)

    assert (caught.value.code, caught.value.recoverable) == ("BAD_INPUT", False)
    assert "prompt or text or query or content" in caught.value.message
    assert "messages" in caught.value.message


def test_the_body_holds_only_what_is_set():
    assert dialect(stream=False, model=None).body({"prompt": "Why?"}) == {
        "messages": [USER],
        "max_tokens": 5,
        "stream": False,
    }


def test_the_body_of_a_streamed_answer_asks_for_the_usage_too():
    sampling = Sampling(max_new_tokens=5, temperature=0.0, stop=("END",))

    assert dialect(sampling=sampling).body({"prompt": "Why?"}) == {
        "model": "m",
        "messages": [USER],
        "max_tokens": 5,
        "temperature": 0.0,
        "stop": ["END"],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_a_provider_with_names_and_ways_of_its_own_is_asked_in_them():
    body = dialect(max_tokens_name="most", asks_for_usage=False).body({"prompt": "Why?"})

    assert body == {"model": "m", "messages": [USER], "most": 5, "stream": True}


def test_a_plain_answer_is_read():
    answer = {"choices": [{"message": {"content": "So."}}], "model": "m-7", "usage": USAGE}

    assert dialect().answer(answer) == {"response": "So.", "model": "m-7", "usage": USAGE}


def test_an_answer_without_model_and_usage_names_the_model_asked_for():
    answer = {"choices": [{"message": {"content": None}}]}

    assert dialect().answer(answer) == {"response": "", "model": "m"}


def test_of_an_answer_in_parts_only_the_text_is_read():
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "So."}]
    reader = dialect().reader()

    token = reader.feed(chunk(parts))

    assert dialect().answer({"choices": [{"message": {"content": parts}}]})["response"] == "So."
    assert token == "So."


@pytest.mark.parametrize(
    "answer",
    [
        "text",
        7,
        [],
        {},
        {"choices": []},
        {"choices": "abc"},
        {"choices": [{"message": None}]},
        {"choices": [{"message": {"content": 7}}]},
        {"choices": [{"message": {"content": ["x"]}}]},
        {"choices": [{"message": {"content": [{"type": "text", "text": None}]}}]},
    ],
)
def test_an_answer_of_another_form_is_an_error(answer):
    with pytest.raises(NeuronError, match="vendor answered 200 without choices") as caught:
        dialect().answer(answer)

    assert (caught.value.code, caught.value.recoverable) == ("PROVIDER_ERROR", False)


def test_a_streamed_answer_is_read_event_by_event():
    reader = dialect().reader()
    events = [
        chunk("", model="m-7"),
        "",
        chunk("So"),
        chunk("."),
        chunk(finish_reason="stop"),
        json.dumps({"choices": [], "usage": USAGE}),
    ]

    tokens = [reader.feed(event) for event in events]

    assert tokens == ["", "", "So", ".", "", ""]
    assert (reader.complete, reader.ended, reader.token_count) == (True, False, 2)
    assert reader.output() == {"response": "So.", "model": "m-7", "usage": USAGE}


def test_nothing_counts_after_the_last_event():
    reader = dialect().reader()

    assert [reader.feed(event) for event in [chunk("So."), "[DONE]", chunk("More")]] == [
        "So.",
        "",
        "",
    ]
    assert (reader.complete, reader.ended) == (True, True)
    assert reader.output() == {"response": "So.", "model": "m"}


@pytest.mark.parametrize(
    "event",
    [
        "nonsense",
        "null",
        '"text"',
        "[]",
        '{"choices": 7}',
        '{"choices": [7]}',
        '{"choices": [{"delta": "x"}]}',
        '{"choices": [{"delta": {"content": 7}}]}',
        '{"choices": [{"delta": {"content": [{"text": "x"}]}}]}',
        "[" * 100_000,
    ],
)
def test_an_event_of_another_form_is_an_error(event):
    with pytest.raises(NeuronError, match="PROVIDER_ERROR: vendor answered 200 without choices"):
        dialect().reader().feed(event)


def test_an_error_among_the_events_is_raised_without_the_key():
    event = json.dumps({"error": {"message": "busy, sesame", "code": 503}, "choices": []})

    with pytest.raises(NeuronError, match=r"error 503: busy, \*\*\*$") as caught:
        dialect().reader().feed(event)

    assert caught.value.recoverable


def test_an_error_in_a_choice_is_raised():
    error = {"code": 502, "message": "gone"}
    choice = {"error": error, "message": {"content": ""}, "finish_reason": "error"}

    with pytest.raises(NeuronError, match="error 502: gone") as caught:
        dialect().answer({"choices": [choice]})
    with pytest.raises(NeuronError, match="error 502: gone"):
        dialect().reader().feed(json.dumps({"choices": [choice]}))

    assert caught.value.recoverable


def test_without_streaming_there_is_no_reader():
    assert dialect(stream=False).reader() is None


def test_the_key_is_in_the_headers_and_nowhere_else():
    assert dialect().headers() == {"authorization": "Bearer sesame"}
    assert "sesame" not in repr(dialect())
