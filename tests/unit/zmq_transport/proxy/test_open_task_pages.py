"""Which tasks are open: who has them, whose they are, and who may see them, page by page."""

import pytest

from zmq_transport.access.rights import Access, Grant
from zmq_transport.wire import heads, open_task_messages, resync_messages
from zmq_transport.wire.heads import ItemFlag, Verb
from zmq_transport.wire.open_task_messages import OpenTaskInfo, TasksQuery

TASK, TRACE = b"t" * 16, b"r" * 16


def ids(count, start=0):
    return [number.to_bytes(16, "big") for number in range(start, start + count)]


def page_for(bench, asker, after=b""):
    body = open_task_messages.pack_tasks_query(TasksQuery(after))
    (sent,) = bench.say(asker, heads.pack(Verb.ROSTER, len(body), task=b"q" * 16), body)
    return open_task_messages.unpack_tasks(sent.body)


def pages_for(bench, asker, after=b""):
    """Return every page of a listing, or of the rest of it."""
    pages = [page_for(bench, asker, after)]
    while pages[-1].after is not None:
        pages.append(page_for(bench, asker, pages[-1].after))
    return pages


def tasks_for(bench, asker):
    return [each for page in pages_for(bench, asker) for each in page.tasks]


def cancel(bench, caller, task=TASK):
    return bench.say(caller, heads.pack(Verb.CANCEL, task=task, trace=TRACE))


def test_a_task_is_told_with_both_ends_its_age_and_the_time_that_is_left(bench):
    worker, caller = bench.join("worker", "echo", capabilities=["chat"]), bench.join("caller")
    watcher = bench.join("watcher")
    bench.task(caller, b"?chat", ttl_ms=5000, body=b"question")
    bench.tick(2.0)

    assert tasks_for(bench, watcher) == [
        OpenTaskInfo(
            task=TASK,
            trace=TRACE,
            caller=caller.instance,
            caller_name="caller",
            user="",
            address="?chat",
            state="running",
            worker=worker.instance,
            worker_name="worker",
            seat="echo",
            cancelled=False,
            age_ms=2000,
            left_ms=3000,
            size_bytes=len(b"question"),
        )
    ]


def test_without_an_open_task_the_page_is_empty(bench):
    worker, caller = bench.join("worker", "echo"), bench.join("caller")
    bench.task(caller)
    bench.reply(worker, caller)

    assert pages_for(bench, caller) == [open_task_messages.TasksPage(())]


def test_a_task_past_its_deadline_has_no_time_left(bench):
    bench.join("worker", "echo")
    caller = bench.join("caller")
    bench.task(caller, ttl_ms=1000)
    bench.tick(3.0)

    (told,) = tasks_for(bench, caller)

    assert (told.age_ms, told.left_ms) == (3000, 0)


def test_a_cancelled_task_is_open_until_its_worker_has_ended_it(bench):
    worker, caller = bench.join("worker", "echo"), bench.join("caller")
    bench.task(caller)
    cancel(bench, caller)

    assert [each.cancelled for each in tasks_for(bench, caller)] == [True]
    bench.reply(worker, caller)
    assert tasks_for(bench, caller) == []


def test_only_tasks_of_ones_own_namespace_are_told(bench):
    bench.join("worker", "echo")
    bench.task(bench.join("caller"))
    bench.join("w-theirs", "echo", namespace="other")
    other = bench.join("c-theirs", namespace="other")
    bench.task(other)

    assert [each.caller_name for each in tasks_for(bench, other)] == ["c-theirs"]


def test_the_tasks_of_a_caller_come_together_and_its_oldest_first(bench):
    bench.join("worker", "echo")
    first, second = bench.join("first"), bench.join("second")
    for task, caller in zip(ids(6), [second, first, first] * 2, strict=True):
        bench.task(caller, task=task)

    told = [f"{each.caller_name} {each.task[-1]}" for each in tasks_for(bench, first)]

    assert told == ["first 1", "first 2", "first 4", "first 5", "second 0", "second 3"]


def test_a_task_that_outlives_its_caller_is_told_without_a_name(bench):
    bench.join("worker", "echo")
    caller, watcher = bench.join("caller"), bench.join("watcher")
    bench.task(caller, flags=ItemFlag.KEEP)
    bench.say(caller, heads.pack(Verb.GOODBYE))

    (told,) = tasks_for(bench, watcher)

    assert (told.caller, told.caller_name, told.worker_name) == (caller.instance, "", "worker")


# -- pages -----------------------------------------------------------------------------------------


def test_pages_have_at_most_a_hundred_tasks_and_tell_each_once(bench):
    bench.join("worker", "echo")
    callers = [bench.join(f"caller-{number}") for number in range(3)]
    for task in ids(250):
        bench.task(callers[task[-1] % 3], task=task)

    pages = pages_for(bench, callers[0])

    assert [len(page.tasks) for page in pages] == [100, 100, 50]
    assert {each.task for page in pages for each in page.tasks} == set(ids(250))


def test_a_task_that_stays_open_is_not_missed_while_others_end(bench):
    worker, caller = bench.join("worker", "echo"), bench.join("caller")
    for task in ids(300):
        bench.task(caller, task=task)
    first = page_for(bench, caller)
    for task in [*ids(100), *ids(50, 150)]:
        bench.reply(worker, caller, task=task)

    second = page_for(bench, caller, first.after)

    assert [each.task for each in second.tasks] == [*ids(50, 100), *ids(50, 200)]
    assert [each.task for each in page_for(bench, caller, second.after).tasks] == ids(50, 250)


