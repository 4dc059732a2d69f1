"""The entrance of the engine: what is dropped, what is taken apart, how a proxy leaves."""

import pytest

from support.heads import bundled
from zmq_transport.proxy.tables import SEND
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.heads import Reason, Verb

PROBE = b""


@pytest.mark.parametrize(
    ("head", "body", "reason"),
    [
        (b"\x01", b"", "short_head"),
        (heads.pack(77), b"", "verb"),
        (heads.pack(Verb.WELCOME), b"", "verb"),
        (heads.pack(Verb.REGISTER, address=b"echo"), b"", "verb"),
        (heads.pack(Verb.WHO), b"", "verb"),
        (heads.pack(Verb.TASK, 3, address=b"echo"), b"four", "body_length"),
        (heads.pack(Verb.TASK, 11, address=b"echo"), b"x" * 11, "too_large"),
    ],
)
def test_what_a_client_may_not_send_is_dropped_and_counted(bench_with, head, body, reason):
    bench = bench_with(max_body_bytes=10)
    guest = bench.join("a")

    assert bench.say(guest, head, body) == []
    assert bench.counts == {f"drop.{reason}": 1}


@pytest.mark.parametrize("joined", [True, False])
@pytest.mark.parametrize("head", [b"\x02", b"\x00" + bytes(100)])
def test_another_version_is_answered_with_those_we_speak(bench, joined, head):
    who = bench.join("a") if joined else b"stranger"

    [sent] = bench.say(who, head)

    assert sent.verb is Verb.REFUSED
    assert greetings.unpack_map(sent.body)["speaks"] == [1, 1]
    assert bench.counts["drop.version"] == 1


