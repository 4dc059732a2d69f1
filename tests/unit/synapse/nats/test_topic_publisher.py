"""What is for who listens goes over a line of its own, within a bound of its own."""

import pytest

from cosmonapse.synapse.nats import frames
from cosmonapse.synapse.nats.frames import Tag
from cosmonapse.synapse.nats.post import TOPICS_SHARE
from support.nats_bench import Bench
from zmq_transport.wire import heads
from zmq_transport.wire.heads import Verb

TOPIC = heads.kind_topic("demo", 2)
SUBJECT = "cosmo.demo.t.AGENT_OUTPUT"
MOST_BYTES = 1_000_000


@pytest.fixture
def bench():
    return Bench(max_payload=1_000, max_waiting_bytes_of_all=MOST_BYTES)


@pytest.fixture
def client(bench):
    """Return a client that listens to one topic."""
    made = bench.client()
    made.greet()
    made.say(frames.pack_topic(Tag.SUBSCRIBE, TOPIC))
    bench.topics.take()
    return made


def publish(client, size=10):
    header = heads.pack_header(b"p" * 16, 0, b"p" * 16, heads.NOBODY)
    client.say(frames.pack_publication(TOPIC, header, b"x" * size))


def sync(client):
    client.say(frames.pack_topic(Tag.SUBSCRIBE, heads.sync_topic("demo", client.instance, 1)))


def test_publications_and_the_answer_to_a_sync_take_the_second_line_and_no_other(bench, client):
    publish(client)
    sync(client)

    subjects = [subject for subject, _, _ in bench.topics.sent]
    assert [each.split(".")[2] for each in subjects] == ["t", "heard"]
    assert not [each for each, _, _ in bench.post.sent if each in subjects]


def test_over_the_bound_publications_are_dropped_and_counted_and_calls_go_on(bench, client):
    worker = bench.client("2")
    worker.greet()
    worker.serve(b"echo")
    worker.take()

    bench.topics.waiting_bytes = MOST_BYTES // TOPICS_SHARE
    publish(client)
    client.task(b"echo")

    assert bench.counts["full.topics"] == 1
    assert not bench.topics.sent
    assert [verb for verb, _, _ in worker.take()] == [Verb.TASK]


def test_the_answer_to_a_sync_has_room_where_a_publication_has_none(bench, client):
    bench.topics.waiting_bytes = MOST_BYTES // TOPICS_SHARE
    sync(client)
    few = len(client.heard())

    bench.topics.waiting_bytes = MOST_BYTES
    sync(client)

    assert (few, len(client.heard())) == (1, 0)
    assert bench.counts["full.shared"] == 1


def test_what_waits_for_who_listens_counts_for_all(bench, client):
    publish(client, 5_000)
    context = bench.term.context
    waiting = context.waiting_topic_bytes

    bench.topics.pump()

    assert waiting > 5_000
    assert context.waiting_topic_bytes == context.waiting_bytes == 0


def test_without_the_second_line_publications_are_counted_and_syncs_are_answered(bench, client):
    bench.topics.is_connected = False

    publish(client)
    sync(client)

    assert bench.counts["drop.no_topic_line"] == 1
    assert not bench.topics.sent
    assert [each for each in bench.post.sent if each[0] == client.heard_at]


def test_of_a_message_in_pieces_none_is_sent_after_a_break(bench, client):
    publish(client, 5_000)
    publish(client)

    bench.term.forget_publications()
    bench.topics.pump()
    publish(client)

    assert bench.counts["drop.no_topic_line"] == 2
    assert bench.term.context.waiting_topic_bytes == 0
    [(_, data, _)] = bench.topics.sent
    assert frames.tag_of(data) == Tag.PUBLICATION
