"""What comes to a hub goes out by its port: at the end of a turn, in order, and nothing twice."""

import pytest

from support.hub_port import NOW_S, HubBench, task_id
from zmq_transport.access.origin import Origin
from zmq_transport.access.rights import EVERYTHING, NOTHING, Access
from zmq_transport.wire import heads
from zmq_transport.wire.heads import Verb

TOPIC = heads.kind_topic("demo", 2)
OTHER = heads.kind_topic("demo", 3)
SYNC = b"demo/_sync/" + b"0" * 32 + b"-1/"


@pytest.fixture
def bench():
    return HubBench()


def listen(bench, name, topic, user=""):
    """Let a connection listen to a topic."""
    connection = name.encode()
    if connection not in bench.hub._open:
        bench.hub.opened(connection)
    bench.hub.on_subscribe(connection, topic, Origin(user, "here", connection))
    return connection


def publish(bench, topic, number=0):
    header = heads.pack_header(b"p" * 16, number, b"p" * 16, heads.NOBODY)
    bench.hub.on_publication(b"p", topic, header, b"news", NOW_S)


def test_the_messages_of_a_turn_travel_together_at_its_end(bench):
    bench.join("worker", "echo")
    caller, _ = bench.join("caller")
    for number in range(3):
        bench.task(caller, number, b"echo")
    before = [*bench.port.sent]

    bench.hub.flush()

    assert (before, len(bench.port.sent)) == ([], 1)
    assert bench.port.messages_to(b"worker") == [
        (Verb.TASK, task_id(number), b"work") for number in range(3)
    ]


def test_a_turn_sends_first_and_publishes_then(bench):
    bench.join("worker", "echo")
    caller, _ = bench.join("caller")
    listen(bench, "ear", heads.trace_topic("demo", b"r" * 16))
    bench.port.log.clear()

    bench.task(caller, 1, b"echo")
    bench.hub.flush()

    assert [name for name, *_ in bench.port.log] == ["send", "publish"]


def test_neighbours_of_one_topic_are_published_as_one(bench):
    for number in range(3):
        publish(bench, TOPIC, number)

    bench.hub.flush()

    [(topic, header, body)] = bench.port.take("publish")
    assert (topic, body) == (TOPIC, b"news" * 3)
    assert len(header) == heads.HEADER_BYTES + 3 * 4


def test_a_publication_that_is_invalid_goes_nowhere_and_is_counted(bench):
    publish(bench, b"no topic")
    bench.hub.flush()

    assert bench.port.log == []
    assert bench.counts["drop.bad_topic"] == 1


def test_publishers_hear_of_the_first_listener_and_of_the_last(bench):
    listen(bench, "one", TOPIC)
    listen(bench, "two", TOPIC)
    first = bench.port.take("tell")

    bench.hub.on_unsubscribe(b"one", TOPIC)
    between = bench.port.take("tell")
    bench.hub.on_unsubscribe(b"two", TOPIC)

    assert (first, between) == ([(True, TOPIC)], [])
    assert bench.port.take("tell") == [(False, TOPIC)]
    assert list(bench.hub.listeners(TOPIC)) == []


def test_the_same_subscription_again_changes_nothing(bench):
    listen(bench, "one", TOPIC)
    listen(bench, "one", TOPIC)

    bench.hub.on_unsubscribe(b"one", TOPIC)

    assert bench.port.take("tell") == [(True, TOPIC), (False, TOPIC)]


def test_a_subscription_that_is_refused_is_none(bench):
    listen(bench, "one", b"no topic")
    bench.hub.on_subscribe(b"stranger", TOPIC, Origin("", "here", b"stranger"))

    assert bench.port.log == []
    assert list(bench.hub.listeners(b"no topic")) == list(bench.hub.listeners(TOPIC)) == []
    assert bench.counts["ignored.bad_topic"] == bench.counts["ignored.no_connection"] == 1


def test_a_sync_is_answered_each_time_behind_what_was_published_before(bench):
    publish(bench, TOPIC)

    listen(bench, "one", SYNC)
    listen(bench, "one", SYNC)

    assert [name for name, *_ in bench.port.log] == ["publish", "answer", "answer"]
    assert bench.port.take("answer") == [(b"one", SYNC)] * 2


def test_the_end_of_a_connection_ends_all_that_it_listens_to(bench):
    listen(bench, "one", TOPIC)
    listen(bench, "one", OTHER)
    listen(bench, "two", OTHER)
    bench.port.log.clear()

    bench.hub.closed(b"one")
    bench.hub.closed(b"one")
    bench.hub.flush()

    assert bench.port.take("tell") == [(False, TOPIC)]
    assert list(bench.hub.listeners(OTHER)) == [b"two"]


