import pytest

from cosmonapse.serve.openai.chat_request import chat_request, timeout_of
from cosmonapse.serve.openai.error_bodies import ChatRefusal

HELLO = [{"role": "user", "content": "hello"}]
BODY = {"model": "chat", "messages": HELLO}


def test_a_request_keeps_what_the_neuron_may_use_and_leaves_out_the_rest():
    asked = chat_request({**BODY, "temperature": 0, "stop": None, "user": "zoe", "n": 1})

    assert asked.options == {"temperature": 0}
    assert asked.messages == HELLO
    assert not asked.stream


@pytest.mark.parametrize(
    ("options", "expected"),
    [(None, False), ({}, False), ({"include_usage": True}, True), ("yes", False)],
)
def test_the_usage_of_a_stream_comes_if_asked_for(options, expected):
    asked = chat_request({**BODY, "stream": True, "stream_options": options})

    assert (asked.stream, asked.include_usage) == (True, expected)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 3}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": {}}, "messages"),
        ({"messages": [*HELLO, "hi"]}, "messages[1]"),
        ({"messages": [{"content": "hi"}]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        ({"stream": "false"}, "stream"),
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"functions": [{}]}, "functions"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(change, param):
    with pytest.raises(ChatRefusal) as caught:
        chat_request({**BODY, **change})

    answer = caught.value.answer
    assert (answer.status, answer.headers["x-should-retry"]) == (400, "false")
    assert answer.body["error"]["type"] == "invalid_request_error"
    assert answer.body["error"]["param"] == param
    assert answer.body["error"]["message"]


@pytest.mark.parametrize("name", ["a b", "capability:", "capability:a+", "x" * 200, "ü"])
def test_a_name_that_no_neuron_can_have_is_not_found(name):
    with pytest.raises(ChatRefusal) as caught:
        chat_request({**BODY, "model": name})

    assert caught.value.answer.status == 404
    assert caught.value.answer.body["error"]["code"] == "model_not_found"


def test_a_time_is_that_of_the_header_or_of_the_gateway():
    assert timeout_of(None, 5.0) == 5.0
    assert timeout_of("0.5", 5.0) == 0.5


@pytest.mark.parametrize("told", ["", "a", "0", "-1", "nan", "inf", "1e9"])
def test_a_time_that_is_none_is_refused(told):
    with pytest.raises(ChatRefusal, match="x-timeout-s"):
        timeout_of(told, 5.0)
