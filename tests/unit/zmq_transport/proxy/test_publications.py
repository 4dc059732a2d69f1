"""Publications that clients hand over: to listeners, and to the recipients that they name."""

import pytest

from zmq_transport.wire import greetings, heads
from zmq_transport.wire.heads import Verb
from zmq_transport.wire.recipients import Recipients

KIND, TRACE = 26, b"r" * 16


@pytest.fixture
def newer(bench):
    """Join as a client that takes PUBLISH."""

    def join(name, *seats, **fields):
        return bench.join(name, *seats, publish=True, **fields)

    return join


def publish(bench, sender, recipients=0, peer=heads.NOBODY, address=b"", body=b"news"):
    head = heads.pack(
        Verb.PUBLISH,
        len(body),
        peer=peer,
        kind=KIND,
        number=int(recipients),
        trace=TRACE,
        address=address,
    )
    return bench.say(sender, head, body)


def named(sent):
    return [each.to for each in sent]


def test_listeners_get_a_copy_with_the_sender_as_caller(bench, newer):
    sender, topics = (
        newer("s"),
        [
            heads.kind_topic("demo", KIND),
            heads.trace_topic("demo", TRACE),
        ],
    )
    for topic in topics:
        bench.listen(topic)

    sent = publish(bench, sender)

    assert sent == []
    assert [topic for topic, _, _ in bench.published] == topics[::-1]
    for _, header, body in bench.published:
        publisher, sequence, caller, worker = heads.unpack_header(header)
        assert (publisher, sequence) == (bench.engine.tables.epoch, 0)
        assert (caller, worker, body) == (sender.instance, heads.NOBODY, b"news")


def test_without_a_listener_and_a_recipient_nothing_comes_out(bench, newer):
    assert publish(bench, newer("s")) == []
    assert bench.published == []
    assert bench.counts["handed_over"] == 1


def test_hosts_are_those_with_a_seat_now(bench, newer):
    sender, host, former = newer("s", "own"), newer("h", "echo"), newer("f", "gone")
    newer("plain")
    bench.presence(former, "gone", Verb.DEREGISTER)

    [sent] = publish(bench, sender, Recipients.HOSTS)

    assert (sent.to, sent.verb, sent.peer) == (host.connection, Verb.PUBLISH, sender.instance)
    assert (sent.number, sent.task, sent.address, sent.body) == (0, heads.NOBODY, b"", b"news")


def test_offers_go_to_those_who_offer_all_of_it(bench, newer):
    sender = newer("s")
    both = newer("b", "x", capabilities=["translate", "german"])
    newer("one", "y", capabilities=["german"])

    sent = publish(bench, sender, Recipients.OFFERS, address=b"?german,translate")

    assert named(sent) == [both.connection]


def test_an_offer_that_nobody_can_take_goes_nowhere(bench, newer):
    assert publish(bench, newer("s"), Recipients.OFFERS, address=b"?german") == []


@pytest.mark.parametrize("address", [b"", b"echo", b"? ", b"?a b"])
def test_an_offer_to_no_capabilities_is_dropped(bench, newer, address):
    sender, _ = newer("s"), newer("h", "echo")

    assert publish(bench, sender, Recipients.OFFERS, address=address) == []
    assert bench.counts["drop.bad_address"] == 1


def test_callers_are_those_who_are_told_of_workers(bench, newer):
    sender = newer("s")
    caller, _ = bench.hello("c", publish=True, calls=True)
    newer("plain")

    assert named(publish(bench, sender, Recipients.CALLERS)) == [caller.connection]


def test_one_client_gets_it_by_its_instance(bench, newer):
    sender, receiver = newer("s"), newer("r")

    sent = publish(bench, sender, Recipients.PEER, peer=receiver.instance)

    assert named(sent) == [receiver.connection]


def test_whoever_is_named_twice_gets_it_once(bench, newer):
    sender, receiver = newer("s"), newer("r", "echo", capabilities=["a"])
    everybody = ~0 & 0xFFFF_FFFF

    sent = publish(bench, sender, everybody, peer=receiver.instance, address=b"?a")

    assert named(sent) == [receiver.connection]


def test_a_sender_gets_nothing_of_its_own(bench, newer):
    sender = newer("s", "echo")

    assert publish(bench, sender, Recipients.HOSTS | Recipients.PEER, peer=sender.instance) == []


def test_older_clients_and_absent_ones_get_nothing(bench, newer):
    sender, absent = newer("s"), newer("a", "x")
    bench.hello("old")
    bench.presence(bench.hello("old")[0], "y")
    bench.cut(absent)

    assert publish(bench, sender, Recipients.HOSTS) == []


def test_a_silent_host_gets_it_all_the_same(bench, newer):
    sender, host = newer("s"), newer("h", "echo")
    bench.tick(after_s=60.0)

    assert named(publish(bench, sender, Recipients.HOSTS)) == [host.connection]


@pytest.mark.parametrize("which", ["unknown", "absent", "foreign"])
def test_a_recipient_that_is_not_here_is_counted(bench, newer, which):
    sender, absent = newer("s"), newer("a")
    foreign = newer("f", namespace="other")
    bench.cut(absent)
    peer = {"unknown": b"u" * 16, "absent": absent.instance, "foreign": foreign.instance}[which]

    assert publish(bench, sender, Recipients.PEER, peer=peer) == []
    assert bench.counts["drop.publish_receiver_gone"] == 1


def test_nothing_crosses_from_one_namespace_to_another(bench, newer):
    newer("f", "echo", namespace="other")
    bench.hello("g", namespace="other", publish=True, calls=True)

    assert publish(bench, newer("s"), Recipients.HOSTS | Recipients.CALLERS) == []


def test_a_full_queue_of_a_recipient_is_counted(bench, newer):
    sender, host = newer("s"), newer("h", "echo")
    [_] = publish(bench, sender, Recipients.HOSTS)
    head = heads.pack(Verb.PUBLISH, 4, peer=sender.instance, kind=KIND)

    assert bench.unsent(host, head, b"news", busy=True) == []
    assert bench.counts["drop.publish_receiver_busy"] == 1


def test_a_publication_ahead_of_hello_comes_back_whole(bench):
    head = heads.pack(Verb.PUBLISH, 4, kind=KIND, number=1)

    returned, who = bench.say(b"stranger", head, b"news")

    assert (returned.verb, returned.body) == (Verb.BOUNCE, b"hello_firstnews")
    assert who.verb is Verb.WHO


def welcomes(sent):
    return {
        each.to: greetings.unpack_welcome(each.body) for each in sent if each.verb is Verb.WELCOME
    }


def test_everybody_is_told_of_the_first_older_client(bench, newer):
    first = newer("a")
    newer("elsewhere", namespace="other")

    _, sent = bench.hello("old")

    told = welcomes(sent)
    assert set(told) == {first.connection, b"c-old"}
    assert told[first.connection].publish
    assert told[first.connection].older


def test_of_a_further_older_client_nobody_is_told(bench, newer):
    newer("a")
    bench.hello("old")

    assert set(welcomes(bench.hello("older")[1])) == {b"c-older"}


def test_a_newcomer_hears_of_older_clients_while_they_are_here(bench):
    old, _ = bench.hello("old")
    among = welcomes(bench.hello("a", publish=True)[1])[b"c-a"]
    bench.say(old, heads.pack(Verb.GOODBYE))

    alone = welcomes(bench.hello("b", publish=True)[1])[b"c-b"]

    assert (among.older, alone.older) == (True, False)
