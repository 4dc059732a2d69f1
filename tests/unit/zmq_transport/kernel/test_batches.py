"""Broadcast messages and batches of them, as bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.vectors import VECTORS, each_of
from zmq_transport.errors import WireError
from zmq_transport.kernel import pack_broadcast, read_broadcast
from zmq_transport.wire import heads

ENDS = st.binary(min_size=16, max_size=16)
BODIES = st.lists(st.binary(max_size=20), min_size=1, max_size=64)


@given(ENDS, st.integers(0, 2**64 - 1), ENDS, ENDS, BODIES)
def test_what_is_packed_is_read(publisher, sequence, caller, worker, bodies):
    header, body = pack_broadcast(publisher, sequence, caller, worker, bodies)

    assert read_broadcast(header, body) == (publisher, sequence, caller, worker, bodies)


@given(st.integers(0, 330) | st.sampled_from([56, 60, 64, 312, 316]), st.binary(max_size=12))
def test_a_message_is_refused_exactly_if_its_header_is(length, body):
    header = bytes(length)

    message = read_broadcast(header, body)

    if length == heads.HEADER_BYTES:
        assert message is not None
        return
    try:
        _, sizes = heads.read_batch(header, len(body))
    except WireError:
        assert message is None
    else:
        assert message is not None
        assert len(message[4]) == len(sizes)


@each_of(VECTORS["bad_headers"])
def test_a_bad_header_is_refused(vector):
    assert read_broadcast(bytes.fromhex(vector["header"]), bytes.fromhex(vector["body"])) is None


@pytest.mark.parametrize("count", [1, 2, 64])
def test_a_batch_has_the_bytes_of_its_header_and_its_sizes(count):
    bodies = [b"x" * size for size in range(count)]
    alone = heads.pack_header(b"p" * 16, 5, b"c" * 16, b"w" * 16)

    header, body = pack_broadcast(b"p" * 16, 5, b"c" * 16, b"w" * 16, bodies)

    expected = alone if count == 1 else heads.pack_sizes(alone, [len(each) for each in bodies])
    assert (header, body) == (expected, b"".join(bodies))
