"""The size limit: a body within it passes, one over it never leaves and harms nothing."""

from __future__ import annotations

import pytest

from ...transport import Outcome, PresenceVerb
from .joined import Enter
from .port_user import ANSWER, CHATTER, MAX_SIGNAL_BYTES, NOBODY, THOUGHT, new_id

pytestmark = pytest.mark.asyncio
LIMIT_BYTES = 50_000


async def test_a_task_and_its_reply_pass_at_the_limit_and_not_one_byte_over_it(
    enter: Enter,
) -> None:
    """P28"""
    small = {"max_signal_bytes": LIMIT_BYTES}
    worker, caller = await (await enter(**small)).serve("worker"), await enter(**small)
    full = bytes(LIMIT_BYTES)

    over = caller.send("worker", full + b"!", task=new_id())
    caller.ask("worker", full)
    (task,) = await worker.seen("on_tasks")
    over_back = worker.reply(task, full + b"!", settles=False, kind=THOUGHT)
    worker.reply(task, full)
    (reply,) = await caller.seen("on_replies")
    over_here = worker.say(PresenceVerb.REGISTER, "worker", body=full + b"!")

    assert [over, over_back, over_here] == [Outcome.TOO_LARGE] * 3
    assert task.body == reply.body == full
    assert caller.of("on_away") == worker.of("on_away") == []


async def test_a_task_and_its_reply_pass_at_the_limit_of_the_synapse(enter: Enter) -> None:
    """P28"""
    worker, caller = await (await enter(answers=True)).serve("worker"), await enter()
    full = bytes(MAX_SIGNAL_BYTES)

    over = caller.send("worker", full + b"!", task=new_id())
    caller.ask("worker", full)
    caller.ask("worker", b"small")
    replies = await caller.seen("on_replies", 2)

    assert over is Outcome.TOO_LARGE
    assert {each.body for each in replies} == {full, b"small"}
    assert caller.of("on_away") == worker.of("on_away") == []


async def test_the_limit_binds_the_sender_and_not_the_receiver(enter: Enter) -> None:
    """P29"""
    modest = {"max_signal_bytes": 1_000}
    worker, caller = await (await enter(**modest)).serve("worker"), await enter()
    listener = await enter((ANSWER, None), **modest)
    large = bytes(300_000)

    caller.ask("worker", large)
    (task,) = await worker.seen("on_tasks")
    too_large = worker.reply(task, large)
    worker.reply(task, b"small")
    await caller.seen("on_replies")
    await listener.seen("on_heard")

    assert task.body == large
    assert too_large is Outcome.TOO_LARGE
    assert worker.of("on_away") == listener.of("on_away") == []


async def test_a_publication_over_the_limit_goes_nowhere_and_harms_nothing(enter: Enter) -> None:
    """P28"""
    listener, speaker = await enter((CHATTER, None)), await enter()

    count = speaker.transport.publish(CHATTER, NOBODY, bytes(MAX_SIGNAL_BYTES + (1 << 20)))
    await speaker.fence()
    await listener.fence()
    speaker.transport.publish(CHATTER, NOBODY, b"small")
    heard = await listener.seen("on_heard")

    assert [each.body for each in heard] == [b"small"]
    assert listener.of("on_missed") == []
    assert count == 0
    assert any("too_large" in name for name in speaker.transport.counts)


@pytest.mark.parametrize("size", [0, 1, 16 * 1024, 16 * 1024 + 1, 70_000, 256 * 1024, 1 << 20])
async def test_bodies_of_every_size_cross_unchanged_in_both_directions(
    enter: Enter, size: int
) -> None:
    """P28"""
    await (await enter(answers=True)).serve("worker")
    caller = await enter()
    bodies = [bytes([number]) * size for number in range(3)]

    for body in bodies:
        caller.ask("worker", body)

    assert [each.body for each in await caller.seen("on_replies", 3)] == bodies


async def test_events_of_messages_are_counted_by_name(enter: Enter) -> None:
    """P8"""
    caller = await enter()
    before = caller.transport.counts

    caller.transport.counts.update(changed=1)
    caller.transport.publish(CHATTER, NOBODY, b"nobody listens")

    assert caller.transport.counts == before
    assert all(isinstance(count, int) for count in before.values())
