"""A Synapse that falls silent, or dies and comes back: nothing is forgotten that was to wait."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ...errors import SynapseUnreachable
from ...transport import Outcome, PresenceVerb
from .harness import Harness
from .joined import Enter
from .port_user import CHATTER, NOBODY, TASK, PortUser, new_id
from .waiting import until

pytestmark = pytest.mark.asyncio
OUTBOX_MESSAGES = 20_000


@pytest.fixture
def harness(mortal: Harness) -> Harness:
    """Each test kills its Synapse."""
    return mortal


async def killed(harness: Harness, *users: PortUser) -> None:
    """Kill the Synapse; return when each user knows."""
    before = [len(user.of("on_away")) for user in users]
    await harness.kill()
    for user, count in zip(users, before, strict=True):
        await user.seen("on_away", count + 1)


async def revived(harness: Harness, *users: PortUser) -> None:
    """Start it again; return when each user is connected and serves its Axons again."""
    await harness.revive()
    for user in users:
        await user.welcome()
        await user.transport.drained()
        await user.fence()


async def test_away_is_reported_and_so_is_a_synapse_that_comes_back_without_memory(
    enter: Enter, harness: Harness
) -> None:
    """P31 P32"""
    user = await enter()

    await killed(harness, user)
    assert user.send("worker", task=new_id()) is Outcome.WAITING
    await revived(harness, user)

    first, *again = [each.fresh for each in user.of("on_welcomed")]
    assert first
    assert set(again) == {harness.forgets}
    assert user.of("on_away")[0].why
    assert user.instance == user.transport.instance


async def test_the_time_that_the_synapse_has_been_away_is_known(
    enter: Enter, harness: Harness
) -> None:
    """P43"""
    user = PortUser(harness.synapse(), "test")
    before_open_s = user.transport.away_s
    await user.open()
    opened_s = user.transport.away_s

    await killed(harness, user)
    away_s = user.transport.away_s
    await revived(harness, user)
    back_s = user.transport.away_s
    await user.transport.close(5.0)

    assert (before_open_s, opened_s, back_s, user.transport.away_s) == (None, None, None, None)
    assert away_s is not None
    assert 0.0 <= away_s < 5.0


async def test_who_opens_without_a_limit_is_there_once_the_synapse_is(harness: Harness) -> None:
    """P42"""
    user = PortUser(harness.synapse(), "test")
    await harness.kill()

    opening = asyncio.create_task(user.transport.open(None, ()))
    await asyncio.sleep(0)
    await harness.revive()
    await opening

    assert [each.fresh for each in user.of("on_welcomed")] == [True]
    await user.transport.close(5.0)


async def test_tasks_that_were_sent_while_away_are_delivered_once_and_in_order(
    enter: Enter, harness: Harness
) -> None:
    """P13 P16 P31"""
    worker, caller = await (await enter(answers=True)).serve("worker"), await enter()
    bodies = [b"%d" % number * (20_000 if number % 50 == 0 else 1) for number in range(200)]

    await killed(harness, caller, worker)
    for body in bodies:
        caller.ask("worker", body)
    await revived(harness, worker, caller)
    replies = await caller.seen("on_replies", len(bodies))

    assert [each.body for each in worker.of("on_tasks")] == bodies
    assert sorted(each.body for each in replies) == sorted(bodies)


async def test_drained_returns_when_nothing_waits_any_more(enter: Enter, harness: Harness) -> None:
    """P33"""
    worker, caller = await (await enter()).serve("worker"), await enter()
    await caller.transport.drained()

    await killed(harness, caller, worker)
    caller.ask("worker")
    draining = asyncio.create_task(caller.transport.drained())
    done_while_away, _ = await asyncio.wait([draining], timeout=0.0)
    await harness.revive()
    await asyncio.wait_for(draining, 5.0)

    assert not done_while_away
    assert caller.send("worker", task=new_id()) is Outcome.SENT


async def test_drained_returns_also_when_the_transport_is_closed(
    enter: Enter, harness: Harness
) -> None:
    """P33"""
    caller = await enter()
    await killed(harness, caller)
    caller.ask("worker")
    draining = asyncio.create_task(caller.transport.drained())

    await caller.transport.close(0.1)
    ended, _ = await asyncio.wait([draining], timeout=1.0)

    assert ended


async def test_close_says_that_what_waited_was_not_read(enter: Enter, harness: Harness) -> None:
    """P4"""
    caller, idle = await enter(), await enter()
    await killed(harness, caller, idle)
    caller.ask("worker")

    assert not await caller.transport.close(0.1)
    assert await caller.transport.close(0.1)


async def test_presence_is_not_kept_while_away(enter: Enter, harness: Harness) -> None:
    """P31"""
    user = await enter()

    await killed(harness, user)
    assert user.say(PresenceVerb.REGISTER, "worker") is Outcome.WAITING
    await revived(harness, user)

    assert user.of("on_registered") == []


async def test_what_was_listened_to_is_heard_again_after_a_restart(
    enter: Enter, harness: Harness
) -> None:
    """P32"""
    trace = new_id()
    listener = await enter((TASK, None), (None, trace))
    listener.transport.listen((CHATTER, None))
    await listener.transport.sync(5.0)
    worker, caller = await (await enter()).serve("worker"), await enter()

    await killed(harness, listener, worker, caller)
    await revived(harness, worker, caller, listener)
    await listener.transport.sync(5.0)
    await until(lambda: caller.transport.is_heard(CHATTER, NOBODY))
    caller.transport.publish(CHATTER, NOBODY, b"chatter")
    await until(lambda: worker.of("on_tasks") or caller.ask("worker", b"task", trace=trace))
    await until(lambda: {each.kind for each in listener.of("on_heard")} == {TASK, CHATTER, -1})

    assert listener.of("on_missed") == []


async def test_nobody_is_heard_after_a_restart_when_the_listeners_have_gone(
    enter: Enter, harness: Harness
) -> None:
    """P24 P26"""
    listener, speaker = await enter((CHATTER, None)), await (await enter()).knows_listeners()
    await killed(harness, listener, speaker)
    await revived(harness, listener, speaker)
    await listener.transport.sync(5.0)
    await until(lambda: speaker.transport.is_heard(CHATTER, NOBODY))

    listener.transport.unlisten((CHATTER, None))

    await until(lambda: not speaker.transport.is_heard(CHATTER, NOBODY))


async def test_a_task_whose_time_ends_while_it_waits_does_not_run(
    enter: Enter, harness: Harness
) -> None:
    """P15"""
    worker, caller = await (await enter()).serve("worker"), await enter()

    await killed(harness, caller, worker)
    late = caller.ask("worker", b"late", ttl_ms=1)
    caller.ask("worker", b"in time")
    end_s = asyncio.get_running_loop().time() + 0.005
    while asyncio.get_running_loop().time() < end_s:
        pass  # the loop must not turn: memory:// would be back
    await revived(harness, worker, caller)
    await worker.seen("on_tasks")

    assert [each.body for each in worker.of("on_tasks")] == [b"in time"]
    assert worker.about("on_tasks", late) == []
    assert 0 < worker.of("on_tasks")[0].ttl_ms < 10_000


async def test_what_waits_has_a_bound_and_what_is_over_it_is_busy(
    enter: Enter, harness: Harness
) -> None:
    """P30"""
    caller = await enter()
    await killed(harness, caller)

    outcomes = [caller.send("worker", task=new_id(), ttl_ms=1) for _ in range(OUTBOX_MESSAGES + 1)]

    assert set(outcomes[:-1]) == {Outcome.WAITING}
    assert outcomes[-1] is Outcome.BUSY
    assert caller.transport.counts["drop.outbox_full"] == 1


@pytest.mark.needs("fall_silent")
async def test_sync_fails_in_time_when_nobody_answers(enter: Enter, harness: Harness) -> None:
    """P2 P26"""
    user = await enter()
    harness.fall_silent()

    with pytest.raises(SynapseUnreachable):
        await user.transport.sync(0.1)


async def test_sync_of_a_transport_that_is_closed_meanwhile_is_unreachable(
    enter: Enter, harness: Harness
) -> None:
    """P2 P26"""
    user = await enter()
    await killed(harness, user)
    syncing = asyncio.create_task(user.transport.sync(5.0))
    await asyncio.wait([syncing], timeout=0.0)

    await user.transport.close(0.1)

    with pytest.raises(SynapseUnreachable):
        await syncing


@pytest.mark.needs("expire_after")
async def test_a_worker_that_shows_no_life_gets_no_tasks_until_it_does(
    enter: Enter, harness: Harness
) -> None:
    """P14 P22"""
    worker, caller = await (await enter()).serve("worker", capabilities=["text"]), await enter()
    harness.expire_after(0.05)

    async def bounced() -> Any:
        task = caller.ask(capabilities=["text"])
        await until(lambda: worker.about("on_tasks", task) or caller.about("on_bounce", task))
        return caller.about("on_bounce", task)

    while not (bounces := await bounced()):
        pass
    harness.expire_after(60.0)
    worker.say(PresenceVerb.HEARTBEAT, "worker")
    await worker.fence()

    assert bounces[0].reason == "busy"
    assert not await bounced()
