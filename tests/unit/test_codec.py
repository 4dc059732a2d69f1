"""What travels in a Signal, and what is refused where it was made."""

import enum
import math

import msgpack
import pytest

from cosmonapse import BadSignal, Directed, Signal, SignalType, UnencodableValue


def task(value):
    return Signal(type=SignalType.TASK, payload={"input": value})


def round_trip(value):
    return Signal.decode(task(value).encode()).payload["input"]


def fault_of(value):
    with pytest.raises(UnencodableValue) as caught:
        task(value).encode()
    return caught.value.path, caught.value.reason


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


class Colour(enum.StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -(2**63),
        2**64 - 1,
        1.5,
        math.inf,
        "",
        "\u6771\u4eac \U0001f9e0",
        b"",
        b"\x00\xff",
        [],
        {},
        {"": {"a": [1, [2, {"b": None}]]}},
    ],
)
def test_a_value_arrives_as_it_left(value):
    arrived = round_trip(value)

    assert arrived == value
    assert type(arrived) is type(value)


def test_not_a_number_arrives_as_such():
    assert math.isnan(round_trip(math.nan))


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        ((1, 2), [1, 2]),
        (bytearray(b"a"), b"a"),
        (memoryview(b"a"), b"a"),
        (Colour.RED, "red"),
        (enum.IntEnum("N", "ONE").ONE, 1),
    ],
)
def test_a_value_of_a_kind_arrives_as_what_it_is_based_on(value, arrives):
    assert round_trip(value) == arrives


@pytest.mark.parametrize(
    ("value", "path", "reason"),
    [
        pytest.param(object(), "payload.input", "of type object", id="object"),
        ({"a": [1, {1, 2}]}, "payload.input.a[1]", "of type set"),
        ([0, 2**64], "payload.input[1]", "64 bits"),
        (-(2**63) - 1, "payload.input", "64 bits"),
        ({"a": {7: 1}}, "payload.input.a", "its key 7 is not a str"),
        ({b"k": 1}, "payload.input", "is not a str"),
        ({Colour.RED: 1}, "payload.input", "is not a str"),
        ("\ud800", "payload.input", "Unicode"),
        (1j, "payload.input", "of type complex"),
        (msgpack.Timestamp(1), "payload.input", "of type Timestamp"),
        (msgpack.ExtType(5, b"x"), "payload.input", "of type ExtType"),
        ([msgpack.ExtType(0, b"")], "payload.input[0]", "of type ExtType"),
    ],
    ids=lambda each: repr(each)[:30],
)
def test_what_cannot_travel_is_refused_with_its_path(value, path, reason):
    found_path, found_reason = fault_of(value)

    assert found_path == path
    assert reason in found_reason


def test_a_fault_in_meta_is_found_too():
    with pytest.raises(UnencodableValue) as caught:
        Signal(type=SignalType.TASK, meta={"a": object()}).encode()

    assert caught.value.path == "meta.a"


def test_nesting_is_bounded_and_what_is_within_arrives():
    assert round_trip(nested(190)) == nested(190)
    assert "nested" in fault_of(nested(210))[1]


def test_a_value_that_holds_itself_is_refused():
    cyclic = {}
    cyclic["self"] = cyclic

    path, reason = fault_of(cyclic)

    assert "cyclic" in reason
    assert len(path) <= 200


def test_an_error_says_what_would_travel():
    with pytest.raises(UnencodableValue, match="a Signal carries None, bool, int"):
        task(object()).encode()


def test_a_nested_payload_over_the_bound_is_refused_at_arrival():
    body = Signal(type=SignalType.TASK, payload={"input": "?"}).encode()
    deep = body.replace(b"\xa1?", b"\x91" * 1000 + b"\xc0")

    with pytest.raises(BadSignal):
        Signal.decode(deep)


def test_a_time_given_as_an_int_travels_as_a_float():
    signal = Signal(type=SignalType.TASK, ts=7)

    assert Signal.decode(signal.encode()).ts == 7.0


def test_where_it_goes_travels_along():
    directed = Directed("echo", "neuron", ("a", "b"))
    signal = Signal(type=SignalType.TASK, directed=directed)

    assert Signal.decode(signal.encode()).directed == directed


@pytest.mark.parametrize(
    "body", [b"", b"\xc1", b"\x00" * 100, b"\x91" * 100_000, bytes(range(256))]
)
def test_bytes_that_are_no_signal_are_refused(body):
    with pytest.raises(BadSignal):
        Signal.decode(body)


def test_a_body_that_is_cut_anywhere_is_refused():
    body = task({"a": [1, 2, 3]}).encode()

    for end in range(len(body)):
        with pytest.raises(BadSignal):
            Signal.decode(body[:end])
