"""Lists, claims and verdicts, one at a time; `tests/property/test_resync_machine.py` mixes them."""

import pytest

from zmq_transport.proxy import caller_lists, wanted_tasks, worker_news
from zmq_transport.wire import heads, resync_messages
from zmq_transport.wire.heads import Verb

TASK, OTHER, TRACE = b"t" * 16, b"o" * 16, b"r" * 16


def opened(task=TASK, index=0, keep=False):
    return resync_messages.Opened(task, TRACE, index, 10_000, keep)


def held(caller, task=TASK, state=resync_messages.Claim.RUNNING, keep=False):
    return resync_messages.Held(caller.instance, task, TRACE, "echo", state, 10_000, keep)


def list_tasks(bench, caller, *tasks, workers=(), unconfirmed=()):
    """Let a caller list tasks and the workers that it knew; return what came of it."""
    known = [each.instance for each in workers]
    messages = resync_messages.workers_pages(known, unconfirmed=unconfirmed)
    messages += [*resync_messages.opened_pages(tasks), resync_messages.END_OF_LIST]
    return [sent for message in messages for sent in bench.say(caller, *message)]


def asked(sent):
    return [each for each in sent if each.verb == Verb.RESEND]


def answer(bench, worker, question, *claims):
    return bench.say(worker, *resync_messages.answer(claims, question.address))


@pytest.fixture
def caller(bench):
    return bench.join("caller")


@pytest.fixture
def worker(bench):
    return bench.join("worker", "echo")


def test_a_task_that_nobody_has_was_not_started(bench, caller, worker):
    (question,) = asked(list_tasks(bench, caller, opened(), workers=[worker]))
    answer(bench, worker, question)

    assert [(each.to, each.body) for each in bench.tick() if each.verb == Verb.LOST] == [
        (caller.connection, b"not_started")
    ]


def test_a_task_that_a_missing_worker_may_have_is_unknown_after_a_second(bench, caller, worker):
    gone = bench.join("gone")
    known = [worker, gone]
    bench.say(gone, heads.pack(Verb.GOODBYE))
    (question,) = asked(list_tasks(bench, caller, opened(), workers=known))
    answer(bench, worker, question)

    assert not [each for each in bench.tick(0.5) if each.verb == Verb.LOST]
    assert [each.body for each in bench.tick(0.6) if each.verb == Verb.LOST] == [b"unknown"]


def test_while_it_is_patient_no_task_is_unknown_for_a_missing_worker(bench, caller, worker):
    bench.engine.tables.be_patient(bench.now_s + 5.0)
    gone = bench.join("gone")
    bench.say(gone, heads.pack(Verb.GOODBYE))
    (question,) = asked(list_tasks(bench, caller, opened(), workers=[worker, gone]))
    answer(bench, worker, question)

    assert not [each for each in bench.tick(4.9) if each.verb == Verb.LOST]
    assert [each.body for each in bench.tick(0.2) if each.verb == Verb.LOST] == [b"unknown"]


def test_an_unconfirmed_worker_that_was_never_here_has_nothing(bench, caller, worker):
    (question,) = asked(
        list_tasks(bench, caller, opened(), workers=[worker], unconfirmed=[b"n" * 16])
    )
    answer(bench, worker, question)

    assert [each.body for each in bench.tick() if each.verb == Verb.LOST] == [b"not_started"]


def test_an_unconfirmed_worker_that_was_here_once_may_have_a_task(bench, caller, worker):
    gone = bench.join("gone", "echo")
    bench.say(gone, heads.pack(Verb.GOODBYE))
    tasks = list_tasks(bench, caller, opened(), workers=[worker], unconfirmed=[gone.instance])
    answer(bench, worker, asked(tasks)[0])

    assert [each.body for each in bench.tick(1.1) if each.verb == Verb.LOST] == [b"unknown"]


def test_of_workers_that_were_here_so_many_are_remembered(bench, monkeypatch):
    monkeypatch.setattr(worker_news, "MAX_REMEMBERED", 2)
    first, second, third = (bench.join(f"worker-{number}", "echo") for number in range(3))

    was_worker = bench.engine.tables.worker_news.was_worker

    assert [was_worker(each.instance) for each in (first, second, third)] == [False, True, True]


def test_a_task_that_a_worker_claims_is_in_its_hands(bench, caller, worker):
    (question,) = asked(list_tasks(bench, caller, opened(), workers=[worker]))
    answer(bench, worker, question, held(caller))

    assert not [each for each in bench.tick(11.0) if each.verb == Verb.LOST]
    reply = heads.pack(Verb.REPLY, peer=caller.instance, flags=1, task=TASK)
    assert [each.to for each in bench.say(worker, reply)] == [caller.connection]


def test_a_reply_that_is_forgotten_is_lost(bench, caller, worker):
    (question,) = asked(list_tasks(bench, caller, opened(), workers=[worker]))
    sent = answer(bench, worker, question, held(caller, state=resync_messages.Claim.FORGOTTEN))

    assert [each.body for each in sent if each.verb == Verb.LOST] == [b"reply_lost"]


