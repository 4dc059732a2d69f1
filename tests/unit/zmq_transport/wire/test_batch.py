"""What is published together, and that it stays what it was."""

import pytest

from zmq_transport.errors import WireError
from zmq_transport.wire import heads
from zmq_transport.wire.batch import MAX_BYTES, MAX_ITEMS, Batcher, OpenBatch, singles

TOPIC, OTHER = heads.kind_topic("demo", 2), heads.kind_topic("demo", 3)


def message(
    sequence, body=b"body", topic=TOPIC, publisher=b"p", caller=heads.NOBODY, worker=heads.NOBODY
):
    return topic, heads.pack_header(publisher * 16, sequence, caller, worker), body


def batched(*messages):
    batcher = Batcher()
    for each in messages:
        batcher.add(*each)
    return batcher.take()


def test_a_lone_message_stays_as_it_was():
    lone = message(7)

    [taken] = batched(lone)

    assert taken == lone
    assert taken[2] is lone[2]


def test_neighbours_are_one_message_and_come_apart_as_they_were():
    messages = [message(number, b"%d" % number) for number in range(5)]

    [batch] = batched(*messages)

    assert batch[2] == b"01234"
    assert singles(*batch) == messages


@pytest.mark.parametrize(
    "other",
    [
        message(1, topic=OTHER),
        message(1, publisher=b"q"),
        message(1, caller=b"c" * 16),
        message(1, worker=b"w" * 16),
        message(2),
        message(0),
    ],
    ids=["topic", "publisher", "caller", "worker", "a gap", "a new count"],
)
def test_what_differs_is_a_message_of_its_own_and_keeps_its_place(other):
    messages = [message(0), other, message(9)]

    assert batched(*messages) == messages


def test_a_batch_is_bounded_in_number():
    messages = [message(number) for number in range(MAX_ITEMS + 1)]

    full, rest = batched(*messages)

    assert len(singles(*full)) == MAX_ITEMS
    assert rest == messages[-1]


def test_a_batch_is_bounded_in_bytes():
    messages = [message(number, bytes(MAX_BYTES // 2)) for number in range(3)]

    taken = batched(*messages)

    assert [len(body) for _, _, body in taken] == [MAX_BYTES, MAX_BYTES // 2]


def test_a_batch_that_comes_from_elsewhere_passes_as_it_is():
    [batch] = batched(message(0), message(1))

    assert batched(batch, message(2)) == [batch, message(2)]
    assert batched(message(9), batch) == [message(9), batch]


def test_what_was_taken_is_not_there_any_more():
    batcher = Batcher()
    batcher.add(*message(0))

    assert batcher
    batcher.take()
    assert not batcher
    assert batcher.take() == []


@pytest.mark.parametrize(
    ("tail", "body", "reason"),
    [
        (b"\x00\x00\x00\x01", b"x", "bad_header"),
        (b"\x00" * 5, b"", "bad_header"),
        (b"\x00" * 4 * 65, b"", "bad_header"),
        (b"\x00\x00\x00\x01" * 2, b"x", "body_length"),
        (b"\xff\xff\xff\xff" * 2, b"xy", "body_length"),
    ],
    ids=["one item", "half an item", "65 items", "too little", "far too little"],
)
def test_what_is_no_batch_is_refused(tail, body, reason):
    topic, header, _ = message(0)

    with pytest.raises(WireError) as caught:
        singles(topic, header + tail, body)

    assert caught.value.reason == reason


def in_turn(*messages):
    """Return what one publisher sends of its messages in one turn."""
    batch, sent = OpenBatch(b"p" * 16), []
    for topic, header, body in messages:
        _, sequence, caller, worker = heads.unpack_header(header)
        if not batch.add(topic, sequence, caller, worker, body):
            sent.append(batch.take())
            assert batch.add(topic, sequence, caller, worker, body)
    return [*sent, batch.take()]


@pytest.mark.parametrize(
    "messages",
    [
        [message(7)],
        [message(number, b"%d" % number) for number in range(5)],
        [message(number) for number in range(2 * MAX_ITEMS + 1)],
        [message(number, bytes(MAX_BYTES // 3)) for number in range(7)],
        [message(0, bytes(MAX_BYTES + 1)), message(1), message(2)],
        [message(0), message(1, topic=OTHER), message(2, topic=OTHER), message(1)],
        [message(0), message(1, caller=b"c" * 16), message(2, worker=b"w" * 16), message(4)],
    ],
    ids=["one", "five", "many", "large", "one too large", "two topics", "other ends"],
)
def test_an_open_batch_sends_the_bytes_that_a_batcher_sends(messages):
    assert in_turn(*messages) == batched(*messages)


def test_an_open_batch_is_empty_after_it_was_taken():
    batch = OpenBatch(b"p" * 16)
    batch.add(TOPIC, 0, heads.NOBODY, heads.NOBODY, b"")

    assert batch.take() is not None
    assert batch.take() is None
