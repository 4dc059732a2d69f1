import json

import pytest

from cosmonapse import Signal, SignalType
from cosmonapse.serve.openai.chunks import DONE, ChatChunks


def thought(delta, **more):
    return Signal(type=SignalType.THOUGHT_DELTA, payload={"delta": delta, **more})


def output(**values):
    return Signal(type=SignalType.AGENT_OUTPUT, payload={"output": values})


def stream(*signals, **settings):
    """Return all events of a stream, each Signal arriving by itself."""
    chunks = ChatChunks("chatcmpl-1", 7, "chat", **settings)
    out = chunks.opening()
    for signal in signals:
        chunks.take(signal)
        out += chunks.pop()
    return events(out + chunks.end())


def events(out):
    assert out.endswith(b"\n\n")
    pieces = out.removesuffix(b"\n\n").split(b"\n\n")
    assert all(piece.startswith(b"data: ") and b"\n" not in piece for piece in pieces)
    return [
        piece if piece + b"\n\n" == DONE else json.loads(piece.removeprefix(b"data: "))
        for piece in pieces
    ]


def content(found, key="content"):
    choices = [choice for each in found if isinstance(each, dict) for choice in each["choices"]]
    return "".join(choice["delta"].get(key) or "" for choice in choices)


def test_a_stream_begins_with_the_role_and_ends_with_a_reason_and_done():
    found = stream(thought("hi"), output(response="hi"))

    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 7, "model": "chat"}
    assert all({key: each[key] for key in head} == head for each in found[:-1])
    assert found[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert found[-2]["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    assert found[-1] + b"\n\n" == DONE


def test_texts_that_arrive_together_leave_in_one_piece():
    chunks = ChatChunks("chatcmpl-1", 7, "chat")
    for text in ("a", "b", "c"):
        chunks.take(thought(text))

    assert [content([each]) for each in events(chunks.pop())] == ["abc"]
    assert chunks.pop() == b""


def test_reasoning_and_content_keep_their_order():
    chunks = ChatChunks("chatcmpl-1", 7, "chat")
    for signal in (thought("a", kind="reasoning"), thought("b"), thought("c", kind="reasoning")):
        chunks.take(signal)
    deltas = [each["choices"][0]["delta"] for each in events(chunks.pop())]

    assert deltas == [{"reasoning_content": "a"}, {"content": "b"}, {"reasoning_content": "c"}]


@pytest.mark.parametrize(
    ("streamed", "final", "whole"),
    [
        ([], {"response": "all"}, "all"),
        ([], {"count": 1}, '{"count": 1}'),
        (["a", "ll"], {"response": "all"}, "all"),
        (["a"], {"response": "all"}, "all"),
        (["all "], {"response": "all"}, "all "),
        (["looking"], {"response": "found"}, "looking\n\nfound"),
        (["all"], {"sources": [1]}, "all"),
        (["all"], {"response": ""}, "all"),
    ],
)
def test_an_output_adds_what_was_not_streamed(streamed, final, whole):
    assert content(stream(*map(thought, streamed), output(**final))) == whole


def test_reasoning_in_the_output_is_told_unless_it_was_streamed():
    final = output(response="a", reasoning="why")
    streamed = stream(thought("why", kind="reasoning"), final)

    assert content(stream(final), "reasoning_content") == "why"
    assert content(streamed, "reasoning_content") == "why"


def test_usage_is_a_last_piece_without_a_choice():
    found = stream(output(response="a", usage={"input_tokens": 1}), include_usage=True)

    assert found[-2]["choices"] == []
    assert found[-2]["usage"]["total_tokens"] == 1


def test_tool_calls_have_their_places():
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    found = stream(output(tool_calls=[call, call]))

    calls = found[-3]["choices"][0]["delta"]["tool_calls"]
    assert [each["index"] for each in calls] == [0, 1]
    assert found[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_a_question_is_content_and_a_stop():
    asked = Signal(type=SignalType.CLARIFICATION, payload={"question": "Which?"})

    assert content(stream(asked)) == "Which?"


@pytest.mark.parametrize(
    ("signal", "code"),
    [
        (Signal(type=SignalType.ERROR, payload={"code": "NO_GOOD", "message": "no"}), "NO_GOOD"),
        (Signal(type=SignalType.PERMISSION, payload={"action": "rm"}), "PERMISSION"),
        (None, "NOT_READY"),
    ],
)
def test_a_failure_ends_a_stream_with_an_error_and_without_done(signal, code):
    found = stream(thought("half"), *([signal] if signal else []))

    assert found[-1]["error"]["code"] == code
    assert content(found[:-1]) == "half"


def test_the_end_of_the_gateway_is_told_as_such():
    error = stream(thought("half"))[-1]["error"]

    assert error["message"].startswith("this gateway has ended before the answer: the task is canc")
