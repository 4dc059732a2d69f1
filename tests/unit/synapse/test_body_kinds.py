"""What a body says of its own type is what a reader of the body takes it for."""

import msgpack
import pytest

from cosmonapse.signals import Signal, SignalType
from cosmonapse.synapse.body_kinds import kind_of


def fields_of(signal):
    return msgpack.unpackb(signal.encode())


@pytest.mark.parametrize("signal_type", SignalType)
@pytest.mark.parametrize("parent", [None, "evt_" + "0" * 26])
def test_the_type_of_each_signal_is_read(signal_type, parent):
    signal = Signal(type=signal_type, parent_id=parent, payload={"x": 1})

    assert kind_of(signal.encode()) == signal_type.code
    assert kind_of(signal.encode()[:256]) == signal_type.code


@pytest.mark.parametrize("spelled", [8, 8.0, b"\xcc\x08", b"\xd3" + bytes(7) + b"\x08"])
@pytest.mark.parametrize("parent", [None, "evt_" + "0" * 26])
def test_another_spelling_of_a_type_is_read_as_a_reader_reads_it(spelled, parent):
    fields = fields_of(Signal(type=SignalType.PLAN, parent_id=parent))
    parts = [msgpack.packb(each) for each in fields]
    parts[4] = spelled if isinstance(spelled, bytes) else msgpack.packb(spelled)
    body = bytes([0x90 + len(parts)]) + b"".join(parts)

    read = Signal.decode(body).type if not isinstance(spelled, float) else None

    assert kind_of(body) == 8
    assert read in (SignalType.PERMISSION_DECISION, None)


def test_an_array_of_another_form_is_read_too():
    fields = fields_of(Signal(type=SignalType.STOP))
    body = b"\xdc\x00\x09" + b"".join(msgpack.packb(each) for each in fields)

    assert kind_of(body) == SignalType.STOP.code


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"\x99",
        b"\x94\xa11\xa1a\xa1b\xc0",
        msgpack.packb([1, 2, 3, 4, "x", 6, 7, 8, 9]),
    ],
)
def test_what_is_no_signal_says_no_type(body):
    assert kind_of(body) is None


def test_what_is_cut_after_any_byte_says_its_type_or_none():
    body = Signal(type=SignalType.STOP, parent_id="evt_" + "0" * 26).encode()

    assert {kind_of(body[:size]) for size in range(len(body))} == {None, SignalType.STOP.code}
