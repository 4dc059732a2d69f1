"""The Messages dialect: bodies, headers, answers and streamed answers."""

import json

import pytest

from cosmonapse.errors import NeuronError
from cosmonapse.neurons.chat import Sampling
from cosmonapse.neurons.faults import Faults
from cosmonapse.neurons.messages import MessagesDialect, system_of
from cosmonapse.neurons.settings import ApiKey
from cosmonapse.neurons.sse import ServerEvent

USER = {"role": "user", "content": "Why?"}
START = {
    "type": "message_start",
    "message": {"model": "m-7", "content": [], "usage": {"input_tokens": 3, "output_tokens": 1}},
}
STOP = {"type": "message_stop"}


def dialect(**changes):
    settings = {
        "faults": Faults("vendor", ApiKey("sesame")),
        "url": "http://host/v1/messages",
        "model": "m",
        "sampling": Sampling(max_new_tokens=5),
        "stream": True,
    }
    return MessagesDialect(**{**settings, **changes})


def text(words):
    delta = {"type": "text_delta", "text": words}
    return {"type": "content_block_delta", "index": 0, "delta": delta}


def message_delta(stop_reason, **usage):
    return {"type": "message_delta", "delta": {"stop_reason": stop_reason}, "usage": usage}


def read(*events):
    reader = dialect().reader()
    fed = [reader.feed(ServerEvent(json.dumps(event))) for event in events]
    return reader, [[piece.text for piece in pieces if not piece.is_reasoning] for pieces in fed]


def reasoning(*events):
    reader = dialect().reader()
    fed = [piece for event in events for piece in reader.feed(ServerEvent(json.dumps(event)))]
    return [piece.text for piece in fed if piece.is_reasoning]


def system(content):
    return {"role": "system", "content": content}


def test_the_headers_carry_key_and_version_and_the_repr_no_key():
    assert dialect().headers() == {"x-api-key": "sesame", "anthropic-version": "2023-06-01"}
    assert "sesame" not in repr(dialect())


def test_the_body_holds_only_what_is_set():
    assert dialect(stream=False).body({"prompt": "Why?"}) == {
        "model": "m",
        "messages": [USER],
        "max_tokens": 5,
        "stream": False,
    }


def test_the_system_text_stands_apart_and_stops_have_their_own_name():
    sampling = Sampling(max_new_tokens=5, temperature=0.0, stop=("END",))
    messages = [system("Be brief."), USER, {"role": "developer", "content": "In verse."}]

    assert dialect(sampling=sampling).body({"messages": messages}) == {
        "model": "m",
        "system": "Be brief.\n\nIn verse.",
        "messages": [USER],
        "max_tokens": 5,
        "temperature": 0.0,
        "stop_sequences": ["END"],
        "stream": True,
    }


def test_a_system_text_in_parts_stays_in_parts():
    part = {"type": "text", "text": "In verse.", "cache_control": {"type": "ephemeral"}}

    assert system_of([system("Be brief."), system([part])]) == [
        {"type": "text", "text": "Be brief."},
        part,
    ]


@pytest.mark.parametrize("message", [USER, system(""), system(None), {"role": "system"}])
def test_no_system_text_is_none(message):
    assert not system_of([message])


def test_bad_input_is_refused():
    with pytest.raises(NeuronError, match="BAD_INPUT"):
        dialect().body({"override": "x"})


def test_of_a_plain_answer_all_text_is_read():
    content = [
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": "S"},
        {"type": "text", "text": "o."},
    ]
    answer = {"type": "message", "content": content, "model": "m-7", "usage": {"output_tokens": 2}}
    answer["stop_reason"] = "stop_sequence"

    assert dialect().answer(answer) == {
        "response": "So.",
        "model": "m-7",
        "finish_reason": "stop",
        "native_finish_reason": "stop_sequence",
        "reasoning": "hm",
        "usage": {"output_tokens": 2},
    }


def test_an_answer_without_text_is_empty():
    answer = {"content": [], "stop_reason": "max_tokens"}

    assert dialect().answer(answer) == {
        "response": "",
        "model": "m",
        "finish_reason": "length",
        "native_finish_reason": "max_tokens",
    }


@pytest.mark.parametrize(
    "answer",
    [
        "text",
        7,
        [],
        {},
        {"content": 7},
        {"content": ["x"]},
        {"content": [{}]},
        {"content": [{"type": "text"}]},
        {"content": [{"type": "text", "text": 7}]},
    ],
)
def test_an_answer_of_another_form_is_an_error(answer):
    with pytest.raises(NeuronError, match="vendor answered 200 without content") as caught:
        dialect().answer(answer)

    assert (caught.value.code, caught.value.recoverable) == ("PROVIDER_ERROR", False)


def test_an_error_instead_of_an_answer_is_told():
    error = {"type": "api_error", "message": "broken"}

    with pytest.raises(NeuronError, match="an error 500: broken"):
        dialect().answer({"type": "error", "error": error})