def test_a_caller_that_leaves_between_two_pages_loses_no_task_that_it_left_behind(bench):
    bench.join("worker", "echo")
    caller, watcher = bench.join("caller"), bench.join("watcher")
    for task in ids(150):
        bench.task(caller, task=task, flags=ItemFlag.KEEP)
    first = page_for(bench, watcher)
    bench.say(caller, heads.pack(Verb.GOODBYE))

    later = pages_for(bench, watcher, first.after)

    assert {each.task for page in (first, *later) for each in page.tasks} == set(ids(150))


def test_a_page_looks_at_a_thousand_callers(bench, steps_of):
    bench.join("worker", "echo")
    guests = [bench.join(f"guest-{number}") for number in range(1500)]
    bench.task(guests[-1])

    pages = pages_for(bench, guests[0])

    assert [len(page.tasks) for page in pages] == [0, 1]
    assert steps_of(page_for, bench, guests[0]) < 1000 * 40


@pytest.mark.parametrize("after", [b"x", b"x" * 64, b"\xff" * 34])
def test_a_place_that_the_proxy_never_told_does_no_harm(bench, after):
    bench.join("worker", "echo")
    caller = bench.join("caller")
    bench.task(caller)

    assert len(page_for(bench, caller, after).tasks) <= 1


def test_a_question_that_cannot_be_read_is_dropped(bench):
    caller = bench.join("caller")
    body = b"\x81\xa5tasks\x07"

    assert bench.say(caller, heads.pack(Verb.ROSTER, len(body), task=b"q" * 16), body) == []
    assert bench.counts["drop.bad_field"] == 1


# -- right after a start ---------------------------------------------------------------------------


def test_a_task_that_waits_for_its_worker_is_parked(bench):
    caller = bench.join("caller", epoch=b"an earlier epoch")
    bench.task(caller, ttl_ms=5000)
    bench.now_s += 0.5

    (told,) = tasks_for(bench, caller)

    assert (told.state, told.address, told.worker, told.seat) == ("parked", "echo", b"", "")
    assert (told.age_ms, told.left_ms, told.size_bytes) == (500, 4500, len(b"question"))


def test_a_task_that_workers_are_asked_for_is_wanted_until_one_claims_it(bench):
    caller, worker = bench.join("caller"), bench.join("worker", "echo")
    opened = [resync_messages.Opened(task, TRACE, 0, 10_000, False) for task in ids(3)]
    messages = [*resync_messages.workers_pages([worker.instance])]
    messages += [*resync_messages.opened_pages(opened), resync_messages.END_OF_LIST]
    sent = [each for message in messages for each in bench.say(caller, *message)]
    (question,) = [each for each in sent if each.verb == Verb.RESEND]
    bench.now_s += 0.25

    wanted = tasks_for(bench, caller)
    claim = resync_messages.Held(
        caller.instance, ids(1)[0], TRACE, "echo", resync_messages.Claim.RUNNING, 10_000, False
    )
    bench.say(worker, *resync_messages.answer([claim], question.address))
    found = tasks_for(bench, caller)

    told = [(each.task, each.state, each.age_ms, each.left_ms) for each in wanted]
    assert told == [(task, "wanted", 250, None) for task in ids(3)]
    running = found[-1]
    assert [each.state for each in found] == ["wanted", "wanted", "running"]
    assert (running.state, running.worker_name, running.size_bytes) == ("running", "worker", None)
    assert (running.age_ms, running.left_ms) == (0, 10_000)


# -- with keys -------------------------------------------------------------------------------------


@pytest.fixture
def keyed(bench_with):
    """A bench where `ada` and `ben` may not watch, and `eve` may; a task of each of three."""
    grants = {"ada": Grant(watches=False), "ben": Grant(watches=False), "eve": Grant()}
    bench = bench_with(access=Access(users={}, grants=grants))
    bench.join("worker", "echo", user="eve")
    callers = [bench.join(f"{user}-calls", user=user) for user in grants]
    for caller, task in zip(callers, ids(3), strict=True):
        bench.task(caller, task=task, flags=ItemFlag.KEEP)
    return bench, callers


def seen_by(bench, user, connection=b"another"):
    asker, _ = bench.hello(f"{user}-asks", user=user, connection=connection)
    return [(each.user, each.caller_name) for each in tasks_for(bench, asker)]


def test_who_may_watch_sees_every_task_with_the_user_of_its_caller(keyed):
    bench, _ = keyed

    assert seen_by(bench, "eve") == [(user, f"{user}-calls") for user in ("ada", "ben", "eve")]


def test_who_may_not_watch_sees_the_tasks_of_its_own_user(keyed):
    bench, _ = keyed

    assert seen_by(bench, "ada") == [("ada", "ada-calls")]


def test_it_sees_those_that_its_user_left_behind_and_no_others(keyed):
    bench, callers = keyed
    for caller in callers:
        bench.say(caller, heads.pack(Verb.GOODBYE))

    assert seen_by(bench, "ada") == [("", "")]
    assert len(seen_by(bench, "eve", b"one more")) == 3
