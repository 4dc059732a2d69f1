"""Subscriptions at the proxy."""

import pytest

from zmq_transport.proxy.subscriptions import ACCEPT, FORWARD, IGNORE, SYNC
from zmq_transport.wire import heads

TRACE = b"r" * 16
TOPIC = heads.kind_topic("demo", 2)
SYNC_TOPIC = heads.sync_topic("demo", bytes(16), 1)
HEADER = heads.pack_header(bytes(16), 0, bytes(16), bytes(16))


@pytest.fixture
def subscriptions(bench):
    return bench.engine.subscriptions


def test_the_first_listener_of_a_topic_is_passed_on_to_publishers(subscriptions):
    decisions = [subscriptions.subscribe(TOPIC, "host") for _ in range(3)]

    assert decisions == [FORWARD, ACCEPT, ACCEPT]
    assert len(subscriptions) == 3


def test_the_last_listener_that_leaves_is_passed_on(subscriptions):
    for _ in range(2):
        subscriptions.subscribe(TOPIC, "host")

    assert [subscriptions.unsubscribe(TOPIC) for _ in range(3)] == [False, True, False]
    assert len(subscriptions) == 0


def test_a_sync_is_answered_on_its_own_topic(bench, subscriptions):
    assert subscriptions.subscribe(SYNC_TOPIC, "host") == SYNC

    _, topic, header, body = subscriptions.answer(SYNC_TOPIC)

    publisher = bench.engine.tables.epoch
    assert (topic, body) == (SYNC_TOPIC, b"")
    assert heads.unpack_header(header) == (publisher, 0, heads.NOBODY, heads.NOBODY)


def test_a_sync_is_no_listener_of_anything(bench, subscriptions):
    subscriptions.subscribe(SYNC_TOPIC, "host")

    assert not bench.engine.tables.peers.namespaces
    assert subscriptions.unsubscribe(SYNC_TOPIC) is False
    assert len(subscriptions) == 0


@pytest.mark.parametrize(
    ("topic", "reason"),
    [(b"", "bad_topic"), (b"demo/t/2", "bad_topic"), (b"x" * 2048, "long_topic")],
)
def test_what_is_no_topic_is_ignored_and_counted(bench, subscriptions, topic, reason):
    assert subscriptions.subscribe(topic, "host") == IGNORE
    assert bench.counts[f"ignored.{reason}"] == 1
    assert len(subscriptions) == 0


def test_a_namespace_that_is_not_served_is_ignored(bench_with):
    bench = bench_with(namespaces=frozenset({"prod"}))

    assert bench.engine.subscriptions.subscribe(TOPIC, "host") == IGNORE
    assert bench.counts["ignored.foreign_namespace"] == 1


def test_subscriptions_are_bounded_in_total(bench_with):
    bench = bench_with(max_topics=2)
    subscribe = bench.engine.subscriptions.subscribe

    assert [subscribe(TOPIC, host) for host in "abc"] == [FORWARD, ACCEPT, IGNORE]
    assert bench.counts["ignored.max_topics"] == 1


def test_subscriptions_are_bounded_for_each_host(bench_with):
    bench = bench_with(max_topics_per_host=1)
    subscriptions = bench.engine.subscriptions

    assert [subscriptions.subscribe(TOPIC, host) for host in "aab"] == [FORWARD, IGNORE, ACCEPT]
    assert bench.counts["ignored.max_topics_per_host"] == 1


def test_who_was_ignored_over_a_limit_takes_nobody_along_when_it_leaves(bench_with):
    bench = bench_with(max_topics=1)
    subscriptions = bench.engine.subscriptions
    assert [subscriptions.subscribe(TOPIC, host) for host in "ab"] == [FORWARD, IGNORE]

    left = subscriptions.unsubscribe(TOPIC)

    assert left is False
    assert len(subscriptions) == 1
    assert bench.engine.tables.peers.namespaces["demo"].subscribed.has_subscriber(2, TRACE)
    assert subscriptions.unsubscribe(TOPIC) is True
    assert len(subscriptions) == 0


def test_each_of_several_that_were_ignored_is_remembered(bench_with):
    subscriptions = bench_with(max_topics_per_host=1).engine.subscriptions
    decisions = [subscriptions.subscribe(TOPIC, "host") for _ in range(4)]

    left = [subscriptions.unsubscribe(TOPIC) for _ in range(5)]

    assert decisions == [FORWARD, IGNORE, IGNORE, IGNORE]
    assert left == [False, False, False, True, False]


def test_who_was_ignored_under_one_topic_says_nothing_of_another(bench_with):
    subscriptions = bench_with(max_topics=1).engine.subscriptions
    subscriptions.subscribe(TOPIC, "a")
    subscriptions.subscribe(heads.kind_topic("demo", 3), "b")

    assert subscriptions.unsubscribe(TOPIC) is True


@pytest.mark.parametrize("topic", [b"nonsense", heads.kind_topic("other", 2)])
def test_who_was_ignored_for_its_topic_needs_no_remembering(bench_with, topic):
    subscriptions = bench_with(namespaces=frozenset({"demo"})).engine.subscriptions
    subscriptions.subscribe(TOPIC, "a")
    assert subscriptions.subscribe(topic, "a") == IGNORE

    assert subscriptions.unsubscribe(topic) is False
    assert subscriptions.unsubscribe(TOPIC) is True


def test_who_leaves_makes_room_for_the_same_host(bench_with):
    subscriptions = bench_with(max_topics_per_host=1).engine.subscriptions
    subscriptions.subscribe(TOPIC, "a")
    subscriptions.unsubscribe(TOPIC)

    assert subscriptions.subscribe(TOPIC, "a") == FORWARD


def test_who_never_subscribed_cannot_leave(bench, subscriptions):
    assert subscriptions.unsubscribe(TOPIC) is False
    assert subscriptions.unsubscribe(b"nonsense") is False
    assert len(subscriptions) == 0


def test_a_namespace_that_is_only_listened_to_is_forgotten_with_its_last_listener(
    bench, subscriptions
):
    subscriptions.subscribe(TOPIC, "host")
    assert set(bench.engine.tables.peers.namespaces) == {"demo"}

    subscriptions.unsubscribe(TOPIC)

    assert not bench.engine.tables.peers.namespaces


@pytest.mark.parametrize("topic", [TOPIC, heads.trace_topic("demo", TRACE)])
def test_what_a_client_publishes_is_passed_on(bench, subscriptions, topic):
    assert subscriptions.published([topic, HEADER, b"body"])
    assert bench.counts["published"] == 1


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        ([TOPIC], "frame_count"),
        ([TOPIC, HEADER, b"", b""], "frame_count"),
        ([b"demo/t/2", HEADER, b""], "bad_topic"),
        ([heads.LIVE_TOPIC, HEADER, b""], "bad_topic"),
        ([SYNC_TOPIC, HEADER, b""], "bad_topic"),
        ([b"x" * 513, HEADER, b""], "long_topic"),
        ([TOPIC, HEADER[1:], b""], "bad_header"),
        ([TOPIC, HEADER, b"x" * 11], "too_large"),
        ([heads.kind_topic("other", 1), HEADER, b""], "foreign_namespace"),
    ],
)
def test_what_may_not_be_published_is_counted(bench_with, frames, reason):
    bench = bench_with(max_body_bytes=10, namespaces=frozenset({"demo"}))

    assert not bench.engine.subscriptions.published(frames)
    assert bench.counts == {f"drop.{reason}": 1}
