"""What HEARTBEATs tell, each map read once."""

import pytest

from zmq_transport.errors import WireError
from zmq_transport.proxy.presence_reader import MAX_KNOWN, MAX_KNOWN_BYTES, PresenceReader
from zmq_transport.wire import greetings


def test_the_same_map_is_read_once():
    reader = PresenceReader()
    packed = greetings.pack_map({"status": "ready", "running": 3})

    first, second = reader.read(packed), reader.read(bytes(bytearray(packed)))

    assert first == {"status": "ready", "running": 3}
    assert second is first


def test_only_numbers_and_short_texts_are_kept():
    packed = greetings.pack_map({"queued": 1, "parts": [1, 2], "note": "x" * 129})

    assert PresenceReader().read(packed) == {"queued": 1}


def test_so_many_maps_are_remembered_and_any_is_read():
    reader = PresenceReader()

    for running in range(3 * MAX_KNOWN):
        assert reader.read(greetings.pack_map({"running": running})) == {"running": running}
        assert len(reader) <= MAX_KNOWN


def test_a_long_map_is_not_remembered():
    reader = PresenceReader()
    packed = greetings.pack_map({f"fact-{number}": number for number in range(30)})

    assert len(packed) > MAX_KNOWN_BYTES
    assert reader.read(packed)["fact-29"] == 29
    assert len(reader) == 0


@pytest.mark.parametrize("packed", [b"", b"\x01", b"\x81\x01\x01", b"\xc1", b"x" * 8193])
def test_what_is_no_map_is_refused_each_time(packed):
    reader = PresenceReader()

    for _ in range(2):
        with pytest.raises(WireError):
            reader.read(packed)
    assert len(reader) == 0
