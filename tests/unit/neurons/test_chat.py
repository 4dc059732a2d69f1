"""The chat-completions dialect: conversations, bodies, answers and streamed answers."""

import json

import pytest

from cosmonapse.errors import NeuronError
from cosmonapse.neurons.chat import ChatDialect, Sampling, api_url, messages_from
from cosmonapse.neurons.faults import Faults
from cosmonapse.neurons.settings import ApiKey
from cosmonapse.neurons.sse import ServerEvent

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


def fed(reader, *events):
    """Return the texts that each event adds."""
    return [[piece.text for piece in reader.feed(ServerEvent(event))] for event in events]


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
    choice = {"message": {"content": "So."}, "finish_reason": "length"}
    answer = {"choices": [choice], "model": "m-7", "usage": USAGE}

    assert dialect().answer(answer) == {
        "response": "So.",
        "model": "m-7",
        "finish_reason": "length",
        "usage": USAGE,
    }


def test_an_answer_without_model_and_usage_names_the_model_asked_for():
    answer = {"choices": [{"message": {"content": None}}]}

    assert dialect().answer(answer) == {"response": "", "model": "m", "finish_reason": None}


def test_of_an_answer_in_parts_the_text_is_the_response_and_the_thinking_is_reasoning():
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    parts = [thinking, {"type": "text", "text": "So."}]

    output = dialect().answer({"choices": [{"message": {"content": parts}}]})
    pieces = dialect().reader().feed(ServerEvent(chunk(parts)))

    assert (output["response"], output["reasoning"]) == ("So.", "hm")
    assert [(piece.text, piece.is_reasoning) for piece in pieces] == [("hm", True), ("So.", False)]


@pytest.mark.parametrize(
    "delta",
    [
        {"reasoning": "hm"},
        {"reasoning_content": "hm"},
        {"reasoning": "hm", "reasoning_content": "hm", "content": None},
        {"reasoning": None, "reasoning_content": "hm", "content": ""},
        {"reasoning": {"effort": 1}, "reasoning_content": "hm"},
    ],
)
def test_reasoning_under_either_name_is_no_part_of_the_response(delta):
    reader = dialect().reader()

    pieces = reader.feed(ServerEvent(json.dumps({"choices": [{"delta": delta}]})))
    fed(reader, chunk("So.", "stop"))

    assert [(piece.text, piece.is_reasoning) for piece in pieces] == [("hm", True)]
    assert reader.output()["response"] == "So."


def test_a_refusal_in_words_is_an_error_with_them_whatever_the_reason():
    reader = dialect().reader()
    for words in ("Not ", "that."):
        fed(reader, json.dumps({"choices": [{"delta": {"content": None, "refusal": words}}]}))
    fed(reader, chunk(finish_reason="stop"))
    parts = [{"type": "refusal", "refusal": "Not that."}]

    with pytest.raises(NeuronError, match=r"vendor refused .*: Not that\."):
        reader.output()
    with pytest.raises(NeuronError, match=r"vendor refused .*: Not that\."):
        dialect().answer({"choices": [{"message": {"content": parts}}]})


@pytest.mark.parametrize(
    "message",
    [
        {"tool_calls": [{"function": {"name": "pay"}}, {"function": {"arguments": "{}"}}, 7]},
        {"function_call": {"name": "pay"}, "content": " "},
    ],
)
@pytest.mark.parametrize("reason", ["tool_calls", "stop", None])
def test_nothing_but_tool_calls_is_an_error(message, reason):
    choice = {"message": message, "finish_reason": reason}

    with pytest.raises(NeuronError, match=r"nothing but tool calls \(pay\)"):
        dialect().answer({"choices": [choice]})


def test_a_reason_of_tool_calls_without_a_text_is_an_error_and_with_one_it_is_not():
    bare, told = chunk(finish_reason="tool_calls"), chunk("So.", "tool_calls")
    first, second = dialect().reader(), dialect().reader()
    fed(first, bare)
    fed(second, told)

    with pytest.raises(NeuronError, match="nothing but tool calls,"):
        first.output()
    assert second.output()["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("reason", [None, "", " ", 7, False])
def test_without_a_reason_a_stream_is_not_complete_not_even_with_its_last_event(reason):
    reader = dialect().reader()

    fed(reader, chunk("So.", reason), "[DONE]")

    assert (reader.ended, reader.complete) == (True, False)


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

    tokens = fed(reader, *events)

    assert tokens == [[], [], ["So"], ["."], [], []]
    assert (reader.complete, reader.ended, reader.piece_count) == (True, False, 2)
    assert reader.output() == {
        "response": "So.",
        "model": "m-7",
        "finish_reason": "stop",
        "usage": USAGE,
    }


def test_nothing_counts_after_the_last_event():
    reader = dialect().reader()

    tokens = fed(reader, chunk("So.", "stop"), "[DONE]", chunk("More"))

    assert tokens == [["So."], [], []]
    assert (reader.complete, reader.ended) == (True, True)
    assert reader.output()["response"] == "So."


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"choices": None},
        {"choices": []},
        {"choices": [None]},
        {"choices": [{}]},
        {"choices": [{"delta": None}]},
        {"choices": [{"delta": {"content": None}}]},
        {"usage": USAGE},
        {"choices": None, "usage": USAGE},
    ],
)
def test_an_event_may_hold_nothing_or_nothing_but_the_usage(event):
    reader = dialect().reader()

    tokens = fed(reader, chunk("So."), json.dumps(event), chunk(finish_reason="stop"))

    assert tokens == [["So."], [], []]
    assert reader.output().get("usage") == event.get("usage")


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
        dialect().reader().feed(ServerEvent(event))


def test_an_error_among_the_events_is_raised_without_the_key():
    event = json.dumps({"error": {"message": "busy, sesame", "code": 503}, "choices": []})

    with pytest.raises(NeuronError, match=r"error 503: busy, \*\*\*$") as caught:
        dialect().reader().feed(ServerEvent(event))

    assert caught.value.recoverable


def test_an_error_in_a_choice_is_raised():
    error = {"code": 502, "message": "gone"}
    choice = {"error": error, "message": {"content": ""}, "finish_reason": "error"}

    with pytest.raises(NeuronError, match="error 502: gone") as caught:
        dialect().answer({"choices": [choice]})
    with pytest.raises(NeuronError, match="error 502: gone"):
        fed(dialect().reader(), json.dumps({"choices": [choice]}))

    assert caught.value.recoverable


def test_the_key_is_in_the_headers_and_nowhere_else():
    assert dialect().headers() == {"authorization": "Bearer sesame"}
    assert "sesame" not in repr(dialect())
