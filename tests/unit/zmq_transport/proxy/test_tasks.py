"""The life of a task inside the proxy."""

import pytest

from zmq_transport.proxy.deferred_notices import DeferredNotices
from zmq_transport.wire import heads
from zmq_transport.wire.heads import ItemFlag, Verb

TASK, OTHER_TASK, TRACE = b"t" * 16, b"2" * 16, b"r" * 16
KNOWN = {"epoch": b"e" * 16}


def head_of(caller, worker_name, ttl_ms=5000, task=TASK):
    """Return the head of a TASK as it went to its worker."""
    address = worker_name.encode()
    return heads.pack(
        Verb.TASK, 8, peer=caller.instance, kind=1, number=ttl_ms, task=task, address=address
    )


def test_a_task_reaches_its_worker_with_caller_and_seat(bench):
    worker, caller = bench.join("w", "echo", capabilities=["chat"]), bench.join("c")

    [sent] = bench.task(caller, b"?chat", body=b"question")

    assert (sent.to, sent.verb, sent.peer) == (worker.connection, Verb.TASK, caller.instance)
    assert (sent.address, sent.task, sent.number, sent.body) == (b"echo", TASK, 5000, b"question")


def test_replies_reach_the_caller_with_their_worker(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)

    [sent] = bench.reply(worker, caller, body=b"answer")

    assert (sent.to, sent.verb, sent.peer) == (caller.connection, Verb.REPLY, worker.instance)
    assert (sent.task, sent.body) == (TASK, b"answer")


def test_any_number_of_replies_comes_before_the_one_that_settles(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)

    for settles in (False, False, True):
        assert len(bench.reply(worker, caller, settles=settles)) == 1

    assert bench.reply(worker, caller) == []
    assert bench.counts == {"drop.reply_unknown": 1}


def test_nobody_answers_the_task_of_another(bench):
    bench.join("w", "echo")
    caller, impostor = bench.join("c"), bench.join("x", "other")
    bench.task(caller)

    assert bench.reply(impostor, caller) == []
    assert bench.counts == {"drop.reply_unknown": 1}
    assert len(bench.engine.tables.ledger) == 1


@pytest.mark.parametrize("address", [b"nobody", b"?nothing"])
def test_a_task_for_nobody_bounces_at_once(bench, address):
    caller = bench.join("c")

    [sent] = bench.task(caller, address)

    assert (sent.to, sent.verb, sent.task) == (caller.connection, Verb.BOUNCE, TASK)
    assert sent.body == b"no_route"


@pytest.mark.parametrize("address", [b"", b"a b", b"?", b"\xff"])
def test_a_task_with_a_bad_address_bounces(bench, address):
    assert bench.task(bench.join("c"), address)[0].body == b"bad_address"


def test_a_task_without_time_bounces(bench):
    bench.join("w", "echo")

    assert bench.task(bench.join("c"), ttl_ms=0)[0].body == b"expired"


def test_names_are_looked_up_inside_a_namespace(bench):
    bench.join("w", "echo", namespace="one")
    caller = bench.join("c", namespace="two")

    assert bench.task(caller)[0].body == b"no_route"


def test_a_task_that_is_open_is_not_given_twice(bench):
    bench.join("w", "echo")
    caller = bench.join("c")

    assert len(bench.task(caller)) == 1
    assert bench.task(caller) == []
    assert bench.counts == {"drop.duplicate_task": 1}


def test_two_callers_may_use_the_same_task_id(bench):
    worker = bench.join("w", "echo")
    callers = [bench.join(name) for name in "ab"]
    for caller in callers:
        bench.task(caller)

    for caller in callers:
        assert bench.reply(worker, caller)[0].to == caller.connection


def test_replicas_share_the_load(bench):
    workers, caller = [bench.join(name, "echo") for name in "ab"], bench.join("c")

    sent = [bench.task(caller, task=b"%016d" % n)[0].to for n in range(4)]

    assert sent == [worker.connection for worker in workers] * 2


