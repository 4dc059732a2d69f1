"""Tasks go to one worker, replies to their caller alone, and failures are reported."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from ...transport import Outcome, PresenceVerb
from .harness import Harness
from .joined import Enter
from .port_user import CHATTER, GONE, HERE, NOBODY, THOUGHT, CancelEvent, TaskEvent, new_id
from .waiting import until

pytestmark = pytest.mark.asyncio


async def test_a_task_arrives_as_it_was_sent_and_its_replies_come_home_in_order(
    enter: Enter,
) -> None:
    """P10 P15 P16"""
    worker, caller = await (await enter()).serve("worker"), await enter()
    trace = new_id()

    task = caller.ask("worker", b"question", trace=trace, ttl_ms=10_000)
    (got,) = await worker.seen("on_tasks")
    for index in range(100):
        worker.reply(got, str(index).encode(), index=index, settles=False, kind=THOUGHT)
    worker.reply(got, b"answer", index=100)
    replies = await caller.seen("on_replies", 101)

    assert got[:5] == (caller.instance, "worker", task, trace, 1)
    assert 9_000 < got.ttl_ms <= 10_000
    assert got.body == b"question"
    assert [each.index for each in replies] == list(range(101))
    assert [each.body for each in replies[:3]] == [b"0", b"1", b"2"]
    assert {(each.worker, each.task, each.trace) for each in replies} == {
        (worker.instance, task, trace)
    }
    assert [each.flags & 1 for each in replies] == [0] * 100 + [1]
    assert (replies[0].kind, replies[-1].kind, replies[-1].body) == (THOUGHT, 2, b"answer")


async def test_tasks_of_one_caller_to_one_address_arrive_in_the_order_they_were_sent(
    enter: Enter,
) -> None:
    """P16"""
    worker, caller = await (await enter()).serve("worker"), await enter()
    bodies = [b"%d" % number * (20_000 if number % 50 == 0 else 1) for number in range(500)]

    for body in bodies:
        caller.ask("worker", body)

    assert [each.body for each in await worker.seen("on_tasks", 500)] == bodies


async def test_a_task_by_capabilities_goes_to_one_who_offers_all_of_them(enter: Enter) -> None:
    """P11"""
    half = await (await enter()).serve("half", capabilities=["text"])
    whole = await (await enter()).serve("whole", capabilities=["image", "text", "sound"])
    caller = await enter()

    for _ in range(4):
        caller.ask(capabilities=["text", "image"])
    await whole.seen("on_tasks", 4)
    caller.ask(capabilities=["text"])
    await until(lambda: half.of("on_tasks") or len(whole.of("on_tasks")) > 4)

    assert {each.address for each in whole.of("on_tasks")} == {"whole"}
    assert [each.address for each in half.of("on_tasks")] == ["half"]


async def test_what_two_offer_only_together_has_no_route(enter: Enter) -> None:
    """P11 P14"""
    await (await enter()).serve("one", capabilities=["text"])
    await (await enter()).serve("two", capabilities=["image"])
    caller = await enter()

    task = caller.ask(capabilities=["text", "image"])

    assert await caller.seen("on_bounce") == [(task, "no_route")]


async def test_replicas_share_and_the_one_with_the_fewest_outstanding_is_next(enter: Enter) -> None:
    """P10 P12"""
    busy, idle = [await (await enter()).serve("worker") for _ in range(2)]
    caller = await enter()
    for _ in range(4):
        caller.ask("worker")
    await until(lambda: len(busy.of("on_tasks")) == len(idle.of("on_tasks")) == 2)

    for task in idle.of("on_tasks"):
        idle.reply(task)
    await caller.seen("on_replies", 2)
    for _ in range(2):
        caller.ask("worker")
    await idle.seen("on_tasks", 4)

    assert len(busy.of("on_tasks")) == 2


async def test_of_equals_the_one_that_was_idle_longest_is_next(enter: Enter) -> None:
    """P12"""
    replicas = [await (await enter(answers=True)).serve("worker") for _ in range(3)]
    caller = await enter()

    for count in range(1, 10):
        caller.ask("worker")
        await caller.seen("on_replies", count)

    workers = [each.worker for each in caller.of("on_replies")]
    assert Counter(workers) == dict.fromkeys((each.instance for each in replicas), 3)
    assert workers[:3] == workers[3:6] == workers[6:]


async def test_of_many_workers_exactly_one_runs_each_task(enter: Enter) -> None:
    """P13"""
    workers = [await (await enter(answers=True)).serve("worker") for _ in range(4)]
    caller = await enter()

    tasks = [caller.ask("worker") for _ in range(200)]
    await caller.seen("on_replies", 200)
    for each in workers:
        await each.fence()

    ran = Counter(task.task for each in workers for task in each.of("on_tasks"))
    assert ran == dict.fromkeys(tasks, 1)
    assert sorted(each.task for each in caller.of("on_replies")) == sorted(tasks)


async def test_a_task_that_is_sent_twice_is_delivered_once(enter: Enter) -> None:
    """P13"""
    worker, caller = await (await enter()).serve("worker"), await enter()

    task = caller.ask("worker", b"first")
    caller.ask("worker", b"second", task=task)
    await caller.fence()
    await worker.fence()

    assert [each.body for each in worker.of("on_tasks")] == [b"first"]


@pytest.mark.parametrize(
    "to", [{"name": "nobody"}, {"capabilities": ["nothing"]}], ids=["name", "capability"]
)
async def test_a_task_for_nobody_bounces_at_once_with_its_reason(
    enter: Enter, to: dict[str, Any]
) -> None:
    """P14"""
    caller = await enter()

    task = caller.ask(**to)

    assert await caller.seen("on_bounce") == [(task, "no_route")]
    assert caller.of("on_lost") == []


async def test_a_reply_reaches_its_caller_and_nobody_else(enter: Enter) -> None:
    """P17"""
    worker, caller, other = [await enter() for _ in range(3)]
    await worker.serve("worker")
    caller.ask("worker")
    (task,) = await worker.seen("on_tasks")

    other.reply(task, b"forged")
    await other.fence()
    worker.reply(task, b"true")
    await caller.seen("on_replies")
    worker.reply(task, b"after the last")
    worker.reply(TaskEvent(other.instance, *task[1:]), b"of nobody's task")
    await worker.fence()
    await caller.fence()
    await other.fence()

    assert [each.body for each in caller.of("on_replies")] == [b"true"]
    assert other.of("on_replies") == []


async def test_replies_of_many_tasks_come_to_their_callers(enter: Enter) -> None:
    """P17"""
    await (await enter(answers=True)).serve("worker")
    callers = [await enter() for _ in range(5)]

    for number in range(20):
        for caller in callers:
            caller.ask("worker", caller.instance + b"%d" % number)

    for caller in callers:
        replies = await caller.seen("on_replies", 20)
        assert [each.body for each in replies] == [
            caller.instance + b"%d" % number for number in range(20)
        ]


async def test_a_task_without_time_left_does_not_run(enter: Enter) -> None:
    """P14 P15"""
    worker, caller = await (await enter()).serve("worker"), await enter()

    task = caller.ask("worker", ttl_ms=0)
    await caller.fence()
    await worker.fence()

    assert worker.of("on_tasks") == []
    assert caller.about("on_bounce", task) == [(task, "expired")]


@pytest.mark.needs("crash")
async def test_tasks_of_a_worker_that_vanishes_are_lost_behind_its_replies(
    enter: Enter, harness: Harness
) -> None:
    """P16 P18"""
    worker, caller, other = [await enter() for _ in range(3)]
    await worker.serve("worker")
    tasks = [caller.ask("worker") for _ in range(3)]
    for got in await worker.seen("on_tasks", 3):
        worker.reply(got, settles=False, kind=THOUGHT)
    worker.reply(worker.of("on_tasks")[0], b"done", index=1)
    await caller.seen("on_replies", 4)

    harness.crash(worker.transport)
    await caller.seen("on_lost", 2)
    await caller.fence()

    assert caller.of("on_lost") == [(task, "worker_lost") for task in tasks[1:]]
    assert other.of("on_lost") == []
    assert caller.happened.index(caller.of("on_lost")[0]) > caller.happened.index(
        caller.of("on_replies")[-1]
    )


async def test_tasks_of_a_worker_that_leaves_are_lost_and_its_replica_takes_the_next(
    enter: Enter,
) -> None:
    """P4 P18"""
    leaving, staying, caller = [await enter() for _ in range(3)]
    await leaving.serve("worker")
    task = caller.ask("worker")
    await leaving.seen("on_tasks")
    await staying.serve("worker")

    await leaving.transport.close(5.0)
    await caller.seen("on_lost")
    caller.ask("worker", b"next")

    assert caller.of("on_lost") == [(task, "worker_lost")]
    assert [each.body for each in await staying.seen("on_tasks")] == [b"next"]


async def test_a_cancel_reaches_the_worker_behind_its_task_and_only_its_caller_can_send_it(
    enter: Enter,
) -> None:
    """P16 P19"""
    worker, caller, stranger = [await enter() for _ in range(3)]
    await worker.serve("worker")
    kept, dropped = caller.ask("worker"), caller.ask("worker")

    stranger.transport.send_cancel(kept, NOBODY)
    await stranger.fence()
    caller.transport.send_cancel(dropped, NOBODY)
    caller.transport.send_cancel(new_id(), NOBODY)
    await worker.seen("on_cancel")
    await worker.fence()

    assert worker.of("on_cancel") == [(caller.instance, dropped)]
    kinds = [type(each) for each in worker.happened]
    assert kinds.index(CancelEvent) > kinds.index(TaskEvent)


async def test_a_worker_may_settle_a_task_that_was_cancelled(enter: Enter) -> None:
    """P17 P19"""
    worker, caller = await (await enter()).serve("worker"), await enter()
    caller.ask("worker")
    (task,) = await worker.seen("on_tasks")
    caller.transport.send_cancel(task.task, NOBODY)
    await worker.seen("on_cancel")

    worker.reply(task, b"too late")

    assert (await caller.seen("on_replies"))[0].body == b"too late"


@pytest.mark.needs("crash")
async def test_tasks_of_a_caller_that_vanishes_are_cancelled_unless_they_are_to_be_kept(
    enter: Enter, harness: Harness
) -> None:
    """P19"""
    worker, caller = await (await enter()).serve("worker"), await enter()
    await caller.serve("caller")  # the absence of a client with a seat is noticed sooner
    dropped, kept = caller.ask("worker"), caller.ask("worker", keep=True)
    await worker.seen("on_tasks", 2)

    harness.crash(caller.transport)
    await worker.seen("on_cancel")
    await worker.fence()

    assert worker.of("on_cancel") == [(caller.instance, dropped)]
    assert worker.reply(worker.about("on_tasks", kept)[0]) is Outcome.SENT


async def test_a_name_gets_tasks_from_the_moment_it_is_acknowledged(enter: Enter) -> None:
    """P21"""
    worker, caller = await enter(), await enter()
    caller.ask("worker")
    await caller.seen("on_bounce")

    worker.say(PresenceVerb.REGISTER, "worker")
    await worker.seen("on_registered")
    caller.ask("worker", b"now")

    assert worker.of("on_registered") == [("worker", "")]
    assert [each.body for each in await worker.seen("on_tasks")] == [b"now"]


async def test_a_name_that_is_refused_is_reported_with_the_reason(enter: Enter) -> None:
    """P21"""
    worker, caller = await enter(), await enter()
    facts = {"capabilities": ["no name"]}

    worker.transport.send_presence(PresenceVerb.REGISTER, "worker", facts, HERE, b"")
    (refused,) = await worker.seen("on_registered")
    caller.ask("worker")

    assert refused.neuron_id == "worker"
    assert "no name" in refused.refusal
    assert (await caller.seen("on_bounce"))[0].reason == "no_route"


async def test_a_worker_that_deregisters_gets_no_new_tasks_and_may_settle_those_it_has(
    enter: Enter,
) -> None:
    """P22"""
    worker, caller = await (await enter()).serve("worker", "other"), await enter()
    caller.ask("worker")
    (task,) = await worker.seen("on_tasks")

    worker.say(PresenceVerb.DEREGISTER, "worker")
    await worker.fence()
    caller.ask("worker")
    await caller.seen("on_bounce")
    worker.reply(task, b"done")
    caller.ask("other", b"still here")
    await worker.seen("on_tasks", 2)

    assert (await caller.seen("on_replies"))[0].body == b"done"
    assert worker.of("on_tasks")[1].body == b"still here"


async def test_presence_is_heard_by_who_listens_in_the_words_of_its_owner(enter: Enter) -> None:
    """P22"""
    listener, worker = await enter((HERE, None), (CHATTER, None)), await enter()
    for verb, body in zip(PresenceVerb, (b"came", b"lives", b"went"), strict=True):
        worker.say(verb, "worker", body=body)

    heard = await listener.seen("on_heard", 3)

    assert [each.body for each in heard] == [b"came", b"lives", b"went"]
    assert {each[:4] for each in heard} == {(HERE, b"", NOBODY, worker.instance)}


@pytest.mark.needs("crash")
async def test_a_worker_that_vanishes_is_deregistered_in_its_name(
    enter: Enter, harness: Harness
) -> None:
    """P22"""
    worker = await (await enter()).serve("worker")
    listener = await enter((GONE, None))

    harness.crash(worker.transport)
    (heard,) = await listener.seen("on_heard")
    listener.ask("worker")

    assert heard.worker == worker.instance
    assert b"worker" in heard.body
    assert b"lost" in heard.body
    assert (await listener.seen("on_bounce"))[0].reason == "no_route"
