"""Lists, claims and verdicts, one at a time; `tests/property/test_resync_machine.py` mixes them."""

import pytest

from zmq_transport.proxy import caller_lists, resync, wanted_tasks, worker_news
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


def test_more_claims_than_the_ledger_holds_are_dropped_and_counted(bench, worker, monkeypatch):
    monkeypatch.setattr(resync, "MAX_OPEN", 1)
    caller = bench.join("caller", epoch=b"e" * 16)
    for page in resync_messages.claim_pages([held(caller), held(caller, OTHER)]):
        bench.say(worker, *page)

    assert [entry.task for entry in bench.engine.tables.ledger] == [TASK]
    assert bench.counts["drop.claims_full"] == 1


def test_a_list_without_an_end_is_bounded(bench, caller, worker, monkeypatch):
    monkeypatch.setattr(caller_lists, "MAX_LISTED", 1)
    known = [bytes([number]) * 16 for number in range(3)]
    bench.say(caller, *resync_messages.workers_pages(known)[0])

    assert bench.counts["drop.listed"] == 3


def test_a_page_of_two_verbs_is_dropped(bench, caller):
    items = [(verb, 0, 0, 0, TASK, TRACE, 0) for verb in (Verb.RESEND, Verb.CLAIM)]
    bench.say(caller, heads.pack_items(items))

    assert bench.counts["drop.mixed_page"] == 1
