"""What is handed over reaches those for whom it is meant, and those who listen."""

from __future__ import annotations

import pytest

from ...transport import Outcome, Recipients
from .joined import Enter, NewUser
from .port_user import ACCEPTED, CHATTER, NOBODY, PortUser, PublishedEvent, TaskEvent, new_id

pytestmark = pytest.mark.asyncio

TRACE = new_id()


def hand_over(
    sender: PortUser,
    recipients: int,
    body: bytes = b"news",
    *,
    peer: bytes = NOBODY,
    capabilities: tuple[str, ...] = (),
) -> bool:
    """Hand a Signal over; False if not all here can do that."""
    transport = sender.transport
    address = transport.address_of(None, capabilities) if capabilities else b""
    sent = transport.send_published(recipients, CHATTER, TRACE, body, peer, address)
    assert sent in ACCEPTED if transport.takes_published else sent is Outcome.CLOSED
    # P46: while older ones are here, those for whom it is meant may be of them.
    return sent in ACCEPTED and not transport.older_publishers


async def handed_over(*users: PortUser) -> list[list[bytes]]:
    """Return the bodies that each user was handed so far; what was on its way has arrived."""
    for user in users:
        await user.fence()
    return [[each.body for each in user.of("on_published")] for user in users]


async def test_hosts_are_those_who_serve_and_the_sender_is_none_of_them(enter: Enter) -> None:
    """P44"""
    host, sender = await (await enter()).serve("a"), await (await enter()).serve("b")
    plain = await enter()

    if hand_over(sender, Recipients.HOSTS):
        await host.seen("on_published")
        assert host.of("on_published") == [PublishedEvent(sender.instance, CHATTER, TRACE, b"news")]
        assert await handed_over(sender, plain) == [[], []]


async def test_an_offer_reaches_those_who_offer_all_of_it(enter: Enter) -> None:
    """P44"""
    both = await (await enter()).serve("a", capabilities=["x", "y"])
    one, sender = await (await enter()).serve("b", capabilities=["x"]), await enter()

    if hand_over(sender, Recipients.OFFERS, capabilities=("y", "x")):
        await both.seen("on_published")
        assert await handed_over(one, sender) == [[], []]


async def test_one_recipient_gets_it_and_nobody_else(enter: Enter) -> None:
    """P44"""
    sender, receiver, other = await enter(), await enter(), await enter()

    if hand_over(sender, Recipients.PEER, peer=receiver.instance):
        await receiver.seen("on_published")
        assert await handed_over(other, sender) == [[], []]


async def test_whoever_is_meant_twice_gets_it_once(enter: Enter) -> None:
    """P44"""
    host, sender = await (await enter()).serve("a", capabilities=["x"]), await enter()
    every = Recipients.HOSTS | Recipients.OFFERS | Recipients.PEER

    if hand_over(sender, every, peer=host.instance, capabilities=("x",)):
        await host.seen("on_published")
        assert await handed_over(host) == [[b"news"]]


@pytest.mark.parametrize("recipients", [Recipients.NONE, Recipients.HOSTS])
async def test_listeners_get_a_copy_with_the_sender_as_caller(
    enter: Enter, recipients: int
) -> None:
    """P44"""
    listener, sender = await enter((CHATTER, None), (None, TRACE)), await enter()

    if hand_over(sender, recipients):
        heard = await listener.seen("on_heard", 2)
        assert sorted(heard) == [
            (-1, TRACE, sender.instance, NOBODY, b"news"),
            (CHATTER, b"", sender.instance, NOBODY, b"news"),
        ]


async def test_it_comes_behind_the_tasks_and_cancels_that_were_sent_before(enter: Enter) -> None:
    """P45"""
    worker, sender = await (await enter()).serve("worker"), await enter()
    for number in range(20):
        task = sender.ask("worker", b"%d" % number)
        if number % 2:
            sender.transport.send_cancel(task, NOBODY)
        if not hand_over(sender, Recipients.PEER, b"%d" % number, peer=worker.instance):
            return

    await worker.seen("on_published", 20)

    order = [each for each in worker.happened if isinstance(each, (TaskEvent, PublishedEvent))]
    assert [each.body for each in order] == [b"%d" % (n // 2) for n in range(40)]
    assert [isinstance(each, TaskEvent) for each in order] == [True, False] * 20
    cancels = [worker.happened.index(each) for each in worker.of("on_cancel")]
    assert len(cancels) == 10
    assert max(cancels) < worker.happened.index(worker.of("on_published")[-1])


async def test_nothing_crosses_to_another_namespace(new_user: NewUser) -> None:
    """P20 P44"""
    here, there = new_user(namespace="here-1"), new_user(namespace="there-1")
    for user in (here, there):
        await user.open()
        await user.serve("worker")

    every = Recipients.HOSTS | Recipients.CALLERS | Recipients.PEER
    if hand_over(here, every, peer=there.instance):
        await here.fence()
        await there.fence()
        assert there.of("on_published") == []


async def test_before_open_and_after_close_nothing_is_handed_over(new_user: NewUser) -> None:
    """P5 P46"""
    user = new_user()
    before = user.transport.send_published(Recipients.HOSTS, CHATTER, TRACE, b"")
    await user.open()
    await user.transport.close(5.0)

    after = user.transport.send_published(Recipients.HOSTS, CHATTER, TRACE, b"")

    assert (before, after) == (Outcome.CLOSED, Outcome.CLOSED)


async def test_what_is_published_first_keeps_its_order_until_the_listeners_are_known(
    enter: Enter,
) -> None:
    """P16 P25"""
    listener, speaker = await enter((CHATTER, None)), await enter()
    count = 0
    while speaker.transport.is_heard(99, TRACE) or count < 300:
        speaker.transport.publish(CHATTER, NOBODY, b"%d" % count)
        count += 1
        if count % 10 == 0:
            await speaker.fence()

    heard = await listener.seen("on_heard", count)

    assert [each.body for each in heard] == [b"%d" % number for number in range(count)]
    assert listener.of("on_missed") == []
