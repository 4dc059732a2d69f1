"""Subscriptions at the proxy."""

import pytest

from zmq_transport.access.origin import Origin
from zmq_transport.proxy.subscriptions import ACCEPT, FORWARD, FREE_SYNCS, IGNORE, SYNC
from zmq_transport.wire import heads

TRACE = b"r" * 16
TOPIC = heads.kind_topic("demo", 2)
OTHER = heads.kind_topic("demo", 3)
SYNC_TOPIC = heads.sync_topic("demo", bytes(16), 1)
HEADER = heads.pack_header(bytes(16), 0, bytes(16), bytes(16))


@pytest.fixture
def subscriptions(bench):
    return connected(bench)


def connected(bench, count=8):
    """Return the subscriptions of an engine, with connections 0 to 7."""
    subscriptions = bench.engine.subscriptions
    for connection in range(count):
        subscriptions.opened(connection)
    return subscriptions


def at(connection, host="host"):
    """Return where a subscription comes from."""
    return Origin("", host, connection)


def is_watched(bench, kind=2):
    """Tell whether messages of a kind are copied."""
    namespace = bench.engine.tables.peers.namespaces.get("demo")
    return namespace is not None and namespace.subscribed.has_subscriber(kind, TRACE)


def test_the_first_listener_of_a_topic_is_passed_on_to_publishers(subscriptions):
    decisions = [subscriptions.subscribe(TOPIC, at(number)) for number in range(3)]

    assert decisions == [FORWARD, ACCEPT, ACCEPT]
    assert len(subscriptions) == 3


def test_the_last_listener_that_leaves_is_passed_on(subscriptions):
    for number in range(2):
        subscriptions.subscribe(TOPIC, at(number))

    assert [subscriptions.unsubscribe(TOPIC, number) for number in (0, 1, 1)] == [
        False,
        True,
        False,
    ]
    assert len(subscriptions) == 0


def test_a_connection_holds_a_topic_once_however_often_it_subscribes(bench, subscriptions):
    decisions = [subscriptions.subscribe(TOPIC, at(0)) for _ in range(2)]

    assert decisions == [FORWARD, ACCEPT]
    assert len(subscriptions) == 1
    assert subscriptions.unsubscribe(TOPIC, 0) is True
    assert not is_watched(bench)


def test_a_sync_is_answered_on_its_own_topic(bench, subscriptions):
    assert subscriptions.subscribe(SYNC_TOPIC, at(0)) == SYNC

    _, topic, header, body = subscriptions.answer(SYNC_TOPIC)

    publisher = bench.engine.tables.epoch
    assert (topic, body) == (SYNC_TOPIC, b"")
    assert heads.unpack_header(header) == (publisher, 0, heads.NOBODY, heads.NOBODY)


def test_a_sync_is_no_listener_of_anything(bench, subscriptions):
    subscriptions.subscribe(SYNC_TOPIC, at(0))

    assert not bench.engine.tables.peers.namespaces
    assert subscriptions.unsubscribe(SYNC_TOPIC, 0) is False
    assert len(subscriptions) == 0


@pytest.mark.parametrize(
    ("topic", "reason"),
    [(b"", "bad_topic"), (b"demo/t/2", "bad_topic"), (b"x" * 2048, "long_topic")],
)
def test_what_is_no_topic_is_ignored_and_counted(bench, subscriptions, topic, reason):
    assert subscriptions.subscribe(topic, at(0)) == IGNORE
    assert bench.counts[f"ignored.{reason}"] == 1
    assert len(subscriptions) == 0


def test_a_namespace_that_is_not_served_is_ignored(bench_with):
    bench = bench_with(namespaces=frozenset({"prod"}))

    assert connected(bench).subscribe(TOPIC, at(0)) == IGNORE
    assert bench.counts["ignored.foreign_namespace"] == 1


def test_subscriptions_are_bounded_in_total(bench_with):
    bench = bench_with(max_topics=2)
    subscribe = connected(bench).subscribe

    decisions = [subscribe(TOPIC, at(number, host)) for number, host in enumerate("abc")]

    assert decisions == [FORWARD, ACCEPT, IGNORE]
    assert bench.counts["ignored.max_topics"] == 1


def test_subscriptions_are_bounded_for_each_host(bench_with):
    bench = bench_with(max_topics_per_host=1)
    subscribe = connected(bench).subscribe

    decisions = [subscribe(TOPIC, at(number, host)) for number, host in enumerate("aab")]

    assert decisions == [FORWARD, IGNORE, ACCEPT]
    assert bench.counts["ignored.max_topics_per_host"] == 1


def test_subscriptions_are_bounded_for_each_connection(bench_with):
    bench = bench_with(max_topics_per_connection=1)
    subscriptions = connected(bench)

    decisions = [subscriptions.subscribe(topic, at(0)) for topic in (TOPIC, OTHER)]

    assert decisions == [FORWARD, IGNORE]
    assert bench.counts["ignored.max_topics_per_connection"] == 1
    assert subscriptions.subscribe(OTHER, at(1)) == FORWARD
    subscriptions.unsubscribe(TOPIC, 0)
    assert subscriptions.subscribe(OTHER, at(0)) == ACCEPT


def sync_topics(count):
    return [heads.sync_topic("demo", bytes(16), turn) for turn in range(count)]