def test_a_task_whose_worker_is_gone_goes_to_the_next(bench):
    first, second = (bench.join(name, "echo") for name in "ab")
    caller = bench.join("c")
    assert bench.task(caller)[0].to == first.connection

    [sent] = bench.unsent(first, head_of(caller, "echo"))

    assert (sent.to, sent.task, sent.peer) == (second.connection, TASK, caller.instance)
    assert bench.reply(second, caller)


def test_a_task_for_capabilities_goes_to_the_next_that_offers_them(bench):
    first = bench.join("a", "one", capabilities=["chat"])
    second = bench.join("b", "two", capabilities=["chat"])
    caller = bench.join("c")
    bench.task(caller, b"?chat")

    [sent] = bench.unsent(first, head_of(caller, "one"))

    assert (sent.to, sent.address) == (second.connection, b"two")


def test_a_task_whose_only_worker_is_gone_bounces(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)

    [sent] = bench.unsent(worker, head_of(caller, "echo"))

    assert (sent.to, sent.verb, sent.body) == (caller.connection, Verb.BOUNCE, b"no_route")
    assert not len(bench.engine.tables.ledger)


def test_a_task_whose_worker_is_full_bounces_and_the_worker_stays(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)

    [sent] = bench.unsent(worker, head_of(caller, "echo"), busy=True)

    assert (sent.verb, sent.body) == (Verb.BOUNCE, b"busy")
    assert bench.task(caller)[0].to == worker.connection


@pytest.mark.parametrize(
    ("verb", "busy", "name"),
    [
        (Verb.REPLY, True, "reply_receiver_busy"),
        (Verb.REPLY, False, "reply_receiver_gone"),
        (Verb.BOUNCE, False, "bounce_receiver_gone"),
        (Verb.LOST, False, "lost_receiver_gone"),
        (Verb.CANCEL, True, "cancel_receiver_busy"),
        (Verb.CANCEL, False, "cancel_receiver_gone"),
    ],
)
def test_what_else_cannot_be_sent_is_counted(bench, verb, busy, name):
    caller = bench.join("c")

    assert bench.unsent(caller, heads.pack(verb), b"", busy=busy) == []
    assert bench.counts[f"drop.{name}"] == 1


@pytest.mark.parametrize("verb", [Verb.BOUNCE, Verb.LOST])
def test_an_end_that_found_no_room_is_told_at_the_next_tick(bench, verb):
    caller = bench.join("c")
    head = heads.pack(verb, 8, task=TASK, trace=TRACE)

    assert bench.unsent(caller, head, b"no_route", busy=True) == []
    [sent] = bench.tick(0.0)

    assert (sent.to, sent.verb, sent.task, sent.body) == (
        caller.connection,
        verb,
        TASK,
        b"no_route",
    )
    assert bench.counts[f"later.{verb.name.lower()}"] == 1
    assert bench.tick(0.0) == []


def test_of_a_last_reply_that_found_no_room_its_caller_is_told_that_it_waits(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)
    bench.reply(worker, caller)
    head = heads.pack(Verb.REPLY, 6, peer=worker.instance, flags=ItemFlag.SETTLES, task=TASK)

    assert bench.unsent(caller, head, b"answer", busy=True) == []
    [sent] = bench.tick(0.0)

    assert (sent.to, sent.verb, sent.task) == (caller.connection, Verb.LOST, TASK)
    assert (sent.peer, sent.body) == (worker.instance, b"reply_waits")


def test_an_end_that_found_no_room_goes_out_when_there_is(bench):
    caller = bench.join("c")
    bench.unsent(caller, heads.pack(Verb.LOST, 7, task=TASK), b"unknown", busy=True)

    [sent] = bench.take(bench.engine.on_writable(caller.connection, bench.now_s))

    assert (sent.to, sent.verb, sent.task, sent.body) == (
        caller.connection,
        Verb.LOST,
        TASK,
        b"unknown",
    )
    assert bench.engine.on_writable(caller.connection, bench.now_s) == []
    assert bench.engine.on_writable(b"nobody", bench.now_s) == []