def test_a_connection_of_the_same_name_begins_anew(bench):
    listen(bench, "one", TOPIC)

    bench.hub.opened(b"one")
    bench.hub.flush()

    assert bench.port.take("tell") == [(True, TOPIC), (False, TOPIC)]


def test_after_the_end_of_a_connection_with_very_many_topics_publishers_hear_in_steps(bench):
    topics = {heads.trace_topic("demo", task_id(number)) for number in range(300)}
    for topic in topics:
        listen(bench, "one", topic)
    bench.port.log.clear()
    bench.hub.closed(b"one")

    told = []
    for _ in range(2):
        bench.hub.flush()
        told.append(bench.port.take("tell"))

    assert [len(each) for each in told] == [256, 44]
    assert {topic for each in told for _, topic in each} == topics


def test_who_joins_is_told_every_topic_and_then_the_sentinel(bench):
    listen(bench, "one", TOPIC)
    listen(bench, "two", OTHER)
    listen(bench, "two", SYNC)
    bench.hub.on_unsubscribe(b"two", OTHER)

    bench.hub.on_join(b"three")

    assert bench.port.take("tell_one") == [
        (b"three", True, TOPIC),
        (b"three", True, heads.LIVE_TOPIC),
    ]


def test_who_joins_before_the_end_of_a_listener_is_told_hears_that_of_the_next_one(bench):
    listen(bench, "one", TOPIC)
    bench.hub.closed(b"one")

    bench.hub.on_join(b"three")
    listen(bench, "two", TOPIC)
    bench.hub.flush()

    assert (b"three", True, TOPIC) in bench.port.take("tell_one")
    assert bench.port.take("tell") == [(True, TOPIC)]


def test_a_worker_that_is_not_there_gets_no_tasks(bench):
    bench.join("worker", "echo")
    caller, _ = bench.join("caller")

    bench.hub.on_unreachable(b"worker", NOW_S)
    bench.task(caller, 1, b"echo")
    bench.hub.flush()

    assert bench.port.messages_to(caller) == [(Verb.BOUNCE, task_id(1), b"no_route")]


@pytest.mark.parametrize("fault", ["gone", "busy"])
def test_each_task_of_a_bundle_that_cannot_be_sent_comes_back_by_itself(bench, fault):
    bench.join("worker", "echo")
    caller, _ = bench.join("caller")
    if fault == "gone":
        bench.port.gone.add(b"worker")
    else:
        bench.port.room[b"worker"] = 0

    for number in range(3):
        bench.task(caller, number, b"echo")
    bench.hub.flush()

    reason = b"no_route" if fault == "gone" else b"busy"
    assert bench.port.messages_to(caller) == [
        (Verb.BOUNCE, task_id(number), reason) for number in range(3)
    ]


@pytest.fixture(params=[Verb.BOUNCE, Verb.LOST])
def waiting(bench, request):
    """A caller for which 500 ends wait: alone, or in bundles."""
    caller, _ = bench.join("caller")
    for number in range(500):
        head = heads.pack(request.param, 7, task=task_id(number))
        assert bench.engine.on_unsent(caller, head, b"unknown", True, NOW_S) == []
    return caller


def test_what_found_no_room_goes_out_when_there_is_and_not_at_a_tick_only(bench, waiting):
    bench.hub.on_writable(waiting, NOW_S)

    ended = [task for _, task, _ in bench.port.messages_to(waiting)]
    assert sorted(ended) == [task_id(number) for number in range(500)]


def test_a_caller_that_has_room_for_little_costs_little(bench, waiting):
    before = bench.counts.total()

    for _ in range(50):
        bench.port.room[waiting] = 1
        bench.hub.on_writable(waiting, NOW_S)

    # One goes, the next two come back, and so the next time begins with one.
    assert len(bench.port.messages_to(waiting)) == 50
    assert bench.counts.total() - before == 100


def test_a_line_that_must_be_cut_is_closed_counted_once_and_named_to_the_port():
    access = Access({b"k": "ada"}, {"ada": EVERYTHING})
    bench = HubBench(access=access)
    listen(bench, "one", TOPIC, user="ada")

    bench.engine.use_access(Access({b"k": "ada"}, {"ada": NOTHING}))
    for after_s in (0, 1, 2):
        bench.hub.tick(NOW_S + after_s)
        bench.hub.flush()

    assert bench.port.take("cut") == [(b"one", "revoked")]
    assert bench.counts["cut.revoked"] == 1
    assert bench.port.take("tell") == [(True, TOPIC), (False, TOPIC)]


def test_every_client_is_told_of_the_end(bench):
    caller, _ = bench.join("caller")

    bench.hub.go_away()
    bench.hub.flush()

    assert [verb for verb, _, _ in bench.port.messages_to(caller)] == [Verb.GOING_AWAY]
    assert bench.engine.draining
