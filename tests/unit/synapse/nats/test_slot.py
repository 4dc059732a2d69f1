"""A slot holds what a client says against the subject that it came by, and loses nothing."""

import pytest

from cosmonapse.signals import TYPE_OF_CODE
from cosmonapse.synapse.nats import frames, subjects
from cosmonapse.synapse.nats.credit import FLIGHT_BYTES
from cosmonapse.synapse.nats.far_client import FORGOTTEN
from cosmonapse.synapse.nats.frames import Tag, Totals
from cosmonapse.synapse.nats.pieces import Outgoing
from cosmonapse.synapse.nats.shares import slot_of
from support.nats_bench import Bench
from zmq_transport.sockets.sent import Sent
from zmq_transport.wire import heads
from zmq_transport.wire.heads import Verb

TOPIC = heads.kind_topic("demo", 2)
FOREIGN = heads.kind_topic("other", 2)


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def pair(bench):
    """Return a caller and a worker that serves `echo`."""
    caller, worker = bench.client("1"), bench.client("2")
    caller.greet()
    worker.greet()
    worker.serve(b"echo")
    caller.take(), worker.take()
    return caller, worker


def listen(client, topic=TOPIC):
    client.say(frames.pack_topic(Tag.SUBSCRIBE, topic))


def publication(topic, body=b"news", sequence=0):
    header = heads.pack_header(b"p" * 16, sequence, b"p" * 16, heads.NOBODY)
    return frames.pack_publication(topic, header, body)


def test_a_client_that_greets_is_welcome_and_a_task_finds_its_worker(bench):
    caller, worker = bench.client("1"), bench.client("2")

    welcome = caller.greet()
    worker.greet()
    worker.serve(b"echo")
    worker.take()
    caller.task(b"echo")

    assert Verb.WELCOME in welcome
    assert [verb for verb, _, _ in worker.take()] == [Verb.TASK]


def test_a_hello_for_another_namespace_than_that_of_the_subject_is_refused(bench):
    client = bench.client("1", namespace="demo")

    assert client.greet(namespace="other") == [Verb.REFUSED]
    assert bench.counts["drop.foreign_namespace"] == 1
    assert client.greet() != [Verb.REFUSED]


@pytest.mark.parametrize("tag", [Tag.SUBSCRIBE, Tag.PUBLICATION])
def test_a_topic_of_another_namespace_is_neither_heard_nor_published(bench, tag):
    client = bench.client()
    client.greet()
    other = bench.client("9", "other")
    other.greet()
    data = frames.pack_topic(tag, FOREIGN) if tag == Tag.SUBSCRIBE else publication(FOREIGN)

    client.say(data)

    assert bench.counts["drop.foreign_namespace"] == 1
    assert not bench.topics.take(subjects.of_topic(FOREIGN))
    assert not [each for each in bench.engines if len(each.subscriptions)]


def test_who_joins_hears_of_the_topics_of_its_own_namespace_alone():
    bench = Bench()
    one, two = same_slot()
    mine, theirs = bench.client("1", one), bench.client("2", two)
    listen(mine, heads.kind_topic(one, 2))
    listen(theirs, heads.kind_topic(two, 2))

    mine.say(frames.JOIN)

    topics = [frames.topic_in(data) for data in mine.raw() if data[0] == Tag.JOINS]
    assert topics == [heads.kind_topic(one, 2), heads.LIVE_TOPIC]


def same_slot():
    """Return two namespaces of the same slot."""
    seen = {}
    for number in range(1000):
        name = f"n{number}"
        if slot_of(name) in seen:
            break
        seen[slot_of(name)] = name
    return seen[slot_of(name)], name


def test_the_first_listener_is_told_to_publishers_and_the_last_one_that_leaves(bench):
    subscribed = subjects.subscribed("demo")
    one, two = bench.client("1"), bench.client("2")

    listen(one)
    listen(two)
    one.say(frames.pack_topic(Tag.UNSUBSCRIBE, TOPIC))
    two.say(frames.pack_topic(Tag.UNSUBSCRIBE, TOPIC))

    told = [data for _, data, _ in bench.post.take(subscribed)]
    assert told == [frames.pack_topic(Tag.JOINS, TOPIC), frames.pack_topic(Tag.LEAVES, TOPIC)]


def test_a_subscription_that_is_said_again_changes_nothing_and_a_sync_is_answered_again(bench):
    client = bench.client()
    sync = heads.sync_topic("demo", client.instance, 1)

    for _ in range(2):
        listen(client)
        listen(client, sync)

    assert [topic for topic, _, _ in client.heard()] == [sync, sync]
    assert [len(each.subscriptions) for each in bench.engines] == [1]