def test_an_end_that_is_told_later_is_not_told_once_its_task_was_taken_back(bench):
    caller = bench.join("c")
    bench.unsent(caller, heads.pack(Verb.LOST, 7, task=TASK), b"unknown", busy=True)

    bench.say(caller, heads.pack(Verb.CANCEL, task=TASK))

    assert bench.tick(0.0) == []


def test_a_caller_that_comes_back_lists_anew_and_is_told_nothing_old(bench):
    caller = bench.join("c")
    bench.unsent(caller, heads.pack(Verb.LOST, 7, task=TASK), b"unknown", busy=True)

    bench.hello("c", connection=b"another")

    assert bench.tick(0.0) == []


def test_an_end_for_which_no_room_is_left_anywhere_is_counted(bench):
    caller = bench.join("c")
    bench.engine.tables.notices = DeferredNotices(max_count=1)
    for task in (TASK, OTHER_TASK):
        bench.unsent(caller, heads.pack(Verb.LOST, 7, task=task), b"unknown", busy=True)

    assert bench.counts["later.lost"] == 1
    assert bench.counts["drop.lost_receiver_busy"] == 1


def test_a_message_that_goes_back_whole_and_finds_no_room_is_counted(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    head = heads.bounced_whole(head_of(caller, "echo"))

    assert bench.unsent(worker, head, b"hello_firstquestion", busy=True) == []
    assert bench.counts["drop.bounce_receiver_busy"] == 1


def test_a_cancel_is_passed_on_to_who_has_the_task(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)

    [sent] = bench.say(caller, heads.pack(Verb.CANCEL, task=TASK))

    assert (sent.to, sent.verb, sent.peer) == (worker.connection, Verb.CANCEL, caller.instance)
    assert bench.reply(worker, caller)[0].to == caller.connection


def test_the_reply_of_a_cancelled_task_is_routed_and_copied_to_nobody(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)
    bench.listen(heads.kind_topic("demo", 2))
    bench.reply(worker, caller, settles=False)
    assert len(bench.published) == 1

    bench.say(caller, heads.pack(Verb.CANCEL, task=TASK))
    [reply] = bench.reply(worker, caller)

    assert (reply.to, reply.verb) == (caller.connection, Verb.REPLY)
    assert len(bench.published) == 1


def test_nobody_cancels_the_task_of_another(bench):
    bench.join("w", "echo")
    caller, other = bench.join("c"), bench.join("x")
    bench.task(caller)

    assert bench.say(other, heads.pack(Verb.CANCEL, task=TASK)) == []


def test_a_reply_to_a_caller_that_is_gone_is_counted(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)
    bench.cut(caller)

    assert bench.reply(worker, caller) == []
    assert bench.counts["drop.caller_gone"] == 1


def test_a_caller_that_came_back_gets_its_reply_over_the_new_connection(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller)
    bench.cut(caller)
    bench.hello("c", connection=b"new")

    assert bench.reply(worker, caller)[0].to == b"new"


def test_a_task_long_over_its_deadline_is_forgotten(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.task(caller, ttl_ms=1000)
    for _ in range(70):
        bench.tick(0.1)
        bench.presence(worker, "echo", Verb.HEARTBEAT)

    assert bench.counts["overdue"] == 1
    assert bench.reply(worker, caller) == []


def test_a_watched_task_is_copied_with_its_caller_and_a_reply_with_both(bench):
    worker, caller = bench.join("w", "echo"), bench.join("c")
    for kind in (1, 2):
        bench.listen(heads.kind_topic("demo", kind))
    bench.task(caller, body=b"question")
    bench.reply(worker, caller, body=b"answer")

    headers = [heads.unpack_header(header) for _, header, _ in bench.published]
    assert [body for _, _, body in bench.published] == [b"question", b"answer"]
    assert [header[0] for header in headers] == [bench.engine.tables.epoch] * 2
    assert headers[0][2] == caller.instance
    assert headers[1][2:] == (caller.instance, worker.instance)


def test_a_watched_task_is_copied_even_if_nobody_serves_it(bench):
    bench.listen(heads.trace_topic("demo", TRACE))
    bench.task(bench.join("c"))

    assert [topic for topic, _, _ in bench.published] == [heads.trace_topic("demo", TRACE)]


def test_nothing_is_copied_to_another_namespace(bench):
    bench.listen(heads.kind_topic("other", 1))
    bench.join("w", "echo")
    bench.task(bench.join("c"))

    assert not bench.published


def test_a_returning_caller_waits_for_its_workers_after_a_restart(bench):
    caller = bench.join("c", **KNOWN)
    assert bench.task(caller, ttl_ms=5000) == []
    bench.now_s += 0.25

    worker = bench.join("w")
    [acknowledged, task] = bench.presence(worker, "echo")

    assert acknowledged.verb is Verb.REGISTER
    assert (task.to, task.task, task.number) == (worker.connection, TASK, 4750)
    assert bench.counts == {"parked": 1}


def test_a_new_caller_is_told_at_once_even_right_after_a_restart(bench):
    assert bench.task(bench.join("c"))[0].body == b"no_route"


def test_what_waits_bounces_when_the_time_of_parking_is_over(bench):
    caller = bench.join("c", **KNOWN)
    bench.task(caller)

    assert bench.tick(0.9) == []
    assert [each.body for each in bench.tick(0.2)] == [b"no_route"]


def test_nothing_is_parked_once_the_proxy_is_up(bench):
    caller = bench.join("c", **KNOWN)
    bench.now_s += 1.0

    assert bench.task(caller)[0].body == b"no_route"


def test_what_waits_expires_at_its_own_deadline(bench):
    caller = bench.join("c", **KNOWN)
    bench.task(caller, ttl_ms=300)

    assert [each.body for each in bench.tick(0.4)] == [b"expired"]


def test_what_waits_can_be_cancelled(bench):
    caller = bench.join("c", **KNOWN)
    bench.task(caller)
    bench.say(caller, heads.pack(Verb.CANCEL, task=TASK))

    assert bench.tick(1.1) == []


def test_what_waits_is_not_taken_in_twice(bench):
    caller = bench.join("c", **KNOWN)
    bench.task(caller)

    assert bench.task(caller) == []
    assert bench.counts == {"parked": 1, "drop.duplicate_task": 1}


def test_a_task_is_not_parked_while_somebody_is_there(bench):
    bench.join("w", "echo")
    caller = bench.join("c", **KNOWN)
    bench.tick(0.1)
    worker = bench.engine.tables.peers.namespaces["demo"].routes.find(b"echo").next()
    bench.engine.tables.peers.namespaces["demo"].routes.set_available(worker, False)

    assert bench.task(caller)[0].body == b"busy"


def test_a_task_that_may_run_on_is_marked_in_the_ledger(bench):
    bench.join("w", "echo")
    bench.task(bench.join("c"), flags=ItemFlag.KEEP)

    assert [entry.keep for entry in bench.engine.tables.ledger] == [True]


def test_a_task_that_was_cancelled_before_its_worker_got_it_goes_to_no_other(bench):
    caller, worker = bench.join("caller"), bench.join("worker", "echo")
    bench.join("other", "echo")
    (given,) = bench.task(caller)
    assert given.to == worker.connection
    bench.say(caller, heads.pack(Verb.CANCEL, task=TASK))

    head = heads.pack(Verb.TASK, 8, peer=caller.instance, number=5000, task=TASK, address=b"echo")

    assert bench.unsent(worker, head) == []
    assert not len(bench.engine.tables.ledger)
