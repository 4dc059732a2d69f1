"""Resolving the host of an endpoint."""

import asyncio
import socket
import threading

import pytest

from zmq_transport.client import resolve as module
from zmq_transport.client.resolve import Resolver, lookup
from zmq_transport.sockets.endpoints import IpcEndpoint, TcpEndpoint, TcpEndpoints

BROKER = TcpEndpoint("broker", 7070)


def answering(monkeypatch, *answers):
    """Let the system answer each look-up with the next of `answers`: addresses, or an error."""
    left = list(answers)

    def getaddrinfo(host, port, **options):
        assert (host, port, options) == ("broker", 7070, {"type": socket.SOCK_STREAM})
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, 1, 6, "", (each, port))
            for each in answer
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


async def resolved(resolver):
    """Return the addresses that the resolver hands over."""
    found = asyncio.get_running_loop().create_future()
    resolver.resolve(found.set_result)
    return await found


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "endpoint",
    [IpcEndpoint("/run/p.sock"), TcpEndpoint("127.0.0.1", 1), TcpEndpoint("::1", 1)],
    ids=str,
)
async def test_an_address_resolves_to_itself_at_once(endpoint):
    found = []

    Resolver(endpoint).resolve(found.extend)

    assert found == [endpoint]


def test_every_address_of_a_name_is_returned_once_those_of_ipv4_first(monkeypatch):
    answering(monkeypatch, ["::2", "10.0.0.2", "::1", "10.0.0.1", "10.0.0.2"])

    assert lookup("broker", 7070) == ["10.0.0.2", "10.0.0.1", "::2", "::1"]


@pytest.mark.asyncio
async def test_a_name_is_looked_up_again_for_every_attempt(monkeypatch):
    answering(monkeypatch, ["10.0.0.1"], ["10.0.0.2"])
    resolver = Resolver(BROKER)

    found = [await resolved(resolver), await resolved(resolver)]

    assert found == [[TcpEndpoint("10.0.0.1", 7070)], [TcpEndpoint("10.0.0.2", 7070)]]


@pytest.mark.asyncio
async def test_the_last_answer_stays_good_while_the_name_does_not_resolve(monkeypatch):
    fault = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    answering(monkeypatch, fault, ["10.0.0.1"], fault)
    resolver = Resolver(BROKER)

    found = [await resolved(resolver) for _ in range(3)]

    assert found == [[], [TcpEndpoint("10.0.0.1", 7070)], [TcpEndpoint("10.0.0.1", 7070)]]


@pytest.mark.asyncio
async def test_a_name_server_that_hangs_delays_an_attempt_no_longer_than_its_limit(monkeypatch):
    monkeypatch.setattr(module, "LOOKUP_S", 0.01)
    hangs = threading.Event()
    answers = iter([lambda: None, hangs.wait])
    monkeypatch.setattr(module, "lookup", lambda host, port: (next(answers)(), ["10.0.0.1"])[1])
    resolver = Resolver(BROKER)
    first = await resolved(resolver)

    try:
        assert await resolved(resolver) == first == [TcpEndpoint("10.0.0.1", 7070)]
    finally:
        hangs.set()


def looking_up(monkeypatch, **names):
    """Let each name have its addresses once its event is set; one without an event has them now."""

    def look_up(host, port):
        addresses, may_answer = names[host]
        if may_answer is not None:
            may_answer.wait()
        return addresses

    monkeypatch.setattr(module, "lookup", look_up)


def several(*hosts):
    return TcpEndpoints(tuple(TcpEndpoint(each, 7070) for each in hosts))


async def hosts_of(resolver):
    return [each.host for each in await resolved(resolver)]


@pytest.mark.asyncio
async def test_a_list_has_the_addresses_of_all_its_places_in_their_order_each_once(monkeypatch):
    looking_up(monkeypatch, a=(["10.0.0.1", "::1"], None), b=(["10.0.0.2", "10.0.0.9"], None))
    resolver = Resolver(several("a", "10.0.0.9", "b"))

    assert await hosts_of(resolver) == ["10.0.0.1", "::1", "10.0.0.9", "10.0.0.2"]


@pytest.mark.asyncio
async def test_a_list_of_addresses_resolves_to_itself_at_once():
    found = []

    Resolver(several("10.0.0.1", "::1")).resolve(found.extend)

    assert found == list(several("10.0.0.1", "::1").places)


@pytest.mark.asyncio
async def test_a_slow_name_holds_up_the_others_once_and_no_longer(monkeypatch):
    slow = threading.Event()
    looking_up(monkeypatch, a=(["10.0.0.1"], slow), b=(["10.0.0.2"], None))
    resolver = Resolver(several("a", "b"))

    try:
        first = await hosts_of(resolver)
        monkeypatch.setattr(module, "SIDE_BY_SIDE_S", 3600.0)  # who waits for it again never ends
        second = await asyncio.wait_for(hosts_of(resolver), 30)
    finally:
        slow.set()

    assert first == second == ["10.0.0.2"]
    assert resolver.unresolved == ("a",)


@pytest.mark.asyncio
async def test_who_knows_no_address_yet_waits_for_the_first_name_that_has_one(monkeypatch):
    monkeypatch.setattr(module, "SIDE_BY_SIDE_S", 0.01)
    a, b = threading.Event(), threading.Event()
    looking_up(monkeypatch, a=(["10.0.0.1"], a), b=(["10.0.0.2"], b))
    resolver = Resolver(several("a", "b"))
    asyncio.get_running_loop().call_later(0.05, b.set)

    try:
        assert await hosts_of(resolver) == ["10.0.0.2"]
    finally:
        a.set()


@pytest.mark.asyncio
async def test_the_names_of_a_list_are_not_looked_up_for_each_attempt_of_a_round(monkeypatch):
    asked = []
    monkeypatch.setattr(module, "FRESH_S", 3600.0)
    monkeypatch.setattr(module, "lookup", lambda host, port: asked.append(host) or ["10.0.0.1"])
    resolver = Resolver(several("a", "b"))

    for _ in range(3):
        await hosts_of(resolver)
    monkeypatch.setattr(module, "FRESH_S", 0.0)
    await hosts_of(resolver)

    assert sorted(asked) == ["a", "a", "b", "b"]


@pytest.mark.asyncio
async def test_a_list_of_which_no_name_resolves_has_no_address(monkeypatch):
    looking_up(monkeypatch, a=([], None), b=([], None))
    resolver = Resolver(several("a", "b"))

    assert await hosts_of(resolver) == []
    assert resolver.unresolved == ("a", "b")


@pytest.mark.asyncio
async def test_nothing_is_handed_over_after_close(monkeypatch):
    looked_up = asyncio.Event()
    loop = asyncio.get_running_loop()

    def answer(host, port):
        loop.call_soon_threadsafe(looked_up.set)
        return ["10.0.0.1"]

    monkeypatch.setattr(module, "lookup", answer)
    resolver, found = Resolver(BROKER), []
    resolver.resolve(found.extend)

    resolver.close()
    await looked_up.wait()
    await asyncio.sleep(0)

    assert found == []