def test_a_sync_needs_no_room_and_syncs_without_end_do(bench_with):
    bench = bench_with(max_topics=3)
    subscriptions = connected(bench)
    for number in range(3):
        subscriptions.subscribe(TOPIC, at(number))

    decisions = [subscriptions.subscribe(each, at(3)) for each in sync_topics(FREE_SYNCS + 1)]

    assert decisions == [SYNC] * FREE_SYNCS + [IGNORE]
    assert len(subscriptions) == 3
    assert bench.counts["ignored.max_topics"] == 1


def test_a_sync_that_was_left_makes_room_for_the_next(bench_with):
    subscriptions = connected(bench_with(max_topics=0))

    for topic in sync_topics(3 * FREE_SYNCS):
        assert subscriptions.subscribe(topic, at(0)) == SYNC
        assert subscriptions.unsubscribe(topic, 0) is False


def test_who_had_a_subscription_refused_is_not_told_that_all_are_in_force(bench_with):
    bench = bench_with(max_topics_per_connection=1)
    subscriptions = connected(bench)
    for topic in (TOPIC, OTHER):
        subscriptions.subscribe(topic, at(0))

    assert subscriptions.subscribe(SYNC_TOPIC, at(0)) == IGNORE
    assert bench.counts["ignored.unproven_sync"] == 1
    subscriptions.unsubscribe(OTHER, 0)
    assert subscriptions.subscribe(SYNC_TOPIC, at(0)) == SYNC


def test_of_very_many_refused_topics_not_all_are_remembered_and_no_sync_is_answered(bench_with):
    subscriptions = connected(bench_with(max_topics_per_connection=0))
    topics = [heads.trace_topic("demo", b"%016d" % number) for number in range(100)]
    for topic in topics:
        subscriptions.subscribe(topic, at(0))
    for topic in topics:
        subscriptions.unsubscribe(topic, 0)

    assert subscriptions.subscribe(SYNC_TOPIC, at(0)) == IGNORE
    subscriptions.opened(0)
    assert subscriptions.subscribe(SYNC_TOPIC, at(0)) == SYNC


@pytest.mark.parametrize("leaves", ["unsubscribe", "closed"])
def test_who_was_ignored_over_a_limit_takes_nobody_along_when_it_leaves(bench_with, leaves):
    bench = bench_with(max_topics=1)
    subscriptions = connected(bench)
    subscriptions.subscribe(TOPIC, at(0, "a"))
    assert subscriptions.subscribe(TOPIC, at(1, "b")) == IGNORE

    left = subscriptions.unsubscribe(TOPIC, 1) if leaves == "unsubscribe" else None
    subscriptions.closed(1)

    assert not left
    assert subscriptions.release(10) == []
    assert len(subscriptions) == 1
    assert is_watched(bench)


@pytest.mark.parametrize("leaves", ["unsubscribe", "closed"])
def test_who_leaves_makes_room_for_its_own_host_and_for_no_other(bench_with, leaves):
    """Both hosts hold the topic, and the first one leaves."""
    subscriptions = connected(bench_with(max_topics_per_host=1))
    for number, host in enumerate("ab"):
        subscriptions.subscribe(TOPIC, at(number, host))

    if leaves == "unsubscribe":
        subscriptions.unsubscribe(TOPIC, 0)
    else:
        subscriptions.closed(0)

    assert subscriptions.subscribe(OTHER, at(1, "b")) == IGNORE
    assert subscriptions.subscribe(OTHER, at(2, "a")) == FORWARD


def test_the_topics_of_a_connection_that_ended_are_taken_back_in_steps(bench, subscriptions):
    for topic in (TOPIC, OTHER):
        subscriptions.subscribe(topic, at(0))
    subscriptions.subscribe(TOPIC, at(1))

    subscriptions.closed(0)

    assert len(subscriptions) == 1
    steps = [topic for _ in range(3) for topic in subscriptions.release(1)]
    assert steps == [OTHER]
    assert (is_watched(bench), is_watched(bench, 3)) == (True, False)


def test_a_connection_under_the_name_of_one_that_ended_is_another(bench, subscriptions):
    subscriptions.subscribe(TOPIC, at(0))
    subscriptions.closed(0)
    subscriptions.opened(0)

    assert subscriptions.subscribe(TOPIC, at(0)) == ACCEPT
    assert subscriptions.release(10) == []
    assert is_watched(bench)


@pytest.mark.parametrize("connection", [None, 9])
def test_a_subscription_over_no_connection_is_ignored_and_counted(bench, subscriptions, connection):
    assert subscriptions.subscribe(TOPIC, at(connection)) == IGNORE
    assert subscriptions.unsubscribe(TOPIC, connection) is False
    assert bench.counts["ignored.no_connection"] == 1


def test_who_never_subscribed_cannot_leave(bench, subscriptions):
    assert subscriptions.unsubscribe(TOPIC, 0) is False
    assert subscriptions.unsubscribe(b"nonsense", 0) is False
    assert len(subscriptions) == 0


def test_a_namespace_that_is_only_listened_to_is_forgotten_with_its_last_listener(
    bench, subscriptions
):
    subscriptions.subscribe(TOPIC, at(0))
    assert set(bench.engine.tables.peers.namespaces) == {"demo"}

    subscriptions.unsubscribe(TOPIC, 0)

    assert not bench.engine.tables.peers.namespaces


@pytest.mark.parametrize("topic", [TOPIC, heads.trace_topic("demo", TRACE)])
def test_what_a_client_publishes_is_passed_on(bench, topic):
    assert bench.engine.on_publication([topic, HEADER, b"body"], bench.now_s)
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

    assert not bench.engine.on_publication(frames, bench.now_s)
    assert bench.counts == {f"drop.{reason}": 1}
