"""Whatever is published in a turn comes out once, in its order, each with its own number."""

from hypothesis import given
from hypothesis import strategies as st

from zmq_transport.wire import heads
from zmq_transport.wire.batch import MAX_BYTES, MAX_ITEMS, Batcher, singles
from zmq_transport.wire.subscribed_topics import Gaps

MESSAGES = st.lists(
    st.tuples(
        st.sampled_from([heads.kind_topic("demo", 2), heads.trace_topic("demo", b"r" * 16)]),
        st.sampled_from([b"p" * 16, b"q" * 16]),
        st.sampled_from([heads.NOBODY, b"c" * 16]),
        st.sampled_from([0, 0, 0, 0, 1, 3]),
        st.sampled_from([0, 1, 40, MAX_BYTES]),
        st.integers(1, 70),
    ),
    max_size=8,
)


def published(steps):
    """Return messages as publishers make them; some numbers are missing."""
    numbers, made = {}, []
    for topic, publisher, caller, skipped, size, repeats in steps:
        for _ in range(repeats):
            number = numbers.get((topic, publisher), 0) + skipped
            numbers[topic, publisher] = number + 1
            header = heads.pack_header(publisher, number, caller, heads.NOBODY)
            made.append((topic, header, bytes([number % 256]) * size))
    return made


def missed(messages):
    """Return how many messages a listener finds missing."""
    gaps = Gaps()
    for topic, header, body in messages:
        sizes = (len(body),)
        if len(header) != heads.HEADER_BYTES:
            header, sizes = heads.read_batch(header, len(body))
        publisher, sequence, _, _ = heads.unpack_header(header)
        gaps.seen(topic, publisher, sequence, len(sizes))
    return gaps.missed


@given(steps=MESSAGES)
def test_what_is_published_comes_out_once_and_in_its_order(steps):
    messages, batcher = published(steps), Batcher()
    for each in messages:
        batcher.add(*each)

    taken = batcher.take()

    parts = [singles(*each) for each in taken]
    assert [single for each in parts for single in each] == messages
    assert all(len(each) <= MAX_ITEMS for each in parts)
    assert all(len(body) <= MAX_BYTES for _, _, body in taken)
    assert missed(taken) == missed(messages)
