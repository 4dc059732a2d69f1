"""What a Synapse reads of a body is what a Dendrite would read."""

import msgpack
import pytest

from cosmonapse import Signal, SignalType
from cosmonapse.signals import TYPE_OF_CODE
from cosmonapse.synapse.body_kinds import kind_of

WIDE = "\U0001f980" * 30  # 30 characters, 120 bytes: the length of an id is all that is checked
START = 512


@pytest.mark.parametrize("parent_id", [None, "evt_" + "0" * 26, WIDE])
@pytest.mark.parametrize("own_id", ["evt_" + "0" * 26, WIDE])
@pytest.mark.parametrize("type", SignalType)
def test_the_kind_of_each_type_is_read_whatever_its_ids_are(type, own_id, parent_id):
    signal = Signal(type=type, id=own_id, trace_id=own_id, parent_id=parent_id, payload={"a": 1})
    body = signal.encode()

    assert Signal.decode(body).type is type
    assert kind_of(body[:START]) == type.code


def test_the_longest_spelling_that_a_dendrite_reads_is_read_here_too():
    text = b"\xdb" + (120).to_bytes(4, "big") + WIDE.encode()
    stop = SignalType.STOP.code.to_bytes(8, "big")
    body = b"".join(
        (
            b"\xdd" + (9).to_bytes(4, "big"),
            b"\xdb" + (1).to_bytes(4, "big") + b"1",
            text * 3,
            b"\xd3" + stop,
            b"\xc0" + msgpack.packb(1.0),
            b"\x80\x80",
        )
    )

    assert Signal.decode(body).type is SignalType.STOP
    assert kind_of(body[:START]) == SignalType.STOP.code


@pytest.mark.parametrize("body", [b"", b"\x99", b"\xc1" * 100, b"text", msgpack.packb([1, 2])])
def test_bytes_that_are_no_signal_say_no_kind(body):
    assert kind_of(body) not in TYPE_OF_CODE


@pytest.mark.parametrize("spelled", [8, 8.0, b"\xcc\x08", b"\xd3" + bytes(7) + b"\x08"])
@pytest.mark.parametrize("parent", [None, "evt_" + "0" * 26])
def test_another_spelling_of_a_type_is_read_as_a_reader_reads_it(spelled, parent):
    fields = msgpack.unpackb(Signal(type=SignalType.PLAN, parent_id=parent).encode())
    parts = [msgpack.packb(each) for each in fields]
    parts[4] = spelled if isinstance(spelled, bytes) else msgpack.packb(spelled)
    body = bytes([0x90 + len(parts)]) + b"".join(parts)

    read = Signal.decode(body).type if not isinstance(spelled, float) else None

    assert kind_of(body) == 8
    assert read in (SignalType.PERMISSION_DECISION, None)


def test_what_is_cut_after_any_byte_says_its_type_or_none():
    body = Signal(type=SignalType.STOP, parent_id="evt_" + "0" * 26).encode()

    assert {kind_of(body[:size]) for size in range(len(body))} == {None, SignalType.STOP.code}
