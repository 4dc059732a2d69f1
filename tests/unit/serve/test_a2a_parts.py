"""What parts and states of A2A mean, without A2A."""

import json

import pytest

from cosmonapse.edge.outcomes import BadRequest
from cosmonapse.errors import InvalidName, SynapseUnreachable
from cosmonapse.serve.a2a_parts import (
    JSON_TYPE,
    DataPart,
    TextPart,
    answer_to,
    input_of,
    output_pieces,
    settled,
    text_key,
    whole,
)
from cosmonapse.signals import Signal, SignalType

TRACE = "trc_" + "0" * 26
TEXT = {"type": "string"}


def signal(type_, **payload):
    return Signal(type=type_, payload=payload, trace_id=TRACE)


def schema(required=(), **fields):
    return {"type": "object", "properties": fields, "required": list(required)}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2.0, 2),
        (2.5, 2.5),
        (-3.0, -3),
        (2.0**53, 2.0**53),
        ([{"a": 1.0}], [{"a": 1}]),
        ("1.0", "1.0"),
    ],
)
def test_a_whole_number_below_2_to_the_53_becomes_an_int_again(value, expected):
    found = whole(value)

    assert found == expected
    assert repr(found) == repr(expected)


@pytest.mark.parametrize(
    ("taken", "key"),
    [
        (None, "prompt"),
        (schema(prompt=TEXT, query=TEXT), "prompt"),
        (schema(query=TEXT, limit={"type": "integer"}), "query"),
        (schema(query={"anyOf": [TEXT, {"type": "null"}]}), "query"),
        (schema(query={"type": ["string", "null"]}), "query"),
        (schema(a=TEXT, b=TEXT), "prompt"),
        (schema(["b"], a=TEXT, b=TEXT), "b"),
        (schema(limit={"type": "integer"}), "prompt"),
        ({"type": "object"}, "prompt"),
    ],
)
def test_a_text_goes_into_the_one_text_field_of_an_input_without_prompt(taken, key):
    assert text_key(taken) == key


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([TextPart("a"), TextPart("b")], {"prompt": "a\nb"}),
        ([DataPart({"n": 2.0})], {"n": 2}),
        ([DataPart([1.0])], {"value": [1]}),
        ([TextPart("a"), DataPart({"n": 1.0}), DataPart({"n": 2.0})], {"prompt": "a", "n": 2}),
        ([TextPart("a"), DataPart({"prompt": "b"})], {"prompt": "b"}),
        ([TextPart(f'{{"n": {2**60 + 1}}}', JSON_TYPE)], {"n": 2**60 + 1}),
        ([], {}),
    ],
)
def test_the_parts_of_a_message_make_one_input(pieces, expected):
    assert input_of(pieces) == expected


def test_a_part_that_says_json_and_is_none_is_refused():
    with pytest.raises(BadRequest, match="not valid JSON"):
        input_of([TextPart("{", JSON_TYPE)])


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([TextPart("three")], {"answer": "three"}),
        ([DataPart({"answer": 3.0})], {"answer": 3}),
        ([DataPart({"nights": 3.0})], {"answer": {"nights": 3}}),
        ([TextPart("three"), DataPart({"n": 3.0})], {"answer": "three", "extra": {"n": 3}}),
    ],
)
def test_a_clarification_is_answered_by_text_or_data(pieces, expected):
    assert answer_to(signal(SignalType.CLARIFICATION, question="?"), pieces) == expected


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([TextPart(" Yes. ")], {"granted": True}),
        ([TextPart("no")], {"granted": False}),
        (
            [DataPart({"granted": False, "reason": "late", "x": 1})],
            {"granted": False, "reason": "late"},
        ),
    ],
)
def test_a_permission_is_granted_or_denied_by_a_word_or_data(pieces, expected):
    assert answer_to(signal(SignalType.PERMISSION, action="erase"), pieces) == expected


@pytest.mark.parametrize("piece", [TextPart("perhaps"), DataPart({"granted": "yes"})])
def test_an_unclear_decision_is_asked_for_again(piece):
    with pytest.raises(BadRequest, match='"yes" or "no"'):
        answer_to(signal(SignalType.PERMISSION, action="erase"), [piece])


def test_an_escalation_goes_on_with_the_message_at_the_neuron_that_it_names():
    question = signal(SignalType.ESCALATION, reason="hard", target="expert")

    assert answer_to(question, [TextPart("try")], "query") == {
        "answer": None,
        "input": {"query": "try"},
        "neuron": "expert",
    }


def test_a_chat_like_output_has_its_text_and_its_value():
    assert output_pieces({"response": "hi", "n": 1}) == [
        TextPart("hi"),
        DataPart({"response": "hi", "n": 1}),
    ]


def test_a_text_that_was_streamed_is_not_repeated():
    assert output_pieces({"response": "hi"}, "hi") == [DataPart({"response": "hi"})]


def test_a_number_that_a_double_cannot_carry_comes_as_exact_json_too():
    rounded, exact = output_pieces({"n": 2**53})

    assert rounded == DataPart({"n": 2**53}, is_rounded=True)
    assert exact == TextPart('{"n": 9007199254740992}', JSON_TYPE)


def test_a_value_too_deep_for_a_data_part_comes_as_json():
    value = {}
    for _ in range(30):
        value = {"in": value}

    assert [type(each) for each in output_pieces(value)] == [TextPart]


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("NO_SUCH_NEURON", "REJECTED"),
        ("OVERLOADED", "REJECTED"),
        ("BAD_INPUT", "REJECTED"),
        ("CANCELLED", "CANCELED"),
        ("EXPIRED", "FAILED"),
        ("ITS_OWN", "FAILED"),
    ],
)
def test_each_error_has_its_state_and_its_code(code, state):
    end = settled(signal(SignalType.ERROR, code=code, message="as it is", recoverable=True), TRACE)

    assert (end.state, end.text, end.facts["code"]) == (state, "as it is", code)
    assert end.facts["retry"] is True
    assert not end.asks


@pytest.mark.parametrize(
    ("question", "state", "text"),
    [
        (signal(SignalType.CLARIFICATION, question="when?"), "INPUT_REQUIRED", "when?"),
        (signal(SignalType.ESCALATION, reason="hard"), "INPUT_REQUIRED", "hard"),
        (signal(SignalType.PERMISSION, action="erase"), "AUTH_REQUIRED", "erase"),
    ],
)
def test_each_question_has_its_state(question, state, text):
    end = settled(question, TRACE)

    assert (end.state, end.text, end.asks) == (state, text, True)
    assert end.facts["code"] == question.type.value


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (BadRequest("no"), "REJECTED", "BAD_REQUEST"),
        (InvalidName("neuron", "a b"), "REJECTED", "BAD_REQUEST"),
        (SynapseUnreachable("cosmo://h:1", "away", "start it"), "FAILED", "SYNAPSE_UNREACHABLE"),
    ],
)
def test_what_could_not_be_sent_has_a_state_too(error, state, code):
    end = settled(error, TRACE)

    assert (end.state, end.facts["code"]) == (state, code)


def test_an_output_completes():
    assert settled(signal(SignalType.AGENT_OUTPUT, output={"a": 1}), TRACE).state == "COMPLETED"


def test_a_question_whose_context_is_too_deep_for_protobuf_comes_with_it_as_json():
    value = {}
    for _ in range(60):
        value = {"in": value}
    end = settled(signal(SignalType.CLARIFICATION, question="when?", context=value), TRACE)

    assert json.loads(end.facts["context"]) == value