def test_a_publication_goes_out_on_the_subject_of_its_type(bench):
    client = bench.client()
    client.greet()

    client.say(publication(TOPIC))

    [(_, data, _)] = bench.topics.take("cosmo.demo.t." + TYPE_OF_CODE[2].value)
    assert frames.unpack_publication(data)[2] == b"news"


def test_a_large_publication_goes_in_pieces_and_the_answer_to_a_sync_behind_it():
    bench = Bench(max_payload=100)
    client = bench.client()
    client.greet()

    client.say(publication(TOPIC, b"x" * 50))
    client.say(frames.pack_topic(Tag.SUBSCRIBE, heads.sync_topic("demo", client.instance, 1)))
    before = [*bench.topics.sent]
    bench.topics.pump(1)

    assert not before
    kinds = [subject.split(".")[2] for subject, _, _ in bench.topics.sent]
    assert kinds.count("t") > 1
    assert kinds == sorted(kinds, reverse=True)
    assert kinds[-1] == "heard"
    assert bench.term.context.queued_topic_bytes == 0


# -- bounds --------------------------------------------------------------------------------------


def test_what_does_not_fit_through_the_window_waits_until_the_client_has_read(pair, bench):
    caller, worker = pair
    window = bench.engines[0].tables.settings.high_water
    for number in range(window + 10):
        caller.task(b"echo", number)
    busy = [verb for verb, _, _ in caller.take()].count(Verb.BOUNCE)
    raw = worker.raw()
    got = [data for data in raw if data[0] in frames.COUNTED]

    worker.say(frames.pack_read(Totals(len(got) + 1, sum(map(len, got)) + 10_000)))
    refused = bench.counts["drop.bad_totals"]
    everything = far_of(bench, worker).credit
    worker.say(frames.pack_read(everything._sent))
    caller.task(b"echo", window + 100)

    assert busy > 0
    assert refused == 1
    assert frames.ASK in raw
    assert [verb for verb, _, _ in worker.take()] == [Verb.TASK]


def test_more_than_may_be_on_its_way_waits_and_keeps_its_order_until_the_client_has_read():
    bench = Bench(high_water=100_000)
    caller, worker = bench.client("1"), bench.client("2")
    caller.greet()
    worker.greet()
    worker.serve(b"echo")
    worker.say(frames.pack_read(far_of(bench, worker).credit._sent))
    worker.raw()
    bodies = [bytes([number]) * 900_000 for number in range(40)]

    got, most = [], 0
    for number, body in enumerate(bodies):
        caller.task(b"echo", number, body)
    for _ in range(10):
        bench.post.pump()
        most = max(most, far_of(bench, worker).credit.unread.size_bytes)
        got += [body for verb, _, body in worker.take() if verb == Verb.TASK]
        worker.say(frames.pack_read(far_of(bench, worker).credit._sent))

    assert got == bodies
    assert FLIGHT_BYTES <= most < FLIGHT_BYTES + 1_000_000
    assert bench.term.context.queued_bytes == 0


def far_of(bench, client):
    return bench.term._by_subject[client.up][1]


def test_a_client_that_read_more_than_was_sent_is_told_to_begin_anew(bench):
    client = bench.client()

    client.say(frames.pack_read(Totals(5, 500)))

    assert FORGOTTEN in client.raw()
    assert bench.counts["drop.bad_totals"] == 1


def test_a_client_that_asks_learns_what_was_read(bench):
    client = bench.client()
    client.say(publication(TOPIC))

    client.say(frames.ASK)

    [data] = client.raw()
    assert frames.unpack_read(data) == Totals(1, len(publication(TOPIC)))


def test_messages_that_are_never_whole_cost_their_client_the_connection():
    bench = Bench(max_waiting_bytes_of_all=10_000, max_body_bytes=1024)
    client = bench.client()
    client.greet()
    for number in range(60):
        client.say(frames.pack_piece(number, b"x" * 500, is_last=False))

    assert bench.counts["cut.unfinished"] >= 1
    assert FORGOTTEN in client.raw()
    assert bench.term.context.partial_bytes <= 10_000


def test_pieces_of_a_task_are_put_together(pair, bench):
    caller, worker = pair
    outgoing = Outgoing(120)
    body = bytes(range(256)) * 4
    head = heads.pack(
        Verb.TASK, len(body), number=9_000, task=b"1" * 16, trace=b"t" * 16, address=b"echo"
    )
    outgoing.put(b"k", frames.pack_directed(head, body))

    for part in outgoing.take(1_000_000):
        caller.say(part)

    [(verb, _, got)] = worker.take()
    assert (verb, got) == (Verb.TASK, body)
    assert bench.term.context.partial_bytes == 0


# -- who is there --------------------------------------------------------------------------------


def test_a_probe_that_nobody_reads_is_the_end_of_a_connection(pair, bench):
    caller, worker = pair
    caller.task(b"echo")
    worker.take()
    bench.tick(0.1)

    bench.gone(worker.down)
    bench.tick(0.5)

    lost = [verb for verb, _, _ in caller.take()]
    assert Verb.LOST in lost
    assert bench.engines[0].counts["unreachable"] == 1


