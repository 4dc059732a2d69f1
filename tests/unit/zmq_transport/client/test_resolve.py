"""Resolving the host of an endpoint."""

import asyncio
import socket

import pytest

from zmq_transport.client.resolve import resolve
from zmq_transport.errors import Unreachable
from zmq_transport.sockets.endpoints import IpcEndpoint, TcpEndpoint

pytestmark = pytest.mark.asyncio


async def test_the_path_of_a_unix_socket_stays_as_it_is():
    endpoint = IpcEndpoint("/run/proxy.sock")

    assert await resolve(endpoint) is endpoint


async def test_an_address_resolves_to_itself():
    assert await resolve(TcpEndpoint("127.0.0.1", 7070)) == TcpEndpoint("127.0.0.1", 7070)


async def test_the_first_address_of_a_name_is_returned(monkeypatch):
    async def getaddrinfo(host, port, **options):
        assert options == {"family": socket.AF_INET, "type": socket.SOCK_STREAM}
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in ("10.0.0.1", "10.0.0.2")
        ]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)

    assert await resolve(TcpEndpoint("broker", 7070)) == TcpEndpoint("10.0.0.1", 7070)


async def test_a_name_that_does_not_resolve_is_reported_with_its_endpoint(monkeypatch):
    async def getaddrinfo(host, port, **options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)

    with pytest.raises(Unreachable, match=r"tcp://broker:7070.*the name broker does not resolve"):
        await resolve(TcpEndpoint("broker", 7070))
