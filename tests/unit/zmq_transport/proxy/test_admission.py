"""Who is let in."""

import pytest

from zmq_transport.wire import greetings, heads
from zmq_transport.wire.heads import Verb

CONNECTION = b"connection"


def test_a_probe_of_a_stranger_is_answered_with_who(bench):
    [sent] = bench.say(CONNECTION, b"")

    assert (sent.to, sent.verb) == (CONNECTION, Verb.WHO)
    assert greetings.unpack_map(sent.body)["speaks"] == [1, 1]


def test_a_stranger_is_asked_once_a_second(bench):
    asked = []
    for _ in range(4):
        asked.append(len(bench.say(CONNECTION, b"")))
        bench.now_s += 0.5

    assert asked == [1, 0, 1, 0]


def test_strangers_are_asked_each_for_itself(bench):
    assert len(bench.say(b"one", b"") + bench.say(b"two", b"")) == 2


def test_a_hello_is_welcomed_with_all_that_a_client_needs(bench):
    bench.engine.use_ports(7072, 7073)

    guest, [sent] = bench.hello("a")

    welcome = greetings.unpack_welcome(sent.body)
    assert (sent.to, sent.verb, sent.peer) == (guest.connection, Verb.WELCOME, guest.instance)
    assert (welcome.epoch, welcome.listen_port, welcome.publish_port) == (
        bench.engine.tables.epoch,
        7072,
        7073,
    )
    assert (welcome.heartbeat_ms, welcome.max_body_bytes) == (2000, 16 * 1024 * 1024)


def test_a_hello_over_the_same_connection_is_welcomed_again(bench):
    bench.join("a")

    assert [each.verb for each in bench.hello("a")[1]] == [Verb.WELCOME]


def test_one_connection_has_one_instance(bench):
    guest = bench.join("a")

    assert bench.hello("b", connection=guest.connection)[1] == []
    assert bench.counts == {"drop.second_identity": 1}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"\xc1", "msgpack"),
        (b"\x90", "map"),
        (greetings.pack_map({}), "secret"),
        (b"\x81\xa1a" + b"\x91" * 500 + b"\xc0", "secret"),
        (bytes(10_000), "8,192"),
    ],
)
def test_a_bad_hello_is_refused_with_what_is_wrong(bench, body, named):
    [sent] = bench.say(CONNECTION, heads.pack(Verb.HELLO, len(body)), body)

    assert sent.verb is Verb.REFUSED
    assert named in greetings.unpack_map(sent.body)["reason"]
    assert not len(bench.engine.tables.peers)


def test_the_instance_of_another_is_refused_and_its_holder_unharmed(bench):
    holder = bench.join("a")
    stolen = greetings.pack_hello(greetings.Hello(b"s" * 16, holder.instance, "demo", "a"))

    [sent] = bench.say(CONNECTION, heads.pack(Verb.HELLO, len(stolen)), stolen)

    assert sent.verb is Verb.REFUSED
    assert bench.engine.tables.peers.by_instance[holder.instance].connection == holder.connection


def test_a_namespace_that_is_not_served_is_refused_with_those_that_are(bench_with):
    bench = bench_with(namespaces=frozenset({"prod", "test"}))

    _, [sent] = bench.hello("a", namespace="porduction")

    assert sent.verb is Verb.REFUSED
    assert "only prod, test" in greetings.unpack_map(sent.body)["reason"]
    assert bench.hello("a", namespace="prod")[1][0].verb is Verb.WELCOME


def test_a_client_stays_in_its_namespace(bench):
    bench.join("a", namespace="one")

    _, [sent] = bench.hello("a", namespace="two", connection=b"new")

    assert sent.verb is Verb.REFUSED


def test_clients_are_bounded_and_those_who_return_are_no_new_ones(bench_with):
    bench = bench_with(max_peers=1)
    bench.join("a")

    assert bench.hello("b")[1][0].verb is Verb.REFUSED
    assert bench.hello("a", connection=b"new")[1][0].verb is Verb.WELCOME


@pytest.mark.parametrize("verb", [Verb.TASK, Verb.REPLY, Verb.CANCEL])
def test_work_ahead_of_hello_comes_back_whole_with_who(bench, verb):
    head = heads.pack(verb, 4, number=9, task=b"t" * 16, address=b"echo")

    [back, who] = bench.take(bench.engine.on_message(CONNECTION, head, b"work", bench.now_s))

    assert (back.verb, back.body, who.verb) == (Verb.BOUNCE, b"hello_firstwork", Verb.WHO)
    assert bench.counts == {"bounce.hello_first": 1}


def test_work_ahead_of_hello_is_itself_again_after_the_bounce(bench):
    head = heads.pack(Verb.TASK, 4, number=9, task=b"t" * 16, address=b"echo")

    [(_, _, bounced, _), _] = bench.engine.on_message(CONNECTION, head, b"work", bench.now_s)

    assert heads.unbounced(bounced) == head


@pytest.mark.parametrize("verb", [Verb.PING, Verb.GOODBYE, Verb.WELCOME, Verb.HEARTBEAT, 77])
def test_anything_else_ahead_of_hello_is_dropped_and_counted(bench, verb):
    sent = bench.say(CONNECTION, heads.pack(verb))

    assert all(each.verb is Verb.WHO for each in sent)
    assert bench.counts == {"drop.hello_first": 1}


def test_who_returns_keeps_seats_and_tasks(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)
    bench.cut(worker)

    bench.hello("w", connection=b"new")

    assert [each.to for each in bench.task(caller, task=b"2" * 16)] == [b"new"]
    assert len(bench.engine.tables.ledger) == 2
    assert bench.tick(1.5) == []


def test_the_newest_connection_is_the_one_that_counts(bench):
    old = bench.join("a")
    bench.hello("a", connection=b"new")

    [back, who] = bench.task(old)

    assert (back.verb, back.body[:11], who.verb) == (Verb.BOUNCE, b"hello_first", Verb.WHO)


def test_who_returned_after_a_silence_can_fall_silent_again(bench):
    bench.join("w", "echo")
    caller = bench.join("c")
    bench.tick(6.0)
    bench.hello("w", connection=b"new")
    assert bench.task(caller)[0].to == b"new"

    bench.tick(6.0)

    assert bench.task(caller, task=b"2" * 16)[0].body == b"busy"


def test_a_second_hello_of_a_client_that_begins_to_call_is_answered_with_the_workers(bench):
    worker, caller = bench.join("worker", "echo"), bench.join("caller")

    _, first = bench.hello("caller", calls=True)
    _, second = bench.hello("caller", calls=True)

    assert [(each.verb, each.body) for each in first[:1]] == [(Verb.WORKERS, worker.instance)]
    assert [each.verb for each in first] == [Verb.WORKERS, Verb.WELCOME]
    assert [each.verb for each in second] == [Verb.WELCOME]
    assert first[0].to == caller.connection
