"""Bytes of TASKs and replies made at once: those of a Signal, or nothing at all."""

import msgpack
import pytest

from cosmonapse import kernel
from cosmonapse.errors import BadSignal, UnencodableValue
from cosmonapse.ids import id_bytes, new_event_id, trace_begun_by
from cosmonapse.signals import Directed, Signal, SignalType

ECHO = Directed("echo", "neuron")
TS = 1_700_000_000.25
NOT_PLAIN = [
    object(),
    {1, 2},
    2**64,
    -(2**63) - 1,
    "\ud800",
    1j,
    {1: 2},
    {b"a": 1},
    {"\ud800": 1},
    bytearray(b"a"),
    memoryview(b"a"),
    SignalType.TASK,
    msgpack.ExtType(1, b""),
    type("Text", (str,), {})("a"),
    type("Map", (dict,), {})(a=1),
    type("Row", (tuple,), {})((1, 2)),
]


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


def counter_of(id_):
    return int(id_[-10:], 32)


def test_a_task_has_the_bytes_of_its_signal():
    task, body = kernel.encode_task(kernel.encode_directed(ECHO), {"n": 1}, TS)

    signal = Signal.decode(body)
    assert signal == Signal(
        type=SignalType.TASK,
        payload={"input": {"n": 1}},
        directed=ECHO,
        id=signal.id,
        trace_id=trace_begun_by(signal.id),
        ts=TS,
    )
    assert signal.encode() == body
    assert task == id_bytes(signal.id) == id_bytes(signal.trace_id)


def test_a_reply_has_the_bytes_of_its_signal():
    task = Signal(type=SignalType.TASK, payload={"input": None})
    producer = Directed("echo", "neuron", ("fr", "chat"))

    body = kernel.encode_reply(
        SignalType.FINAL.code,
        task.trace_id,
        task.id,
        kernel.encode_directed(producer),
        kernel.encode_value("result"),
        {"n": 1},
        kernel.encode_value({"dendrite": "worker"}),
        TS,
    )

    signal = Signal.decode(body)
    assert signal == Signal(
        type=SignalType.FINAL,
        payload={"result": {"n": 1}},
        directed=producer,
        trace_id=task.trace_id,
        parent_id=task.id,
        meta={"dendrite": "worker"},
        id=signal.id,
        ts=TS,
    )
    assert signal.encode() == body


@pytest.mark.parametrize("value", NOT_PLAIN, ids=repr)
@pytest.mark.parametrize("inside", [lambda value: value, lambda value: [{"a": (value,)}]])
def test_what_is_not_plain_is_declined_and_takes_no_id(value, inside):
    before = counter_of(new_event_id())

    assert kernel.encode_value(inside(value)) is None
    assert kernel.encode_task(kernel.encode_directed(ECHO), inside(value), TS) is None
    assert (
        kernel.encode_reply(2, "t" * 30, "p" * 30, b"\xc0", b"\xa1a", inside(value), b"", TS)
        is None
    )
    assert counter_of(new_event_id()) == before + 1


@pytest.mark.parametrize("depth", [198, 199, 200, 201])
def test_an_input_may_be_as_deep_as_in_a_signal(depth):
    made = kernel.encode_task(kernel.encode_directed(ECHO), nested(depth), TS)
    try:
        Signal(type=SignalType.TASK, payload={"input": nested(depth)}).encode()
    except UnencodableValue:
        assert made is None
    else:
        assert made is not None


@pytest.mark.parametrize("size", [1 << 20, (1 << 20) + 1])
def test_a_list_over_the_limit_is_declined(size):
    made = kernel.encode_value([None] * size)

    assert (made is None) == (size > 1 << 20)


@pytest.mark.parametrize("odd", ["é" * 30, "t" * 29, ""])
def test_a_reply_under_an_odd_id_is_declined(odd):
    for trace_id, parent_id in ((odd, "p" * 30), ("t" * 30, odd)):
        assert (
            kernel.encode_reply(2, trace_id, parent_id, b"\xc0", b"\xa1a", 1, b"\x80", TS) is None
        )


def test_a_signal_with_more_fields_is_read():
    signal = Signal(type=SignalType.PLAN, payload={"steps": []}, ts=TS)
    fields = [*msgpack.unpackb(signal.encode()), "later", 11]

    assert kernel.decode_signal(msgpack.packb(fields)) == signal


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (0, "2"),
        (1, "evt_1"),
        (2, 7),
        (3, "x"),
        (4, 99),
        (4, True),
        (4, []),
        (6, 1),
        (7, []),
        (8, 1),
    ],
)
def test_a_bad_field_is_named_as_by_the_reference(field, value):
    fields = msgpack.unpackb(Signal(type=SignalType.TASK, payload={"input": 1}).encode())
    fields[field] = value
    body = msgpack.packb(fields)

    with pytest.raises(BadSignal) as reference:
        Signal.decode(body)
    with pytest.raises(BadSignal) as found:
        kernel.decode_signal(body)

    assert str(found.value) == str(reference.value)


@pytest.mark.parametrize(
    "body", [b"", b"\xc1", b"\x99", b"\xa9123456789", b"\x89" + b"\xa1a\x01" * 9]
)
def test_what_is_no_array_is_no_signal(body):
    with pytest.raises(BadSignal):
        kernel.decode_signal(body)
