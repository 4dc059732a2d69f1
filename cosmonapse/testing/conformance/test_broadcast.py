"""A listener receives all of it, in order, or the number that is missing; others pay nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from .harness import Harness
from .joined import Enter
from .port_user import (
    ANSWER,
    CHATTER,
    NOBODY,
    THOUGHT,
    HeardEvent,
    MissedEvent,
    PortUser,
    new_id,
)
from .waiting import until

pytestmark = pytest.mark.asyncio


async def answered(
    caller: PortUser, worker: PortUser, trace: bytes = NOBODY, body: bytes = b"task"
) -> Any:
    """Run a task that sends a progress reply; return its id."""
    task = caller.ask("worker", body, trace=trace)
    await until(lambda: worker.about("on_tasks", task))
    (got,) = worker.about("on_tasks", task)
    worker.reply(got, b"thought", settles=False, kind=THOUGHT)
    worker.reply(got, b"answer", index=1)
    await until(lambda: len(caller.about("on_replies", task)) == 2)
    return task


async def test_a_trace_is_heard_from_its_task_to_its_answer_in_order(enter: Enter) -> None:
    """P23"""
    trace = new_id()
    worker, caller = await (await enter()).serve("worker"), await enter()
    listener = await enter((None, trace))

    await answered(caller, worker, trace)
    await answered(caller, worker, new_id())
    await listener.transport.sync(5.0)

    heard = listener.of("on_heard")
    assert [each.body for each in heard] == [b"task", b"thought", b"answer"]
    assert {each[:4] for each in heard} == {(-1, trace, caller.instance, worker.instance)}


async def test_a_type_is_heard_on_every_trace_and_nothing_else_is(enter: Enter) -> None:
    """P23"""
    worker, caller = await (await enter()).serve("worker"), await enter()
    listener = await enter((ANSWER, None))

    for _ in range(3):
        await answered(caller, worker, new_id())
    await listener.transport.sync(5.0)

    heard = listener.of("on_heard")
    assert [each.body for each in heard] == [b"answer"] * 3
    assert {each[:4] for each in heard} == {(ANSWER, b"", caller.instance, worker.instance)}


async def test_who_listens_to_type_and_trace_hears_both(enter: Enter) -> None:
    """P23"""
    trace = new_id()
    worker, caller = await (await enter()).serve("worker"), await enter()
    listener = await enter((THOUGHT, None), (None, trace))

    await answered(caller, worker, trace)
    await listener.transport.sync(5.0)

    heard = listener.of("on_heard")
    assert sorted((each.kind, each.body) for each in heard) == [
        (-1, b"answer"),
        (-1, b"task"),
        (-1, b"thought"),
        (THOUGHT, b"thought"),
    ]


@pytest.mark.needs("counts")
async def test_nothing_is_copied_when_nobody_listens(enter: Enter, harness: Harness) -> None:
    """P24"""
    worker, caller = await (await enter()).serve("worker"), await enter()
    bystander = await enter((CHATTER, None), (None, new_id()))
    before = harness.counts.get("copies", 0)

    await answered(caller, worker, new_id())
    await bystander.transport.sync(5.0)

    assert harness.counts.get("copies", 0) == before
    assert bystander.of("on_heard") == []


@pytest.mark.needs("counts")
async def test_one_copy_is_made_for_any_number_of_listeners(enter: Enter, harness: Harness) -> None:
    """P23 P24"""
    worker, caller = await (await enter()).serve("worker"), await enter()
    listeners = [await enter((ANSWER, None)) for _ in range(3)]
    before = harness.counts.get("copies", 0)

    await answered(caller, worker)

    for listener in listeners:
        assert [each.body for each in await listener.seen("on_heard")] == [b"answer"]
    assert harness.counts.get("copies", 0) == before + 1


async def test_the_answer_to_a_cancelled_task_is_not_copied(enter: Enter) -> None:
    """P19 P23"""
    worker, caller = await (await enter()).serve("worker"), await enter()
    listener = await enter((ANSWER, None))
    caller.ask("worker")
    (task,) = await worker.seen("on_tasks")
    caller.transport.send_cancel(task.task, NOBODY)
    await worker.seen("on_cancel")

    worker.reply(task, b"too late")
    await caller.seen("on_replies")
    await listener.transport.sync(5.0)

    assert listener.of("on_heard") == []


async def heard_twice(listener: PortUser, trace: bytes) -> None:
    """Return when a listener received two messages of a trace."""
    await until(lambda: [each.trace for each in listener.of("on_heard")].count(trace) == 2)


@pytest.mark.parametrize(("by_kind", "by_trace"), [(0, 0), (1, 0), (0, 1), (1, 1)])
async def test_publish_tells_how_many_messages_it_took_and_is_heard_whether_any(
    enter: Enter, by_kind: int, by_trace: int
) -> None:
    """P25"""
    trace = new_id()
    listener = await enter(*[(CHATTER, None)] * by_kind, *[(None, trace)] * by_trace)
    speaker = await (await enter()).knows_listeners()

    is_heard = speaker.transport.is_heard(CHATTER, trace)
    count = speaker.transport.publish(CHATTER, trace, b"hello")
    await listener.seen("on_heard", count)

    assert count == by_kind + by_trace
    assert is_heard == bool(count)
    assert {each[2:] for each in listener.of("on_heard")} <= {(speaker.instance, NOBODY, b"hello")}


async def test_listening_is_in_force_after_the_next_sync_and_adds_up(enter: Enter) -> None:
    """P26"""
    listener, speaker = await enter(), await (await enter()).knows_listeners()
    for _ in range(2):
        listener.transport.listen((CHATTER, None))
    await listener.transport.sync(5.0)
    await until(lambda: speaker.transport.is_heard(CHATTER, NOBODY))

    listener.transport.unlisten((CHATTER, None))
    await listener.transport.sync(5.0)
    speaker.transport.publish(CHATTER, NOBODY, b"once")
    await listener.seen("on_heard")
    listener.transport.unlisten((CHATTER, None))
    await until(lambda: not speaker.transport.is_heard(CHATTER, NOBODY))

    assert [each.body for each in listener.of("on_heard")] == [b"once"]
    assert speaker.transport.publish(CHATTER, NOBODY, b"nobody") == 0


async def test_directed_messages_are_copied_from_the_moment_of_the_sync(enter: Enter) -> None:
    """P23 P26"""
    await (await enter(answers=True)).serve("worker")
    caller, listener = await enter(), await enter()
    for _ in range(20):
        trace = new_id()
        listener.transport.listen((None, trace))
        await listener.transport.sync(5.0)

        caller.ask("worker", trace, trace=trace)

        await heard_twice(listener, trace)


async def test_broadcasts_of_one_publisher_on_one_topic_keep_their_order(enter: Enter) -> None:
    """P16 P27"""
    listener, speaker = await enter((CHATTER, None)), await enter()

    for number in range(2_000):
        speaker.transport.publish(CHATTER, NOBODY, b"%d" % number)
    heard = await listener.seen("on_heard", 2_000)

    assert [each.body for each in heard] == [b"%d" % number for number in range(2_000)]
    assert listener.of("on_missed") == []


async def test_a_speaker_hears_itself(enter: Enter) -> None:
    """P23"""
    both = await enter((CHATTER, None))

    both.transport.publish(CHATTER, NOBODY, b"me")

    assert [each.caller for each in await both.seen("on_heard")] == [both.instance]


@pytest.mark.needs("losing_broadcasts")
async def test_a_loss_is_reported_before_the_next_message_that_arrives(
    enter: Enter, harness: Harness
) -> None:
    """P27"""
    listener, speaker = await enter((CHATTER, None)), await (await enter()).knows_listeners()

    def publish(body: bytes) -> None:
        assert speaker.transport.publish(CHATTER, NOBODY, body) == 1

    publish(b"1")
    await listener.seen("on_heard", 1)
    with harness.losing_broadcasts(speaker.transport):
        for lost in (b"2", b"3", b"4"):
            publish(lost)
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # messages of one turn are sent at its end
    publish(b"5")
    await listener.seen("on_heard", 2)

    assert [type(each) for each in listener.happened[-3:]] == [HeardEvent, MissedEvent, HeardEvent]
    assert [each.count for each in listener.of("on_missed")] == [3]


async def test_under_a_flood_everything_is_heard_or_counted_as_missed(enter: Enter) -> None:
    """P27 P30"""
    listener, speaker = await enter((CHATTER, None)), await (await enter()).knows_listeners()
    total = 60_000

    for number in range(total):
        speaker.transport.publish(CHATTER, NOBODY, b"%d" % number)

    def accounted() -> Any:
        speaker.transport.publish(CHATTER, NOBODY, b"after")
        last = listener.of("on_heard")[-1:]
        return last and last[0].body == b"after"

    await until(accounted, timeout_s=10.0)
    heard = [each.body for each in listener.of("on_heard") if each.body != b"after"]
    missed = sum(each.count for each in listener.of("on_missed"))
    assert heard == sorted(heard, key=int)
    assert len(heard) + missed >= total
