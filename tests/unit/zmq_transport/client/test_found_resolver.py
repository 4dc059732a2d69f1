"""A proxy that has to be found: what is known is used at once, what is found the next time."""

import asyncio
import threading

import pytest

from cosmonapse.testing.conformance.waiting import until
from zmq_transport.client.found_resolver import FoundResolver
from zmq_transport.sockets.endpoints import FoundEndpoint, TcpEndpoint, places_of

HERE, THERE = TcpEndpoint("10.0.0.1", 7070), TcpEndpoint("10.0.0.2", 7070)


class Network:
    """What is known, and what would be found."""

    def __init__(self, *known):
        self.known = known
        self.finds = known
        self.looks = 0
        self.may_end = threading.Event()
        self.may_end.set()
        self.endpoint = FoundEndpoint(
            "cosmo://auto", lambda: self.known, self.find, lambda: "a fault"
        )

    def find(self):
        self.looks += 1
        self.may_end.wait()
        self.known = self.finds
        return self.known


async def resolved(resolver):
    """Return the addresses that the resolver hands over."""
    found = asyncio.get_running_loop().create_future()
    resolver.resolve(found.set_result)
    return await found


async def ended(network, looks):
    """Wait until a look has ended."""
    await until(lambda: network.looks >= looks and network.known == network.finds)


@pytest.mark.asyncio
async def test_what_was_found_before_the_first_attempt_is_used_without_a_look():
    network = Network(HERE)

    assert await resolved(FoundResolver(network.endpoint)) == [HERE]
    assert network.looks == 0


@pytest.mark.asyncio
async def test_without_a_known_place_it_is_looked_for_first():
    network = Network()
    network.finds = (HERE, THERE)
    resolver = FoundResolver(network.endpoint)
    before = resolver.unresolved

    assert await resolved(resolver) == [HERE, THERE]
    assert before == ("cosmo://auto",)
    assert resolver.unresolved == ()


@pytest.mark.asyncio
async def test_a_later_attempt_uses_the_known_place_at_once_and_the_next_one_what_was_found():
    network = Network(HERE)
    network.finds = (THERE,)
    network.may_end.clear()
    resolver = FoundResolver(network.endpoint)
    await resolved(resolver)

    assert await resolved(resolver) == [HERE]
    assert await resolved(resolver) == [HERE]
    network.may_end.set()
    await ended(network, 1)

    assert await resolved(resolver) == [THERE]


@pytest.mark.asyncio
async def test_there_is_one_look_at_a_time():
    network = Network(HERE)
    network.may_end.clear()
    resolver = FoundResolver(network.endpoint)

    for _ in range(5):
        await resolved(resolver)
    network.may_end.set()
    await ended(network, 1)

    assert network.looks == 1


@pytest.mark.asyncio
async def test_nothing_is_handed_over_after_the_end():
    network = Network()
    network.may_end.clear()
    resolver = FoundResolver(network.endpoint)
    handed = []

    resolver.resolve(handed.append)
    resolver.close()
    network.finds = (HERE,)
    network.may_end.set()
    await until(lambda: not resolver._is_looking)  # it was told what was found
    await asyncio.sleep(0)

    assert handed == []


def test_one_that_was_never_found_goes_by_its_name():
    assert places_of(Network().endpoint) == (TcpEndpoint("cosmo://auto", 0),)
    assert places_of(Network(HERE, THERE).endpoint) == (HERE, THERE)
    assert str(Network().endpoint) == "cosmo://auto"