def test_what_runs_and_was_not_listed_is_cancelled_unless_it_is_to_be_kept(bench, caller, worker):
    list_tasks(bench, caller)
    claims = resync_messages.claim_pages([held(caller), held(caller, OTHER, keep=True)])
    sent = bench.say(worker, *claims[0])

    assert [(each.verb, each.task) for each in sent] == [(Verb.CANCEL, TASK)]


def test_a_worker_that_says_nothing_is_waited_for_ten_seconds(bench, caller, worker):
    list_tasks(bench, caller, opened(), workers=[worker])

    assert not [each for each in bench.tick(9.5) if each.verb == Verb.LOST]
    assert [each.body for each in bench.tick(0.6) if each.verb == Verb.LOST] == [b"unknown"]


def test_a_caller_that_missed_news_of_workers_for_want_of_room_is_told_all_again(bench):
    caller = bench.join("caller")
    bench.say(caller, *resync_messages.WORKERS_REQUEST)
    worker = bench.join("worker", "echo")
    news = resync_messages.workers_messages([worker.instance], 0)

    bench.unsent(caller, *news[0], busy=True)
    early = [each for each in bench.tick(0.3) if each.verb == Verb.WORKERS]
    told = [each for each in bench.tick(0.3) if each.verb == Verb.WORKERS]

    assert early == []
    assert [(each.to, each.body) for each in told] == [(caller.connection, worker.instance)]


def test_more_tasks_than_can_be_wanted_are_told_unknown(bench, caller, worker, monkeypatch):
    monkeypatch.setattr(wanted_tasks, "MAX_WANTED", 1)
    sent = list_tasks(bench, caller, opened(), opened(OTHER), workers=[worker])

    assert [(each.task, each.body) for each in sent if each.verb == Verb.LOST] == [
        (OTHER, b"unknown")
    ]


@pytest.mark.parametrize("limit", ["max_tasks", "max_tasks_per_caller"])
def test_more_claims_than_the_ledger_holds_are_dropped_and_counted(bench_with, limit):
    bench = bench_with(**{limit: 1})
    worker = bench.join("worker", "echo")
    caller = bench.join("caller", epoch=b"e" * 16)
    for page in resync_messages.claim_pages([held(caller), held(caller, OTHER)]):
        bench.say(worker, *page)

    assert [entry.task for entry in bench.engine.tables.ledger] == [TASK]
    assert bench.counts["drop.claims_full"] == 1


@pytest.mark.parametrize("limit", ["MAX_LISTED", "MAX_LISTED_OF_CALLER"])
def test_a_list_without_an_end_is_bounded(bench, caller, worker, monkeypatch, limit):
    monkeypatch.setattr(caller_lists, limit, 1)
    known = [bytes([number]) * 16 for number in range(3)]
    bench.say(caller, *resync_messages.workers_pages(known)[0])

    assert bench.counts["drop.listed"] == 3


def test_a_page_of_two_verbs_is_dropped(bench, caller):
    items = [(verb, 0, 0, 0, TASK, TRACE, 0) for verb in (Verb.RESEND, Verb.CLAIM)]
    bench.say(caller, heads.pack_items(items))

    assert bench.counts["drop.mixed_page"] == 1


def merged(*messages):
    """Return several messages as one with all their items."""
    items = [item for head, _ in messages for item in heads.unpack_items(head)[1]]
    return heads.pack_items(items), b"".join(body for _, body in messages)


def test_the_end_of_a_list_in_one_message_with_its_tasks_is_decided_by_its_workers(
    bench, caller, worker
):
    (page,) = resync_messages.opened_pages([opened()])
    bench.say(caller, *resync_messages.workers_pages([worker.instance])[0])

    (question,) = asked(bench.say(caller, *merged(page, resync_messages.END_OF_LIST)))
    answer(bench, worker, question)

    assert [each.body for each in bench.tick() if each.verb == Verb.LOST] == [b"not_started"]


def test_a_malformed_task_of_a_page_is_counted_and_harms_no_other(bench, caller, worker):
    page = resync_messages.opened_pages([opened()])[0]
    bad = heads.pack(Verb.RESEND, 3, task=OTHER), b"bad"

    (question,) = asked(bench.say(caller, *merged(page, bad, resync_messages.END_OF_LIST)))

    assert [item[4] for item in heads.unpack_items(merged(page, bad)[0])[1]] == [TASK, OTHER]
    assert question.task == TASK
    assert bench.counts["drop.bad_list"] == 1


def test_a_malformed_claim_of_a_page_is_counted_and_harms_no_other(bench, caller, worker):
    (question,) = asked(list_tasks(bench, caller, opened(), workers=[worker]))
    bad = heads.pack(Verb.CLAIM, 3, task=OTHER), b"bad"
    forgotten = held(caller, state=resync_messages.Claim.FORGOTTEN)
    head, body = merged(resync_messages.answer([forgotten], question.address), bad)

    sent = bench.say(worker, head + question.address, body)

    assert [each.body for each in sent if each.verb == Verb.LOST] == [b"reply_lost"]
    assert bench.counts["drop.bad_claim"] == 1


