"""How much to read from one connection."""

import pytest

from zmq_transport.proxy.read_sizes import (
    CLIENT_BYTES,
    LARGE_BYTES,
    MANY,
    STRANGER_BYTES,
    TINY_BYTES,
    next_read_bytes,
)


@pytest.mark.parametrize("read", [1, STRANGER_BYTES])
def test_a_stranger_earns_nothing_before_its_hello(read):
    assert next_read_bytes(STRANGER_BYTES, read, 1, is_client=False) == STRANGER_BYTES


@pytest.mark.parametrize(
    ("now", "then"),
    [(STRANGER_BYTES, CLIENT_BYTES), (CLIENT_BYTES, LARGE_BYTES), (LARGE_BYTES, LARGE_BYTES)],
)
def test_a_client_whose_read_was_full_gets_a_larger_one(now, then):
    assert next_read_bytes(now, now, 10, is_client=True) == then
    assert next_read_bytes(now, now - 1, 10, is_client=True) == now


@pytest.mark.parametrize("now", [STRANGER_BYTES, CLIENT_BYTES, LARGE_BYTES, TINY_BYTES])
def test_who_sends_very_many_messages_at_once_gets_small_reads_for_good(now):
    then = next_read_bytes(now, now, MANY + 1, is_client=True)

    assert then == TINY_BYTES
    assert next_read_bytes(then, then, 1, is_client=True) == TINY_BYTES
