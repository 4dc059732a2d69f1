import pytest

from cosmonapse.serve.openai.completions import (
    completion,
    said_in_output,
    tool_calls_of,
    usage_of,
)

CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}


@pytest.mark.parametrize("key", ["response", "text", "content", "answer", "value"])
def test_the_text_of_an_output_is_under_one_of_its_usual_names(key):
    assert said_in_output({"other": 1, key: "hi"}).text == "hi"


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ({}, "{}"),
        ({"response": 3}, '{"response": 3}'),
        ({"count": 1, "data": b"\xff"}, '{"count": 1, "data": "/w=="}'),
        ({"text": "b", "response": "a"}, "a"),
        ({"response": ""}, ""),
    ],
)
def test_an_output_without_a_text_is_told_as_json(output, text):
    assert said_in_output(output).text == text


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({}, "stop"),
        ({"finish_reason": "length"}, "length"),
        ({"stop_reason": "max_tokens"}, "length"),
        ({"stop_reason": "end_turn"}, "stop"),
        ({"finish_reason": "content_filter"}, "content_filter"),
        ({"finish_reason": "refusal"}, "content_filter"),
        ({"finish_reason": "tool_calls"}, "stop"),
        ({"finish_reason": "because"}, "stop"),
        ({"finish_reason": 3}, "stop"),
        ({"tool_calls": [CALL]}, "tool_calls"),
        ({"tool_calls": [CALL], "finish_reason": "stop"}, "tool_calls"),
        ({"tool_calls": [CALL], "finish_reason": "length"}, "length"),
    ],
)
def test_an_end_is_one_of_those_that_clients_know(told, reason):
    assert said_in_output({"response": "", **told}).reason == reason


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        (None, (0, 0, 0)),
        ("much", (0, 0, 0)),
        ({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 9}, (3, 2, 5)),
        ({"input_tokens": 3, "output_tokens": 2}, (3, 2, 5)),
        ({"input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 2}, (7, 2, 9)),
        ({"prompt_tokens": 3.5, "completion_tokens": True}, (0, 0, 0)),
        ({"prompt_tokens": -1, "completion_tokens": 2}, (0, 2, 2)),
    ],
)
def test_usage_is_whole_numbers(usage, counts):
    assert tuple(usage_of(usage).values()) == counts


def test_details_of_a_usage_pass_through_as_far_as_they_are_counts():
    details = {"cached_tokens": 2, "audio_tokens": None, "share": 0.5}
    usage = {"prompt_tokens": 3, "prompt_tokens_details": details}

    assert usage_of(usage)["prompt_tokens_details"] == {"cached_tokens": 2}


def test_tool_calls_get_the_form_that_clients_read():
    loose = {"function": {"name": "add", "arguments": {"a": 1}}}
    bare = {"id": "", "function": {"name": "now"}}

    assert tool_calls_of([CALL, loose, bare]) == (
        CALL,
        {**CALL, "id": "call_1"},
        {"id": "call_2", "type": "function", "function": {"name": "now", "arguments": "{}"}},
    )


@pytest.mark.parametrize("value", [None, {}, "add", [3], [{}], [{"function": {"name": 3}}]])
def test_what_is_no_tool_call_is_left_out(value):
    assert tool_calls_of(value) == ()


def test_an_answer_of_tool_calls_alone_has_no_content():
    said = said_in_output({"tool_calls": [CALL], "reasoning": "it adds up"})
    message = completion(said, "id", 1, "chat")["choices"][0]["message"]

    assert message["content"] is None
    assert message["tool_calls"] == (CALL,)
    assert message["reasoning_content"] == "it adds up"
