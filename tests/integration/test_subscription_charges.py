"""Subscriptions are charged to who holds them: several hosts, one topic. Page: 05-broadcast."""

import asyncio
from itertools import count

import pytest
import zmq

from support.processes import TIMEOUT_S, until
from support.rude import LimitedSynapse, rude_sockets, trace_topics
from support.transport import Party, RunningProxy

CAP = 20
HOSTS = ["127.0.0.2", "127.0.0.3", "127.0.0.4"]
SHARED = trace_topics("test", CAP)
OTHERS = [topic.replace(b"/r/0", b"/r/f") for topic in SHARED]
_numbers = count(1)


@pytest.fixture
def synapse(children):
    return LimitedSynapse(children, max_subscriptions_per_host=CAP)


def from_host(synapse, host):
    """Connect a bare subscriber from an address of this machine."""
    return rude_sockets(zmq.SUB, synapse.listen_port, source=host)


async def over_the_cap(synapse, subscriber, topics):
    """Subscribe; return how many were not accepted for want of room."""
    before, bad = (
        synapse.count(f"ignored.{each}") for each in ("max_topics_per_host", "bad_topic")
    )
    for topic in topics:
        subscriber.subscribe(topic)
    subscriber.subscribe(b"no topic %d" % next(_numbers))  # read after those before it
    await until(lambda: synapse.count("ignored.bad_topic") == bad + 1)
    return synapse.count("ignored.max_topics_per_host") - before


@pytest.mark.asyncio
@pytest.mark.parametrize("leaving", HOSTS)
async def test_a_host_whose_connection_ends_makes_room_for_itself_and_no_other(synapse, leaving):
    staying = [host for host in HOSTS if host != leaving]
    with from_host(synapse, staying[0]) as (first,), from_host(synapse, staying[1]) as (second,):
        with from_host(synapse, leaving) as (third,):
            for host, subscriber in sorted(
                zip([*staying, leaving], [first, second, third], strict=True)
            ):
                assert await over_the_cap(synapse, subscriber, SHARED) == 0, host
            closed = synapse.count("connection.closed")
        await until(lambda: synapse.count("connection.closed") > closed)

        refused = [await over_the_cap(synapse, each, OTHERS[:1]) for each in (first, second)]
        with from_host(synapse, leaving) as (again,):
            refused_again = await over_the_cap(synapse, again, OTHERS)

    assert refused == [1, 1]
    assert refused_again == 0


@pytest.mark.asyncio
@pytest.mark.parametrize("leaving", HOSTS)
async def test_a_host_that_unsubscribes_makes_room_for_itself_and_no_other(synapse, leaving):
    with (
        from_host(synapse, HOSTS[0]) as (first,),
        from_host(synapse, HOSTS[1]) as (second,),
        from_host(synapse, HOSTS[2]) as (third,),
    ):
        subscribers = dict(zip(HOSTS, (first, second, third), strict=True))
        for subscriber in subscribers.values():
            assert await over_the_cap(synapse, subscriber, SHARED) == 0
        for topic in SHARED:
            subscribers[leaving].unsubscribe(topic)

        refused = {
            host: await over_the_cap(synapse, subscriber, OTHERS)
            for host, subscriber in subscribers.items()
        }

    assert refused == {host: 0 if host == leaving else CAP for host in HOSTS}


@pytest.mark.asyncio
async def test_a_subscriber_that_asks_twice_for_a_topic_holds_it_once(synapse):
    """A SUB of libzmq sends every subscription, and one unsubscription for all of a topic."""
    with from_host(synapse, HOSTS[0]) as (subscriber,):
        for _ in range(3):
            assert await over_the_cap(synapse, subscriber, SHARED) == 0
        closed = synapse.count("connection.closed")
    await until(lambda: synapse.count("connection.closed") > closed)

    with from_host(synapse, HOSTS[0]) as (again,):
        assert await over_the_cap(synapse, again, OTHERS) == 0


def come_and_go(port, rounds):
    """Subscribe from several hosts and hang up at once, so that descriptors get new owners."""
    for number in range(rounds):
        with rude_sockets(zmq.SUB, port, number=3, source=HOSTS[number % 3]) as subscribers:
            for subscriber in subscribers:
                for topic in SHARED[: 1 + number % CAP]:
                    subscriber.subscribe(topic)
                if number % 2:
                    subscriber.poll(1)  # until the connection stands, or nearly


@pytest.mark.asyncio
async def test_nothing_is_charged_to_anybody_after_a_storm_of_short_connections(children):
    proxy = RunningProxy(children)
    async with Party(proxy) as watching:

        async def topics():
            return (await watching.client.queries.state(5.0)).topics

        before = await topics()
        storms = [asyncio.to_thread(come_and_go, proxy.ports[1], 60) for _ in range(3)]
        await asyncio.gather(*storms)

        async with asyncio.timeout(TIMEOUT_S):
            while await topics() != before:
                pass
        counts = (await watching.client.queries.state(5.0)).counts
    assert counts["connection.closed"] > 100
