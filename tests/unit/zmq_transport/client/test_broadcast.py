"""The topics of a publisher over a reconnect, without a socket."""

import pytest

from zmq_transport.client.broadcast import Broadcast
from zmq_transport.wire import heads

INSTANCE, TRACE = bytes(range(16)), bytes(16)
TASKS, OUTPUTS = (heads.kind_topic("team", kind) for kind in (7, 8))


class Sending:
    """A carrier of which only the publications matter."""

    def __init__(self):
        self.sent = []

    def publish(self, *message):
        self.sent.append(message)


@pytest.fixture
def broadcast():
    return Broadcast(INSTANCE, "team", Sending(), lambda *_: None, lambda _: None)


def says(broadcast, *topics):
    """Let the far end subscribe, the sentinel last, as after each connection."""
    for topic in (*topics, heads.LIVE_TOPIC):
        broadcast.on_subscription(True, topic)


def is_heard(broadcast):
    return [broadcast.subscribed.has_subscriber(kind, TRACE) for kind in (7, 8)]


def test_a_topic_that_does_not_come_again_after_a_reconnect_is_forgotten(broadcast):
    says(broadcast, TASKS, OUTPUTS)
    broadcast.on_subscription(False, heads.LIVE_TOPIC)
    assert is_heard(broadcast) == [True, True]

    says(broadcast, OUTPUTS)

    assert is_heard(broadcast) == [False, True]


def test_a_topic_that_comes_again_is_one_subscription(broadcast):
    says(broadcast, TASKS)
    broadcast.on_subscription(False, heads.LIVE_TOPIC)
    says(broadcast, TASKS)

    broadcast.on_subscription(False, TASKS)

    assert is_heard(broadcast) == [False, False]


def test_a_topic_that_came_after_the_sentinel_is_looked_at_too(broadcast):
    says(broadcast, TASKS)
    broadcast.on_subscription(True, OUTPUTS)
    broadcast.on_subscription(False, heads.LIVE_TOPIC)

    says(broadcast, TASKS)

    assert is_heard(broadcast) == [True, False]


def test_the_end_of_a_subscription_that_was_never_made_changes_nothing(broadcast):
    says(broadcast, TASKS)

    broadcast.on_subscription(False, OUTPUTS)

    assert is_heard(broadcast) == [True, False]
