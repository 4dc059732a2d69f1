"""Topics with subscribers, and gaps in their sequence numbers."""

import pytest

from support.vectors import VECTORS
from zmq_transport.wire import heads
from zmq_transport.wire.subscribed_topics import MAX_LEAP, Gaps, SubscribedTopics

PUBLISHER, CALLER, WORKER = b"p" * 16, b"c" * 16, b"w" * 16
TRACE, OTHER = b"r" * 16, b"o" * 16
KIND_TOPIC, TRACE_TOPIC = heads.kind_topic("demo", 2), heads.trace_topic("demo", TRACE)


@pytest.fixture
def subscribed():
    return SubscribedTopics(PUBLISHER)


def publish(subscribed, kind=2, trace=TRACE):
    return subscribed.publications(kind, trace, CALLER, WORKER, b"body")


def sequences(publications):
    return [heads.unpack_header(header)[1] for _, header, _ in publications]


def test_nothing_is_made_when_nobody_listens(subscribed):
    assert publish(subscribed) == []
    assert not subscribed
    assert not subscribed.has_subscriber(2, TRACE)


def test_a_message_is_made_for_who_listens_to_its_kind(subscribed):
    subscribed.subscribe(KIND_TOPIC, 2, None)

    [(topic, header, body)] = publish(subscribed)

    assert (topic, body) == (KIND_TOPIC, b"body")
    assert heads.unpack_header(header) == (PUBLISHER, 0, CALLER, WORKER)
    assert publish(subscribed, kind=3) == []


def test_a_message_is_made_for_who_listens_to_its_trace(subscribed):
    subscribed.subscribe(TRACE_TOPIC, None, TRACE)

    assert [topic for topic, _, _ in publish(subscribed, kind=9)] == [TRACE_TOPIC]
    assert publish(subscribed, trace=OTHER) == []


def test_a_message_is_made_for_each_of_the_two_topics_for_the_trace_first(subscribed):
    subscribed.subscribe(KIND_TOPIC, 2, None)
    subscribed.subscribe(TRACE_TOPIC, None, TRACE)

    assert [topic for topic, _, _ in publish(subscribed)] == [TRACE_TOPIC, KIND_TOPIC]
    assert len(subscribed) == 2


def test_each_topic_has_its_own_count(subscribed):
    subscribed.subscribe(KIND_TOPIC, 2, None)
    subscribed.subscribe(TRACE_TOPIC, None, TRACE)
    publish(subscribed, trace=OTHER)

    assert sequences(publish(subscribed)) == [0, 1]


def test_kind_zero_is_a_kind(subscribed):
    topic = heads.kind_topic("demo", 0)

    assert subscribed.subscribe(topic, 0, None)
    assert [each[0] for each in publish(subscribed, kind=0)] == [topic]
    assert subscribed.unsubscribe(0, None)


def test_only_the_first_to_come_and_the_last_to_go_are_told(subscribed):
    joined = [subscribed.subscribe(KIND_TOPIC, 2, None) for _ in range(3)]
    left = [subscribed.unsubscribe(2, None) for _ in range(4)]

    assert joined == [True, False, False]
    assert left == [False, False, True, False]
    assert not subscribed


def test_the_count_of_a_topic_begins_anew_with_its_next_listener(subscribed):
    subscribed.subscribe(KIND_TOPIC, 2, None)
    publish(subscribed)
    subscribed.unsubscribe(2, None)
    subscribed.subscribe(KIND_TOPIC, 2, None)

    assert sequences(publish(subscribed)) == [0]


def test_what_is_neither_kind_nor_trace_is_no_topic(subscribed):
    assert subscribed.unsubscribe(None, None) is False


def test_no_gap_shows_while_numbers_follow_each_other():
    gaps = Gaps()

    assert [gaps.seen(b"t", b"p", n) for n in (5, 6, 7)] == [0, 0, 0]


def test_a_gap_is_the_number_of_messages_in_between():
    gaps = Gaps()

    assert [gaps.seen(b"t", b"p", n) for n in (0, 3, 4, 10)] == [0, 2, 0, 5]
    assert gaps.missed == 7


@pytest.mark.parametrize("row", VECTORS["gaps"], ids=lambda row: row["name"])
def test_the_timelines_of_the_vectors_have_their_gaps(row):
    gaps = Gaps()

    assert [gaps.seen(b"t", b"p", int(text)) for text in row["sequences"]] == row["missing"]


def test_a_leap_of_over_two_to_the_20_is_a_new_count_and_told_as_one_missing_message():
    gaps = Gaps()
    numbers = [0, 1 + MAX_LEAP, 3 + 2 * MAX_LEAP, 2**62, 2**62 + 1, 4 + 2 * MAX_LEAP]

    assert [gaps.seen(b"t", b"p", n) for n in numbers] == [0, MAX_LEAP, 1, 1, 0, 0]


def test_a_lower_number_is_a_new_count_and_no_gap():
    gaps = Gaps()

    assert [gaps.seen(b"t", b"p", n) for n in (8, 0, 1, 3)] == [0, 0, 0, 1]


def test_topics_and_publishers_are_counted_apart():
    gaps = Gaps()
    gaps.seen(b"t", b"p", 0)

    assert gaps.seen(b"t", b"q", 9) == 0
    assert gaps.seen(b"u", b"p", 9) == 0
    assert gaps.seen(b"t", b"p", 2) == 1


def test_a_topic_that_is_forgotten_begins_anew():
    gaps = Gaps()
    gaps.seen(b"t", b"p", 0)
    gaps.seen(b"u", b"p", 0)

    gaps.forget(b"t")

    assert gaps.seen(b"t", b"p", 5) == 0
    assert gaps.seen(b"u", b"p", 5) == 4


def test_the_oldest_stream_is_forgotten_when_there_are_too_many():
    gaps = Gaps(max_streams=2)
    for topic in (b"1", b"2", b"3"):
        gaps.seen(topic, b"p", 0)

    assert gaps.seen(b"2", b"p", 5) == 4
    assert gaps.seen(b"1", b"p", 5) == 0
