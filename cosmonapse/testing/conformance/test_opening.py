"""Coming, staying within one's namespace, and leaving."""

from __future__ import annotations

import asyncio

import pytest

from ...errors import SynapseRefused, SynapseUnreachable
from ...transport import Outcome, PresenceVerb, ReplyFlag
from .harness import Harness
from .joined import Enter, NewUser
from .port_user import ANSWER, CHATTER, HERE, MAX_SIGNAL_BYTES, NOBODY, TASK, PortUser, new_id

pytestmark = pytest.mark.asyncio


async def test_after_open_the_topics_are_in_force_and_the_first_word_is_heard(
    enter: Enter,
) -> None:
    """P1"""
    listener, speaker = await enter((CHATTER, None)), await enter()

    is_heard = speaker.transport.is_heard(CHATTER, new_id())
    speaker.transport.publish(CHATTER, NOBODY, b"hello")

    assert is_heard
    assert (await listener.seen("on_heard"))[0].body == b"hello"
    assert listener.of("on_welcomed")[0].fresh


@pytest.mark.needs("fall_silent")
async def test_a_synapse_that_does_not_answer_is_unreachable_within_the_time(
    mortal: Harness,
) -> None:
    """P2"""
    user = PortUser(mortal.synapse(), "test")
    mortal.fall_silent()
    began_s = asyncio.get_running_loop().time()

    with pytest.raises(SynapseUnreachable) as caught:
        await user.transport.open(0.3, ())

    assert asyncio.get_running_loop().time() - began_s < 2.0
    assert mortal.synapse().url in str(caught.value)
    assert caught.value.reason in str(caught.value)
    assert user.send("worker", task=new_id()) is Outcome.CLOSED


async def test_a_namespace_that_is_not_served_is_refused_with_those_that_are(
    exclusive: Harness,
) -> None:
    """P3"""
    with pytest.raises(SynapseRefused, match=r"green.*blue, red"):
        await PortUser(exclusive.synapse(), "green").open()

    served = await PortUser(exclusive.synapse(), "red").open()
    await served.transport.close(5.0)


async def test_close_delivers_what_was_sent_before_and_says_so(enter: Enter) -> None:
    """P4"""
    worker, caller = await (await enter()).serve("worker"), await enter()
    for number in range(300):
        caller.ask("worker", str(number).encode(), keep=True)

    everything_was_read = await caller.transport.close(5.0)

    assert everything_was_read
    assert [each.body for each in await worker.seen("on_tasks", 300)] == [
        str(number).encode() for number in range(300)
    ]


async def test_a_user_that_left_has_no_tasks_and_no_listeners_any_more(enter: Enter) -> None:
    """P4"""
    caller, worker = await enter(), await enter((CHATTER, None))
    await worker.serve("worker")
    await worker.transport.close(5.0)

    task = caller.ask("worker")
    await caller.transport.sync(5.0)

    assert (await caller.seen("on_bounce"))[0] == (task, "no_route")


@pytest.mark.needs("fall_silent")
async def test_close_gives_up_in_time_when_the_far_end_says_nothing(mortal: Harness) -> None:
    """P4"""
    user = await PortUser(mortal.synapse(), "test").open()
    mortal.fall_silent()
    began_s = asyncio.get_running_loop().time()

    everything_was_read = await user.transport.close(0.2)

    assert not everything_was_read
    assert asyncio.get_running_loop().time() - began_s < 1.0
    assert user.send("worker", task=new_id()) is Outcome.CLOSED


async def test_a_transport_that_is_not_open_sends_nothing_and_says_closed(
    new_user: NewUser,
) -> None:
    """P5"""
    user = new_user()
    for _ in ("before it is opened", "after it was closed", "and closed again"):
        transport = user.transport

        assert user.send("worker", task=new_id()) is Outcome.CLOSED
        assert transport.send_cancel(new_id(), NOBODY) is Outcome.CLOSED
        assert (
            transport.send_reply(new_id(), new_id(), NOBODY, ANSWER, b"", 0, ReplyFlag.SETTLES)
            is Outcome.CLOSED
        )
        assert user.say(PresenceVerb.REGISTER, "worker") in (Outcome.CLOSED, Outcome.WAITING)
        if not user.happened:
            await user.open()
        await transport.close(5.0)


async def test_an_instance_id_has_sixteen_bytes_before_open_and_nobody_else_has_it(
    new_user: NewUser,
) -> None:
    """P6"""
    one, other = new_user(), new_user()
    before = one.instance

    await one.open()

    assert len(before) == 16
    assert one.transport.instance == before
    assert before not in (other.instance, NOBODY)


async def test_a_size_limit_over_that_of_the_synapse_shrinks_to_it(enter: Enter) -> None:
    """P7"""
    modest, greedy = await enter(max_signal_bytes=1000), await enter(max_signal_bytes=1 << 30)

    assert modest.transport.max_signal_bytes == 1000
    assert greedy.transport.max_signal_bytes == MAX_SIGNAL_BYTES
    assert modest.transport.heartbeat_s > 0


async def test_a_lower_size_limit_of_the_synapse_binds_its_users(strict: Harness) -> None:
    """P7 P28"""
    user = await PortUser(strict.synapse(), "test").open()
    await user.serve("worker")

    over = user.send("worker", bytes(10_001), task=new_id())
    user.ask("worker", bytes(10_000))
    (task,) = await user.seen("on_tasks")
    await user.transport.close(5.0)

    assert user.transport.max_signal_bytes == 10_000
    assert over is Outcome.TOO_LARGE
    assert len(task.body) == 10_000


async def test_several_transports_share_one_synapse_and_end_with_it(
    harness: Harness, new_user: NewUser
) -> None:
    """P9"""
    synapse = harness.synapse()
    await synapse.connect(5.0)
    worker, caller = [new_user(synapse=synapse, answers=True) for _ in range(2)]
    await (await worker.open()).serve("worker")
    await caller.open()
    caller.ask("worker", b"shared")
    await caller.seen("on_replies")

    await synapse.close()

    assert worker.instance != caller.instance
    assert caller.send("worker", task=new_id()) is Outcome.CLOSED
    assert worker.send("worker", task=new_id()) is Outcome.CLOSED
    assert synapse.url in repr(synapse)


async def test_namespaces_never_see_each_other(new_user: NewUser) -> None:
    """P20"""
    red, blue, spy = [new_user(namespace=name) for name in ("red-1", "blue-1", "blue-1")]
    trace = new_id()
    await red.open()
    await blue.open()
    await spy.open((TASK, None), (None, trace), (CHATTER, None), (HERE, None))
    await red.serve("worker", capabilities=["text"])

    by_name = blue.ask("worker", trace=trace)
    by_capability = blue.ask(capabilities=["text"], trace=trace)
    red.ask("worker", b"ours", trace=trace)
    red.transport.send_cancel(by_name, trace)
    await red.seen("on_tasks")
    await blue.seen("on_bounce", 2)
    await spy.transport.sync(5.0)

    assert {each.task for each in blue.of("on_bounce")} == {by_name, by_capability}
    assert [each.body for each in red.of("on_tasks")] == [b"ours"]
    await red.knows_listeners()
    assert not red.transport.is_heard(CHATTER, trace)
    assert {each.caller for each in spy.of("on_heard")} <= {blue.instance}