def test_a_task_that_misses_replies_in_the_message_of_a_list_is_asked_for_once(
    bench, caller, worker
):
    page = resync_messages.opened_pages([opened()])[0]
    gap = resync_messages.gap_message(opened(index=3))

    questions = asked(bench.say(caller, *merged(page, gap, page)))

    assert [each.task for each in questions] == [TASK]
    assert len(bench.engine.tables.wanted) == 1


def test_what_a_caller_knew_counts_for_every_page_of_its_list(bench, caller, worker):
    """The queries of an earlier page may have been answered before a later page comes."""
    late, _ = bench.hello("late", connection=b"c-late-1")
    bench.say(late, heads.pack(Verb.GOODBYE))
    bench.say(caller, *resync_messages.workers_pages([worker.instance, late.instance])[0])
    pages = [resync_messages.opened_pages([each])[0] for each in (opened(), opened(OTHER))]
    (first,) = asked(bench.say(caller, *pages[0]))
    answer(bench, worker, first, held(caller))
    bench.tick()

    (second,) = asked(bench.say(caller, *pages[1]))
    bench.hello("late", connection=b"c-late-2")
    answer(bench, worker, second)
    (to_late,) = asked(bench.tick())
    answer(bench, b"c-late-2", to_late)

    assert to_late.to == b"c-late-2"
    assert [each.body for each in bench.tick() if each.verb == Verb.LOST] == [b"not_started"]


def test_what_a_client_listed_before_it_left_decides_nothing_after_its_return(bench, worker):
    caller = bench.join("caller")
    list_tasks(bench, caller, opened(), workers=[worker])
    bench.say(caller, heads.pack(Verb.GOODBYE))
    again = bench.join("caller")

    assert not bench.engine.tables.wanted
    assert [each.verb for each in bench.task(again)] == [Verb.TASK]


def test_a_claim_beyond_what_the_ledger_holds_ends_the_task_at_its_caller(
    bench_with,
):
    bench = bench_with(max_tasks=0)
    worker, caller = bench.join("worker", "echo"), bench.join("caller", epoch=b"e" * 16)
    (question,) = asked(list_tasks(bench, caller, opened(), workers=[worker]))

    sent = answer(bench, worker, question, held(caller))

    assert [(each.to, each.body) for each in sent if each.verb == Verb.LOST] == [
        (caller.connection, b"unknown")
    ]


def test_a_parked_task_that_a_worker_claims_is_given_to_no_other(bench):
    caller = bench.join("caller", epoch=b"e" * 16)
    assert bench.task(caller) == []
    worker = bench.join("worker")
    bench.say(worker, *resync_messages.claim_pages([held(caller)])[0])

    given = bench.presence(bench.join("other"), "echo")

    assert [each.verb for each in given] == [Verb.REGISTER]
    assert [entry.seat.peer.instance for entry in bench.engine.tables.ledger] == [worker.instance]


@pytest.mark.parametrize("flags", [0, heads.ItemFlag.KEEP])
def test_a_cancel_that_a_worker_may_have_missed_is_repeated_when_it_claims_the_task(
    bench, caller, worker, flags
):
    bench.task(caller, flags=flags)
    bench.cut(worker)
    bench.say(caller, heads.pack(Verb.CANCEL, task=TASK))
    bench.hello("worker", connection=b"c-again", epoch=b"e" * 16)

    sent = bench.say(b"c-again", *resync_messages.claim_pages([held(caller)])[0])

    assert [(each.verb, each.to, each.peer) for each in sent] == [
        (Verb.CANCEL, b"c-again", caller.instance)
    ]


def test_what_its_caller_listed_no_more_is_cancelled_when_its_worker_is_back(bench, caller, worker):
    bench.task(caller)
    bench.cut(worker)
    assert not [each for each in list_tasks(bench, caller) if each.verb == Verb.CANCEL]
    bench.hello("worker", connection=b"c-again", epoch=b"e" * 16)

    sent = bench.say(b"c-again", *resync_messages.claim_pages([held(caller)])[0])

    assert [(each.verb, each.task) for each in sent] == [(Verb.CANCEL, TASK)]


def test_a_worker_that_came_and_left_between_two_ticks_is_announced_as_gone_last(bench):
    caller = bench.join("caller")
    bench.say(caller, *resync_messages.WORKERS_REQUEST)
    bench.join("first", "echo")  # its news goes out at once, those after it wait for the tick
    brief = bench.join("brief", "echo")
    bench.say(brief, heads.pack(Verb.GOODBYE))

    news = [each.body for each in bench.tick() if each.verb == Verb.WORKERS]

    assert news == [brief.instance]