def test_a_reply_that_was_on_its_way_when_its_worker_ended_arrives(pair, bench):
    caller, worker = pair
    caller.task(b"echo")
    [(_, head, _)] = worker.take()
    task = heads.unpack_single(head)[5]
    bench.tick(0.1)
    bench.gone(worker.down)

    reply = heads.pack(Verb.REPLY, 4, peer=caller.instance, flags=1, task=task, trace=b"t" * 16)
    worker.send(reply, b"done")

    came = [(verb, body) for verb, _, body in caller.take() if verb != Verb.PING]
    assert came == [(Verb.REPLY, b"done")]


def test_a_connection_that_is_gone_is_forgotten_after_a_while(pair, bench):
    _, worker = pair
    bench.tick(1.0)
    bench.gone(worker.down)

    bench.tick(4.0)

    assert worker.up not in bench.term._by_subject
    assert len(bench.term._by_number) == 1


def test_a_silent_client_counts_as_gone_and_is_asked_who_it_is_when_it_speaks_again():
    bench = Bench(dead_after_s=4.0)
    client = bench.client()
    client.greet()
    bench.tick(8.0)
    gone = bench.engines[0].counts["unreachable"]
    client.take()

    client.say(frames.ASK)

    assert gone == 1
    assert [verb for verb, _, _ in client.take()] == [Verb.WHO]
    assert Verb.WELCOME in client.greet()


def test_a_client_that_says_a_word_now_and_then_stays():
    bench = Bench(dead_after_s=4.0)
    client = bench.client()
    client.greet()

    for _ in range(6):
        bench.tick(2.0)
        client.say(frames.ASK)

    assert bench.engines[0].counts["unreachable"] == 0


def test_who_has_never_greeted_is_probed_and_forgotten_once_nobody_is_there(bench):
    client = bench.client()
    client.say(frames.ASK)
    client.raw()
    bench.tick(4.0)

    bench.gone(client.down)
    bench.tick(4.0)

    assert client.up not in bench.term._by_subject


# -- publish though nobody listens ---------------------------------------------------------------


def test_a_router_may_publish_whatever_happens_though_nobody_listens():
    bench = Bench(always_publish=True)
    caller, worker = bench.client("1"), bench.client("2")
    caller.greet()
    worker.greet()
    worker.serve(b"echo")
    bench.post.take()

    caller.task(b"echo")
    head = heads.pack(
        Verb.TASK, 4, kind=1, number=9_000, task=b"2" * 16, trace=b"t" * 16, address=b"echo"
    )
    caller.send(head, b"work")

    assert bench.topics.take("cosmo.demo.t." + TYPE_OF_CODE[1].value)


def test_a_namespace_that_everybody_has_left_is_not_listened_to_any_more():
    bench = Bench(always_publish=True)
    client = bench.client()
    client.greet()
    before = [len(each.subscriptions) for each in bench.engines]
    bench.tick(1.0)
    bench.gone(client.down)

    bench.tick(5.0)

    assert before == [len(TYPE_OF_CODE)]
    assert [len(each.subscriptions) for each in bench.engines] == [0]


# -- what is left over ---------------------------------------------------------------------------


def test_nothing_is_sent_to_a_connection_that_is_gone_and_it_is_still_read_for_a_while(pair, bench):
    _, worker = pair
    bench.tick(1.0)
    bench.gone(worker.down)
    slot, far = bench.term._by_subject[worker.up]
    bench.post.take()

    sent = slot.send(far.connection, heads.pack(Verb.GOING_AWAY), b"")
    bench.tick(1.5)

    assert sent is Sent.UNREACHABLE
    assert not worker.raw()
    assert worker.up in bench.term._by_subject


def test_what_waits_is_not_counted_any_more_once_everything_is_forgotten():
    bench = Bench(max_payload=200)
    client = bench.client()
    client.greet()
    client.say(publication(TOPIC, b"x" * 500))
    waited = bench.term.context.queued_topic_bytes

    bench.term.end()
    bench.topics.pump()

    assert waited >= 500
    assert bench.term.context.queued_topic_bytes == 0


def test_an_end_that_found_no_room_goes_out_as_soon_as_there_is_room():
    bench = Bench(high_water=20)
    caller = bench.client()
    caller.greet()
    for number in range(1, 41):
        caller.task(b"nobody", number)
    before = [verb for verb, _, _ in caller.take()].count(Verb.BOUNCE)

    caller.say(frames.pack_read(far_of(bench, caller).credit._sent))

    after = [verb for verb, _, _ in caller.take()].count(Verb.BOUNCE)
    assert 0 < before < 40
    assert after > 0
