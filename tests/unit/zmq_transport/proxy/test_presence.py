"""Who serves what, and who left, fell silent or vanished."""

import pytest

from zmq_transport.wire import greetings, heads, resync_messages
from zmq_transport.wire.heads import Verb

OTHER_TASK, TASK, TRACE = b"2" * 16, b"t" * 16, b"r" * 16


def goodbye(bench, guest):
    return bench.say(guest, heads.pack(Verb.GOODBYE))


def test_a_registration_is_acknowledged(bench):
    worker = bench.join("w")

    [sent] = bench.presence(worker, "echo")

    assert (sent.to, sent.verb, sent.address, sent.body) == (
        worker.connection,
        Verb.REGISTER,
        b"echo",
        b"",
    )


@pytest.mark.parametrize("verb", [Verb.HEARTBEAT, Verb.DEREGISTER])
def test_other_presence_is_not_acknowledged(bench, verb):
    worker = bench.join("w", "echo")

    assert bench.presence(worker, "echo", verb) == []


@pytest.mark.parametrize("verb", [Verb.REGISTER, Verb.HEARTBEAT, Verb.DEREGISTER])
def test_presence_is_copied_to_who_listens_to_its_kind(bench, verb):
    worker = bench.join("w", "echo")
    topic = heads.kind_topic("demo", 18)
    bench.listen(topic)

    bench.presence(worker, "echo", verb, opaque=b"to listeners")

    [(published, header, body)] = bench.published
    assert (published, body) == (topic, b"to listeners")
    assert heads.unpack_header(header)[2:] == (heads.NOBODY, worker.instance)


@pytest.mark.parametrize("address", [b"", b"?chat", b"a b"])
def test_presence_is_about_one_name(bench, address):
    item = (int(Verb.REGISTER), 0, 0, 0, bytes(16), bytes(16), 0)

    assert bench.say(bench.join("w"), heads.pack_items([item, item], address=address)) == []
    assert sum(bench.counts.values()) == 1


def test_presence_has_two_items(bench):
    item = (int(Verb.REGISTER), 0, 0, 0, bytes(16), bytes(16), 0)

    assert bench.say(bench.join("w"), heads.pack_items([item] * 3, address=b"echo")) == []
    assert bench.counts == {"drop.bad_presence": 1}


@pytest.mark.parametrize("verb", [Verb.HEARTBEAT, Verb.DEREGISTER])
def test_nobody_speaks_for_the_seat_of_another(bench, verb):
    owner, other, caller = bench.join("w", "echo"), bench.join("x"), bench.join("c")

    assert bench.presence(other, "echo", verb) == []

    assert bench.counts == {"drop.foreign_seat": 1}
    assert bench.task(caller)[0].to == owner.connection


@pytest.mark.parametrize(
    ("capabilities", "why"),
    [
        ("chat", b"capabilities must be a list, not 'chat'"),
        (["a b"], b"capability must be 1 to 128 characters"),
    ],
)
def test_a_registration_with_bad_capabilities_is_answered_with_the_reason(bench, capabilities, why):
    worker, caller = bench.join("w"), bench.join("c")

    [sent] = bench.presence(worker, "echo", capabilities=capabilities)

    assert (sent.to, sent.verb, sent.address) == (worker.connection, Verb.REGISTER, b"echo")
    assert sent.body.startswith(why)
    assert bench.counts == {"refused.seat": 1}
    assert bench.task(caller)[0].body == b"no_route"


def test_a_registration_that_is_not_taken_leaves_the_seat_as_it_was(bench):
    worker, caller = bench.join("w", "echo", capabilities=["fr"]), bench.join("c")

    [sent] = bench.presence(worker, "echo", capabilities="de")

    assert sent.body
    assert bench.task(caller, b"?fr")[0].to == worker.connection


def test_a_registration_that_is_not_taken_is_shown_to_nobody(bench):
    bench.listen(heads.kind_topic("demo", 18))

    bench.presence(bench.join("w"), "echo", capabilities="chat")

    assert bench.published == []