def test_the_items_of_a_message_have_outcomes_of_their_own(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    items = [
        (int(Verb.TASK), 0, 1, 5000, b"1" * 16, bytes(16), 3),
        (77, 0, 0, 0, bytes(16), bytes(16), 0),
        (int(Verb.TASK), 0, 1, 0, b"2" * 16, bytes(16), 3),
    ]

    sent = bench.say(caller, heads.pack_items(items, address=b"echo"), b"onetwo")

    assert [(each.to, each.verb, each.task, each.body) for each in sent] == [
        (worker.connection, Verb.TASK, b"1" * 16, b"one"),
        (caller.connection, Verb.BOUNCE, b"2" * 16, b"expired"),
    ]
    assert bench.counts["drop.verb"] == 1


def test_the_bodies_of_several_items_are_bounded_together(bench):
    items = [(int(Verb.PING), 0, 0, 0, bytes(16), bytes(16), 150_000)] * 2

    assert bench.say(bench.join("a"), heads.pack_items(items), bytes(300_000)) == []
    assert bench.counts == {"drop.coalesced_size": 1}


def tasks_of(numbers):
    return [
        heads.pack(Verb.TASK, 1, kind=1, number=5000, task=bytes([n]) * 16, address=b"echo")
        for n in numbers
    ]


def test_a_bundle_for_one_seat_goes_on_as_it_is(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    singles, body = tasks_of(range(63)), memoryview(b"x" * 63)

    outputs = bench.engine.on_message(caller.connection, bundled(singles), body, bench.now_s)

    wanted = bundled([heads.redirect(head, caller.instance, b"echo") for head in singles])
    assert outputs == [(SEND, worker.connection, wanted, body)]
    assert outputs[0][3] is body
    assert len(bench.engine.tables.ledger) == 63


def test_a_bundle_for_several_seats_is_shared_out(bench):
    workers, caller = [bench.join(name, "echo") for name in "vw"], bench.join("c")
    singles = tasks_of(range(5))

    outputs = bench.engine.on_message(caller.connection, bundled(singles), b"01234", bench.now_s)

    given = [heads.redirect(head, caller.instance, b"echo") for head in singles]
    assert outputs == [
        (SEND, workers[0].connection, bundled(given[::2]), b"024"),
        (SEND, workers[1].connection, bundled(given[1::2]), b"13"),
    ]


def test_a_bundle_of_replies_goes_home_as_it_is(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    tasks = [bytes([n]) * 16 for n in range(3)]
    bench.engine.on_message(caller.connection, bundled(tasks_of(range(3))), b"xyz", bench.now_s)
    singles = [
        heads.pack(Verb.REPLY, 1, peer=caller.instance, flags=1, task=each) for each in tasks
    ]

    outputs = bench.engine.on_message(worker.connection, bundled(singles), b"abc", bench.now_s)

    wanted = heads.with_peer(bundled(singles), worker.instance)
    assert outputs == [(SEND, caller.connection, wanted, b"abc")]
    assert not len(bench.engine.tables.ledger)


def test_several_items_whose_sizes_do_not_add_up_are_dropped(bench):
    items = [(int(Verb.CANCEL), 0, 0, 0, bytes(16), bytes(16), 5)] * 2

    assert bench.say(bench.join("a"), heads.pack_items(items), b"123456789") == []
    assert bench.counts == {"drop.body_length": 1}


def test_a_probe_of_a_client_that_is_known_needs_no_answer(bench):
    assert bench.say(bench.join("a"), PROBE) == []


def test_a_ping_needs_no_answer(bench):
    assert bench.say(bench.join("a"), heads.pack(Verb.PING)) == []


def test_what_never_was_a_message_is_counted(bench):
    bench.engine.on_dropped("frame_count")

    assert bench.counts == {"drop.frame_count": 1}


def test_what_could_not_be_sent_to_a_stranger_is_forgotten(bench):
    assert bench.engine.on_unsent(b"stranger", heads.pack(Verb.WHO), b"", False, 0.0) == []


def test_a_proxy_that_leaves_tells_everyone_and_waits_for_their_goodbyes(bench):
    guests = [bench.join(name) for name in "ab"]

    sent = bench.take(bench.engine.go_away())

    assert [(each.to, each.verb) for each in sent] == [
        (guest.connection, Verb.GOING_AWAY) for guest in guests
    ]
    for guest in guests:
        assert not bench.engine.drained
        [answer] = bench.say(guest, heads.pack(Verb.GOODBYE))
        assert answer.verb is Verb.GOODBYE
    assert bench.engine.drained


def test_a_goodbye_while_the_proxy_leaves_costs_nobody_a_task(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)
    bench.engine.go_away()

    sent = bench.say(worker, heads.pack(Verb.GOODBYE))

    assert [each.verb for each in sent] == [Verb.GOODBYE]
    assert len(bench.engine.tables.ledger) == 1


def test_a_proxy_that_leaves_sends_tasks_back_whole(bench):
    bench.join("w", "echo")
    caller = bench.join("c")
    bench.engine.go_away()
    head = heads.pack(Verb.TASK, 8, kind=1, number=500, task=b"t" * 16, address=b"echo")

    [output] = bench.engine.on_message(caller.connection, head, b"question", bench.now_s)

    bounced = heads.bounced_whole(head, Reason.GOING_AWAY)
    assert output[1:] == (caller.connection, bounced, b"going_awayquestion")
    assert heads.unbounced(output[2]) == head
    assert bench.counts == {"bounce.going_away": 1}
    assert not len(bench.engine.tables.ledger)


def test_a_proxy_that_leaves_sends_each_task_of_a_bundle_back(bench):
    caller = bench.join("c")
    bench.engine.go_away()
    singles = [
        heads.pack(Verb.TASK, 1, number=500, task=bytes([n]) * 16, address=b"echo") for n in (1, 2)
    ]

    outputs = bench.engine.on_message(caller.connection, bundled(singles), b"xy", bench.now_s)

    assert [heads.unbounced(each[2]) for each in outputs] == singles
    assert [each[3] for each in outputs] == [b"going_awayx", b"going_awayy"]


def test_a_proxy_that_leaves_still_brings_replies_to_those_who_are_there(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)
    bench.engine.go_away()

    [sent] = bench.reply(worker, caller)

    assert (sent.to, sent.verb, sent.body) == (caller.connection, Verb.REPLY, b"answer")
    assert not len(bench.engine.tables.ledger)


def test_a_proxy_that_leaves_sends_replies_to_those_who_left_back_whole(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)
    bench.engine.go_away()
    bench.say(caller, heads.pack(Verb.GOODBYE))
    head = heads.pack(Verb.REPLY, 6, peer=caller.instance, flags=1, kind=2, task=b"t" * 16)

    [output] = bench.engine.on_message(worker.connection, head, b"answer", bench.now_s)

    bounced = heads.bounced_whole(head, Reason.GOING_AWAY)
    assert output[1:] == (worker.connection, bounced, b"going_awayanswer")
    assert bench.counts == {"bounce.going_away": 1}


def test_a_proxy_that_leaves_still_passes_cancels_and_presence_on(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)
    bench.engine.go_away()

    [cancel] = bench.say(caller, heads.pack(Verb.CANCEL, task=b"t" * 16))
    [acknowledged] = bench.presence(worker, "other")

    assert (cancel.to, cancel.verb) == (worker.connection, Verb.CANCEL)
    assert (acknowledged.verb, acknowledged.body) == (Verb.REGISTER, b"")


@pytest.mark.parametrize(
    "head",
    [PROBE, heads.pack(Verb.TASK, address=b"echo"), heads.pack(Verb.HELLO), b"\x02", b"\x01"],
    ids=["probe", "task", "hello", "another version", "broken"],
)
def test_a_proxy_that_leaves_drops_and_counts_what_strangers_say(bench, head):
    bench.engine.go_away()

    assert bench.say(b"stranger", head) == []
    assert bench.counts == {"drop.going_away": 1}


def test_who_said_goodbye_to_a_proxy_that_leaves_is_a_stranger(bench):
    guest = bench.join("a")
    bench.join("b")
    bench.engine.go_away()
    bench.say(guest, heads.pack(Verb.GOODBYE))

    again, sent = bench.hello("a")

    assert (again, sent) == (guest, [])
    assert bench.counts == {"drop.going_away": 1}


def test_nobody_is_told_of_a_goodbye_while_the_proxy_leaves(bench):
    worker = bench.join("w", "echo")
    bench.listen(heads.kind_topic("demo", 20))
    bench.engine.go_away()

    bench.say(worker, heads.pack(Verb.GOODBYE))

    assert bench.lost_notices == bench.published == []


def test_time_goes_on_for_those_who_stay_while_the_proxy_leaves(bench):
    worker = bench.join("w", "echo")
    bench.join("c")
    bench.engine.go_away()
    bench.say(worker, heads.pack(Verb.GOODBYE))

    assert bench.tick(after_s=7.0) == []
    assert not bench.engine.drained


def test_a_proxy_that_does_not_leave_is_never_drained(bench):
    assert not bench.engine.drained


def test_the_tap_receives_the_facts_of_each_message():
    from zmq_transport.proxy.engine import Engine

    seen = []
    engine = Engine(epoch=bytes(16), now_s=0.0, tap=lambda *facts: seen.append(facts))
    secret = bytes(16)
    hello = greetings.pack_hello(greetings.Hello(secret, heads.instance_of(secret), "demo", "c"))
    engine.on_message(b"c", heads.pack(Verb.HELLO, len(hello)), hello, 0.0)
    task = heads.pack(Verb.TASK, 1, kind=1, number=9, trace=b"r" * 16, address=b"\xff")

    engine.on_message(b"c", task, b"x", 0.0)

    assert seen[0] == ("demo", Verb.TASK, 1, b"r" * 16, "\ufffd", b"x")
    assert seen[1] == ("demo", Verb.BOUNCE, 0, b"r" * 16, "bad_address", b"")
