"""Who listens, and what they missed."""

import pytest

from zmq_transport import wire
from zmq_transport.audience import Audience, Gaps

PUBLISHER, CALLER, WORKER = b"p" * 16, b"c" * 16, b"w" * 16
TRACE, OTHER = b"r" * 16, b"o" * 16
KIND_TOPIC, TRACE_TOPIC = wire.kind_topic("demo", 2), wire.trace_topic("demo", TRACE)


@pytest.fixture
def audience():
    return Audience(PUBLISHER)


def publish(audience, kind=2, trace=TRACE):
    return audience.publications(kind, trace, CALLER, WORKER, b"body")


def sequences(publications):
    return [wire.unpack_header(header)[1] for _, header, _ in publications]


def test_nothing_is_made_when_nobody_listens(audience):
    assert publish(audience) == []
    assert not audience
    assert not audience.listens(2, TRACE)


def test_a_message_is_made_for_who_listens_to_its_kind(audience):
    audience.joined(KIND_TOPIC, 2, None)

    [(topic, header, body)] = publish(audience)

    assert (topic, body) == (KIND_TOPIC, b"body")
    assert wire.unpack_header(header) == (PUBLISHER, 0, CALLER, WORKER)
    assert publish(audience, kind=3) == []


def test_a_message_is_made_for_who_listens_to_its_trace(audience):
    audience.joined(TRACE_TOPIC, None, TRACE)

    assert [topic for topic, _, _ in publish(audience, kind=9)] == [TRACE_TOPIC]
    assert publish(audience, trace=OTHER) == []


def test_a_message_is_made_for_each_of_the_two_topics_for_the_trace_first(audience):
    audience.joined(KIND_TOPIC, 2, None)
    audience.joined(TRACE_TOPIC, None, TRACE)

    assert [topic for topic, _, _ in publish(audience)] == [TRACE_TOPIC, KIND_TOPIC]
    assert len(audience) == 2


def test_each_topic_has_its_own_count(audience):
    audience.joined(KIND_TOPIC, 2, None)
    audience.joined(TRACE_TOPIC, None, TRACE)
    publish(audience, trace=OTHER)

    assert sequences(publish(audience)) == [0, 1]


def test_kind_zero_is_a_kind(audience):
    topic = wire.kind_topic("demo", 0)

    assert audience.joined(topic, 0, None)
    assert [each[0] for each in publish(audience, kind=0)] == [topic]
    assert audience.left(0, None)


def test_only_the_first_to_come_and_the_last_to_go_are_told(audience):
    joined = [audience.joined(KIND_TOPIC, 2, None) for _ in range(3)]
    left = [audience.left(2, None) for _ in range(4)]

    assert joined == [True, False, False]
    assert left == [False, False, True, False]
    assert not audience


def test_the_count_of_a_topic_begins_anew_with_its_next_listener(audience):
    audience.joined(KIND_TOPIC, 2, None)
    publish(audience)
    audience.left(2, None)
    audience.joined(KIND_TOPIC, 2, None)

    assert sequences(publish(audience)) == [0]


def test_what_is_neither_kind_nor_trace_is_no_topic(audience):
    assert audience.left(None, None) is False


def test_no_gap_shows_while_numbers_follow_each_other():
    gaps = Gaps()

    assert [gaps.seen(b"t", b"p", n) for n in (5, 6, 7)] == [0, 0, 0]


def test_a_gap_is_the_number_of_messages_in_between():
    gaps = Gaps()

    assert [gaps.seen(b"t", b"p", n) for n in (0, 3, 4, 10)] == [0, 2, 0, 5]
    assert gaps.missed == 7


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