def test_a_registration_that_is_not_taken_is_no_sign_of_life(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.tick(6.0)

    bench.presence(worker, "other", capabilities="chat")

    assert bench.task(caller)[0].body == b"busy"


def test_a_seat_may_offer_something_else_later(bench):
    worker, caller = bench.join("w", "echo", capabilities=["fr"]), bench.join("c")
    bench.presence(worker, "echo", capabilities=["de"])

    assert bench.task(caller, b"?fr")[0].body == b"no_route"
    assert bench.task(caller, b"?de", task=OTHER_TASK)[0].to == worker.connection


def test_a_task_of_before_a_change_can_still_be_settled(bench):
    worker, caller = bench.join("w", "echo", capabilities=["fr"]), bench.join("c")
    bench.task(caller)
    bench.presence(worker, "echo", capabilities=["de"])

    assert bench.reply(worker, caller)[0].to == caller.connection


def test_seats_of_one_client_are_bounded(bench_with):
    bench = bench_with(max_seats=2)
    worker = bench.join("w", "a", "b")

    [sent] = bench.presence(worker, "c")

    assert (sent.to, sent.verb, sent.address) == (worker.connection, Verb.REGISTER, b"c")
    assert sent.body == b"one client has at most 2 seats"
    assert bench.counts == {"refused.seat": 1}
    assert [each.body for each in bench.presence(worker, "a")] == [b""]
    assert bench.task(bench.join("caller"), b"c")[0].body == b"no_route"


def test_a_seat_that_was_deregistered_gets_no_tasks_and_may_settle_those_it_has(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)

    bench.presence(worker, "echo", Verb.DEREGISTER)

    assert bench.task(caller, task=OTHER_TASK)[0].body == b"no_route"
    assert bench.reply(worker, caller)[0].to == caller.connection


def test_clients_with_tasks_are_probed_at_every_tick_and_others_at_every_tenth(bench):
    worker, idle, caller = bench.join("w", "echo"), bench.join("i", "idle"), bench.join("c")
    bench.task(caller)
    probed = []

    for _ in range(10):
        bench.now_s += 0.1
        outputs = bench.engine.tick(bench.now_s)
        probed += [each[1] for each in outputs if each[2] == heads.pack(Verb.PING)]

    assert probed.count(worker.connection) == 10
    assert probed.count(idle.connection) == 1
    assert probed.count(caller.connection) == 1


def test_of_those_without_tasks_a_tenth_is_probed_at_each_tick(bench):
    for number in range(50):
        bench.join(f"w{number}")

    probed = [pinged(bench) for _ in range(10)]

    assert {len(each) for each in probed} == {5}
    assert len(set.union(*probed)) == 50


@pytest.mark.parametrize("after_s", [0.0, 1.5])
def test_ten_ticks_cost_the_same_however_many_clients_are_there(bench_with, steps_of, after_s):
    steps = []
    for count in (2, 400):
        bench = bench_with(reports_ends=True)
        guests = [bench.join(f"w{number}", "echo") for number in range(count)]
        bench.now_s += after_s
        for guest in guests:
            bench.presence(guest, "echo", Verb.HEARTBEAT)

        def ticks(bench=bench):
            for _ in range(10):
                bench.now_s += 0.1
                assert bench.engine.tick(bench.now_s) == []

        steps.append(steps_of(ticks))

    assert steps[0] == steps[1]


def test_a_heartbeat_costs_the_same_however_many_clients_are_there(bench_with, steps_of):
    steps = []
    for count in (2, 400):
        bench = bench_with(reports_ends=True)
        guests = [bench.join(f"w{number}", "echo") for number in range(count)]
        bench.presence(guests[0], "echo", Verb.HEARTBEAT)
        steps.append(steps_of(bench.presence, guests[-1], "echo", Verb.HEARTBEAT))

    assert steps[0] == steps[1]


def test_those_who_fall_silent_cost_a_tick_and_the_others_do_not(bench_with, steps_of):
    steps = []
    for count in (2, 400):
        bench = bench_with(reports_ends=True)
        silent = bench.join("silent", "echo")
        bench.now_s += 1.0
        for number in range(count):
            bench.join(f"w{number}", f"echo-{number}")
        bench.tick(0.1)  # callers have the news of all of them
        bench.now_s += 4.9
        steps.append(steps_of(bench.engine.tick, bench.now_s))
        assert bench.counts["silent"] == 1
        assert bench.task(bench.join("c"))[0].to != silent.connection

    assert steps[0] == steps[1]


def test_a_silent_worker_gets_no_tasks_and_is_not_lost(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)

    assert bench.tick(6.0) == []

    assert bench.task(caller, task=OTHER_TASK)[0].body == b"busy"
    assert bench.reply(worker, caller)[0].to == caller.connection


def test_a_sign_of_life_ends_the_silence(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.tick(6.0)

    bench.presence(worker, "echo", Verb.HEARTBEAT)

    assert bench.task(caller)[0].to == worker.connection


def test_a_heartbeat_in_time_prevents_the_silence(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    for _ in range(10):
        bench.tick(2.0)
        bench.presence(worker, "echo", Verb.HEARTBEAT)

    assert bench.task(caller)[0].to == worker.connection


def test_a_client_without_seats_is_never_silent(bench):
    bench.join("c")

    assert bench.tick(600.0) == []
    assert not bench.counts


def test_the_tasks_of_a_worker_that_is_gone_are_lost_after_a_moment(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)
    bench.cut(worker)

    assert bench.tick(0.29) == []
    [lost] = bench.tick(0.02)

    assert (lost.to, lost.verb, lost.body) == (caller.connection, Verb.LOST, b"worker_lost")
    assert lost.peer == worker.instance
    assert bench.tick(0.1) == []


def test_an_lost_notice_is_published_for_each_seat_of_the_lost(bench):
    worker = bench.join("w", "a", "b", capabilities=["chat"])
    topic = heads.kind_topic("demo", 20)
    bench.listen(topic)
    bench.cut(worker)
    bench.tick(0.5)

    chat = frozenset({"chat"})
    assert bench.lost_notices == [("a", chat, "lost"), ("b", chat, "lost")]
    assert [body for _, _, body in bench.published] == [b"lost", b"lost"]


def test_who_comes_back_after_it_was_lost_is_seated_once_it_registers(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.cut(worker)
    bench.tick(0.5)
    bench.hello("w", connection=b"new")

    assert bench.task(caller)[0].body == b"no_route"


def test_the_tasks_of_a_caller_that_is_gone_are_cancelled_after_a_second(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)
    bench.task(caller, task=OTHER_TASK, flags=heads.ItemFlag.KEEP)
    bench.cut(caller)

    assert bench.tick(0.9) == []
    [cancel] = bench.tick(0.2)

    assert (cancel.to, cancel.verb, cancel.task) == (worker.connection, Verb.CANCEL, b"t" * 16)
    assert cancel.peer == caller.instance


def test_a_client_that_stays_away_is_forgotten(bench):
    worker = bench.join("w", "echo")
    bench.cut(worker)
    bench.tick(1.1)

    assert not len(bench.engine.tables.peers)
    assert not len(bench.engine.tables.liveness)
    assert not bench.engine.tables.peers.namespaces


def test_a_seat_that_registers_with_its_last_words_gets_no_tasks(bench):
    worker, caller = bench.join("w"), bench.join("c")
    bench.cut(worker)

    bench.presence(worker, "echo")

    assert bench.task(caller)[0].body == b"no_route"


def test_a_worker_that_says_goodbye_is_lost_at_once(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)

    sent = goodbye(bench, worker)

    assert [(each.to, each.verb) for each in sent] == [
        (caller.connection, Verb.LOST),
        (worker.connection, Verb.GOODBYE),
    ]
    assert bench.lost_notices == [("echo", frozenset(), "left")]
    assert bench.task(caller)[0].body == b"no_route"


def test_a_caller_that_says_goodbye_cancels_its_tasks(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)

    sent = goodbye(bench, caller)

    assert [(each.to, each.verb) for each in sent] == [
        (worker.connection, Verb.CANCEL),
        (caller.connection, Verb.GOODBYE),
    ]


def test_facts_over_the_limits_are_dropped_unread(bench):
    worker = bench.join("w")

    assert bench.presence(worker, "echo", note="x" * greetings.MAX_BYTES) == []
    assert bench.counts == {"drop.long_body": 1}


def pinged(bench):
    """Let a tick pass; return the connections that it probes."""
    bench.now_s += 0.1
    outputs = bench.engine.tick(bench.now_s)
    return {output[1] for output in outputs if heads.unpack_items(output[2])[1][0][0] == Verb.PING}


@pytest.mark.parametrize("change", ["deregistered", "replaced"])
def test_a_client_with_a_task_of_a_seat_that_it_gave_up_is_probed_at_every_tick(bench, change):
    worker, caller = bench.join("worker", "echo"), bench.join("caller")
    bench.task(caller)
    if change == "deregistered":
        bench.presence(worker, "echo", Verb.DEREGISTER)
    else:
        bench.presence(worker, "echo", capabilities=["chat"])

    probed = [worker.connection in pinged(bench) for _ in range(3)]
    bench.reply(worker, caller)
    probed_after = [worker.connection in pinged(bench) for _ in range(3)]

    assert probed == [True] * 3
    assert probed_after == [False] * 3


def test_a_seat_takes_over_the_tasks_that_were_claimed_before_it_registered(bench):
    caller, worker, idle = bench.join("caller"), bench.join("worker"), bench.join("idle", "echo")
    held = resync_messages.Held(b"x" * 16, TASK, TRACE, "echo", 0, 10_000, keep=True)
    bench.say(worker, *resync_messages.claim_pages([held])[0])
    assert worker.connection in pinged(bench)
    bench.presence(worker, "echo")

    given = [bench.task(caller, task=bytes([number]) * 16)[0].to for number in range(2)]

    assert given == [idle.connection, worker.connection]
    loads = [len(seat.open) for seat in bench.engine.tables.peers.namespace("demo").routes]
    assert loads == [1, 2]
    assert all(
        entry in entry.seat.open and entry.seat.peer.seats for entry in bench.engine.tables.ledger
    )
