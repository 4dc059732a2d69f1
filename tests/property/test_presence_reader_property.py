"""What is remembered of HEARTBEATs is what reading each of them anew says."""

import msgpack
from hypothesis import given
from hypothesis import strategies as st

from zmq_transport.errors import WireError
from zmq_transport.proxy.presence_reader import PresenceReader
from zmq_transport.proxy.roster import short_facts
from zmq_transport.wire import greetings

VALUES = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=200) | st.just([1])
MAPS = st.dictionaries(st.text(max_size=3), VALUES, max_size=5).map(msgpack.packb)
PACKED = st.lists(MAPS | st.binary(max_size=20), max_size=8)


def read_anew(packed):
    try:
        return short_facts(greetings.unpack_map(packed))
    except WireError as error:
        return error.reason


def read_by(reader, packed):
    try:
        return reader.read(packed)
    except WireError as error:
        return error.reason


@given(PACKED)
def test_a_map_reads_the_same_the_first_time_and_every_other(all_packed):
    reader = PresenceReader()

    for packed in all_packed + all_packed:
        assert read_by(reader, packed) == read_anew(packed)
