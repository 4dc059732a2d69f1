"""What the payload of each Signal holds that a program sends by itself."""

import pytest

from cosmonapse import DendriteProtocolError, SignalType
from cosmonapse.payloads import SHAPES, STREAMED, checked_emission, payload_of

kinds = pytest.mark.parametrize("kind", sorted(SHAPES))


def all_of(kind):
    shape = SHAPES[kind]
    return dict.fromkeys((*shape.required, *shape.optional), "x")


@kinds
def test_everything_that_is_given_is_in_the_payload(kind):
    payload = payload_of(kind, all_of(kind))

    assert {key: payload[key] for key in all_of(kind)} == all_of(kind)


@kinds
def test_what_is_optional_may_be_left_away_or_be_none(kind):
    least = dict.fromkeys(SHAPES[kind].required, "x")
    nothing = dict.fromkeys(SHAPES[kind].optional)
    if "call_id" in nothing:
        least["call_id"] = nothing["call_id"] = "c"  # else each has one of its own

    assert payload_of(kind, {**least, **nothing}) == payload_of(kind, least)


@kinds
def test_what_is_required_must_be_there(kind):
    with pytest.raises(TypeError) as caught:
        payload_of(kind, {})

    text = str(caught.value)
    assert text.startswith(f"a {kind.value} takes ")
    assert all(f"{key} is missing" in text for key in SHAPES[kind].required)


@kinds
def test_an_unknown_key_is_named_together_with_those_that_are_known(kind):
    with pytest.raises(TypeError, match="colour is unknown") as caught:
        payload_of(kind, {**all_of(kind), "colour": "red"})

    assert all(key in str(caught.value) for key in all_of(kind))


@pytest.mark.parametrize("kind", [SignalType.TOOL_CALL, SignalType.TOOL_RESULT])
def test_a_tool_has_both_names_and_each_call_an_id_of_its_own(kind):
    one, other = (payload_of(kind, {"tool_name": "search"}) for _ in range(2))

    assert one["tool_name"] == one["tool"] == "search"
    assert one["call_id"] != other["call_id"]


def test_a_tool_call_always_has_arguments():
    assert payload_of(SignalType.TOOL_CALL, {"tool_name": "t"})["args"] == {}
    assert payload_of(SignalType.TOOL_CALL, {"tool_name": "t", "args": [1]})["args"] == [1]


def test_a_tool_result_has_a_result_or_an_error():
    empty = payload_of(SignalType.TOOL_RESULT, {"tool_name": "t"})
    failed = payload_of(SignalType.TOOL_RESULT, {"tool_name": "t", "error": "no"})

    assert empty["result"] is None
    assert "result" not in failed
    assert failed["error"] == "no"


@pytest.mark.parametrize(("code", "recoverable"), [("OVERLOADED", True), ("MY_OWN", False)])
def test_an_error_is_as_recoverable_as_its_code_says(code, recoverable):
    payload = payload_of(SignalType.ERROR, {"code": code, "message": "m"})

    assert payload["recoverable"] is recoverable


def test_an_error_may_say_so_itself():
    payload = payload_of(SignalType.ERROR, {"code": "X", "message": "m", "recoverable": True})

    assert payload["recoverable"] is True


def test_a_value_that_is_required_may_be_none():
    assert payload_of(SignalType.MEMORY_APPEND, {"key": "k", "value": None})["value"] is None


@pytest.mark.parametrize(
    ("kind", "instead"),
    [
        (SignalType.TASK, "dispatch it"),
        (SignalType.REGISTER, "attach an Axon"),
        (SignalType.HEARTBEAT, "attach an Axon"),
        (SignalType.DEREGISTER, "attach an Axon"),
        (SignalType.DISCOVER, "attach an Axon"),
    ],
)
def test_what_the_fabric_says_is_not_emitted(kind, instead):
    with pytest.raises(DendriteProtocolError, match=instead):
        checked_emission(kind)


@kinds
def test_everything_else_is_emitted(kind):
    assert checked_emission(kind) is kind


def test_what_ends_a_task_is_not_said_while_it_runs():
    assert not STREAMED & {
        SignalType.AGENT_OUTPUT,
        SignalType.FINAL,
        SignalType.ERROR,
        SignalType.CLARIFICATION,
        SignalType.PERMISSION,
        SignalType.ESCALATION,
    }
