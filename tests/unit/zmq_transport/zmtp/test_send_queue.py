"""What waits for one connection, and for all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zmq_transport.zmtp.send_queue import FREE_BYTES, MAX_PIECES, SendQueue, SharedBytes


@pytest.fixture
def shared():
    return SharedBytes(1000)


@pytest.fixture
def queue(shared):
    return SendQueue(shared, max_pieces=3, max_bytes=100)


def text_of(queue):
    return b"".join(bytes(each) for each in queue.first())


def test_an_empty_queue_takes_a_message_over_its_own_bound(queue):
    assert queue.refuses(101) == ""


def test_a_message_that_would_exceed_the_bytes_of_a_connection_is_refused(queue):
    queue.add(b"x" * 60)

    assert queue.refuses(40) == ""
    assert queue.refuses(41) == "bytes"


def test_a_message_beyond_the_pieces_of_a_connection_is_refused(queue):
    for _ in range(3):
        queue.add(b"x")

    assert queue.refuses(1) == "messages"


def test_there_is_room_again_once_half_of_it_is_free(queue):
    queue.add(b"x" * 51)
    by_bytes = queue.has_room
    queue.drop(1)
    at_half = queue.has_room
    queue.add(b"")

    assert (by_bytes, at_half, queue.has_room) == (False, True, False)


def test_what_all_connections_hold_is_bounded_for_each_of_them(queue, shared):
    other = SendQueue(shared, max_pieces=3, max_bytes=5000)
    other.add(b"x" * 950)
    queue.add(b"x")

    assert queue.refuses(50) == "shared"


def test_a_small_message_to_a_connection_without_a_queue_is_not_held_up_by_the_others(
    queue, shared
):
    SendQueue(shared, max_pieces=3, max_bytes=5000).add(b"x" * 1000)

    assert queue.refuses(FREE_BYTES) == ""
    assert queue.refuses(FREE_BYTES + 1) == "shared"


def test_a_write_has_a_bounded_number_of_pieces():
    queue = SendQueue(SharedBytes(10_000), max_pieces=10_000, max_bytes=10_000)
    for _ in range(1000):
        queue.add(b"x")

    assert len(queue.first()) == MAX_PIECES


def test_what_is_cleared_is_charged_to_nobody(queue, shared):
    queue.add(b"xyz")
    queue.clear()

    assert (len(queue), queue.bytes, shared.used) == (0, 0, 0)


@given(st.lists(st.one_of(st.binary(min_size=1, max_size=9), st.integers(0, 20)), max_size=60))
def test_bytes_leave_in_the_order_in_which_they_came_and_each_is_charged_once(steps):
    shared = SharedBytes(10_000)
    queue, other = (SendQueue(shared, 10_000, 10_000) for _ in range(2))
    other.add(b"12345")
    waits = b""
    for step in steps:
        if isinstance(step, bytes):
            queue.add(step)
            waits += step
        else:
            size = min(step, len(text_of(queue)))
            queue.drop(size)
            waits = waits[size:]

        assert text_of(queue) == waits[: len(text_of(queue))]
        assert queue.bytes == len(waits)
        assert shared.used == len(waits) + 5
