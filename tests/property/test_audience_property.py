"""Copies are made for topics with listeners only, and their numbers tell what is missing."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from zmq_transport.wire import heads
from zmq_transport.wire.subscribed_topics import Gaps, SubscribedTopics

KINDS = st.integers(0, 2)
TRACES = st.sampled_from([b"1" * 16, b"2" * 16])
TOPICS = st.tuples(KINDS, st.none()) | st.tuples(st.none(), TRACES)
STEPS = st.lists(
    st.tuples(st.sampled_from(["join", "leave"]), TOPICS)
    | st.tuples(st.just("publish"), st.tuples(KINDS, TRACES)),
    max_size=60,
)


def topic_of(kind, trace):
    if kind is not None:
        return heads.kind_topic("space", kind)
    return heads.trace_topic("space", trace)


@given(steps=STEPS)
def test_copies_go_to_listeners_only_and_are_numbered_without_holes(steps):
    subscribed, subscriptions, sequences = SubscribedTopics(b"p" * 16), Counter(), Counter()
    for verb, (kind, trace) in steps:
        topic = topic_of(kind, trace)
        if verb == "join":
            subscriptions[topic] += 1
            assert subscribed.subscribe(topic, kind, trace) == (subscriptions[topic] == 1)
        elif verb == "leave":
            last = subscriptions[topic] == 1
            subscriptions[topic] = max(0, subscriptions[topic] - 1)
            assert subscribed.unsubscribe(kind, trace) == last
            if last:
                del sequences[topic]
        else:
            wanted = [t for t in (topic_of(None, trace), topic_of(kind, None)) if subscriptions[t]]
            assert subscribed.has_subscriber(kind, trace) == bool(wanted)
            made = subscribed.publications(kind, trace, b"c" * 16, b"w" * 16, b"body")
            assert [topic for topic, _, _ in made] == wanted
            for topic, header, body in made:
                number = sequences[topic]
                assert heads.unpack_header(header) == (b"p" * 16, number, b"c" * 16, b"w" * 16)
                assert body == b"body"
                sequences[topic] += 1
        assert len(subscribed) == sum(count > 0 for count in subscriptions.values())
        assert bool(subscribed) == bool(len(subscribed))


@given(arrived=st.lists(st.booleans(), min_size=1, max_size=50))
def test_what_is_missing_between_two_messages_is_counted(arrived):
    gaps, seen = Gaps(), [number for number, here in enumerate(arrived) if here]

    missing = [gaps.seen(b"topic", b"publisher", number) for number in seen]

    assert sum(missing) == gaps.missed
    assert gaps.missed == (seen[-1] - seen[0] + 1 - len(seen) if seen else 0)


@given(topics=st.lists(st.integers(0, 9), max_size=60), bound=st.integers(1, 4))
def test_gaps_remember_a_bounded_number_of_streams(topics, bound):
    gaps = Gaps(max_streams=bound)

    for number, topic in enumerate(topics):
        gaps.seen(bytes([topic]), b"publisher", number)

    assert len(gaps._next) <= bound