def test_a_streamed_answer_is_read_event_by_event():
    reader, tokens = read(
        START,
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        text("So"),
        text("."),
        {"type": "content_block_stop", "index": 0},
        message_delta("end_turn", input_tokens=None, output_tokens=9),
        STOP,
    )

    assert tokens == [[], [], [], ["So"], ["."], [], [], []]
    assert (reader.complete, reader.ended, reader.piece_count) == (True, True, 2)
    assert reader.output() == {
        "response": "So.",
        "model": "m-7",
        "finish_reason": "stop",
        "native_finish_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 9},
    }


def test_an_answer_is_complete_with_its_stop_reason_and_ended_with_its_last_event():
    first, _ = read(START, text("So."))
    second, _ = read(START, text("So."), message_delta(None))
    third, _ = read(START, text("So."), message_delta(""), STOP)
    fourth, _ = read(START, text("So."), message_delta("max_tokens"))

    assert [(r.complete, r.ended) for r in (first, second, third, fourth)] == [
        (False, False),
        (False, False),
        (False, True),
        (True, False),
    ]


def test_what_is_no_text_and_what_is_unknown_is_passed_over():
    _, tokens = read(
        {"type": "content_block_start", "content_block": {"type": "tool_use", "input": {}}},
        {"type": "content_block_delta", "delta": {"type": "signature_delta", "signature": "x"}},
        {"type": "of_tomorrow", "news": True},
    )

    assert tokens == [[], [], []]


def test_thinking_is_reasoning_and_no_part_of_the_response():
    events = [
        {"type": "content_block_start", "content_block": {"type": "thinking", "thinking": "h"}},
        {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "m"}},
        text("So."),
    ]
    reader, tokens = read(*events, message_delta("end_turn"))

    assert reasoning(*events) == ["h", "m"]
    assert tokens == [[], [], ["So."], []]
    assert reader.output()["response"] == "So."


def test_nothing_counts_after_the_last_event():
    reader, tokens = read(text("So."), message_delta("end_turn"), STOP, text("More"))

    assert tokens == [["So."], [], [], []]
    assert reader.output()["response"] == "So."


def test_a_refusal_keeps_its_explanation_streamed_and_whole():
    details = {"type": "refusal", "category": "x", "explanation": "Not that."}
    event = {"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": details}}
    reader, _ = read(START, text("So"), event, STOP)

    with pytest.raises(NeuronError, match=r"vendor refused .*: Not that") as caught:
        reader.output()
    with pytest.raises(NeuronError, match=r"vendor refused .*: Not that"):
        dialect().answer({"content": [], "stop_reason": "refusal", "stop_details": details})

    assert not caught.value.recoverable


def test_nothing_but_tool_calls_is_an_error_and_text_beside_them_is_not():
    block = {"type": "tool_use", "name": "pay", "input": {}}
    reader, _ = read(
        {"type": "content_block_start", "content_block": block}, message_delta("tool_use"), STOP
    )
    answer = {"content": [{"type": "text", "text": "So."}, block], "stop_reason": "tool_use"}

    with pytest.raises(NeuronError, match=r"nothing but tool calls \(pay\)"):
        reader.output()
    assert dialect().answer(answer)["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    "event",
    [
        "nonsense",
        "null",
        '"text"',
        "[]",
        "{}",
        '{"type": null, "delta": {"text": "x"}, "error": 0, "type": []}',
        '{"type": "message_start"}',
        '{"type": "message_start", "message": "m"}',
        '{"type": "message_start", "message": {"usage": 7}}',
        '{"type": "content_block_start", "content_block": 7}',
        '{"type": "content_block_start", "content_block": {"type": "text", "text": 7}}',
        '{"type": "content_block_delta"}',
        '{"type": "content_block_delta", "delta": "x"}',
        '{"type": "content_block_delta", "delta": {"type": "text_delta"}}',
        '{"type": "content_block_delta", "delta": {"type": "text_delta", "text": ["x"]}}',
        '{"type": "message_delta"}',
        '{"type": "message_delta", "delta": {}, "usage": [1]}',
        "[" * 100_000,
    ],
)
def test_an_event_of_another_form_is_an_error(event):
    with pytest.raises(NeuronError, match="PROVIDER_ERROR: vendor answered 200 without what its"):
        dialect().reader().feed(ServerEvent(event))


def test_an_error_event_that_says_nothing_is_an_error():
    with pytest.raises(NeuronError, match="vendor answered 200 with an error"):
        dialect().reader().feed(ServerEvent('{"type": "error"}'))


@pytest.mark.parametrize(
    ("kind", "status", "recoverable"),
    [
        ("overloaded_error", " 529", True),
        ("rate_limit_error", " 429", True),
        ("invalid_request_error", "", False),
    ],
)
def test_an_error_among_the_events_is_raised_without_the_key(kind, status, recoverable):
    event = {"type": "error", "error": {"type": kind, "message": "busy, sesame"}}

    with pytest.raises(NeuronError, match=rf"an error{status}: busy, \*\*\*$") as caught:
        read(text("So"), event)

    assert caught.value.recoverable is recoverable
