"""The connections of Prism: a request has its time, and no crowd keeps anybody out."""

import asyncio
import contextlib
import socket
from collections import Counter

import pytest
import pytest_asyncio
import uvicorn

from cosmonapse.errors import PortInUse
from cosmonapse.http_server.listening import listening
from cosmonapse.http_server.timed_http import REQUEST_S, Connections, timed
from cosmonapse.prism.app import make_app
from cosmonapse.prism.guard import Guard
from cosmonapse.prism.ring import Ring
from cosmonapse.prism.tabs import Tabs
from cosmonapse.prism.trace_store import TraceStore
from support.processes import TIMEOUT_S

SHORT_S = 0.5
NOWHERE = (socket.AF_INET6, ("2001:db8::1", 0, 0, 0))  # an address for documentation: none of ours


@pytest.fixture
def means(monkeypatch):
    """Let a name mean some places, each a family and an address."""

    def means_(*places):
        found = [(family, socket.SOCK_STREAM, 0, "", place) for family, place in places]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    return means_


def test_a_name_with_an_address_that_cannot_be_bound_is_listened_at_with_the_others(means):
    means(NOWHERE, (socket.AF_INET, ("127.0.0.1", 0)))

    listeners, home = listening("localhost", 0)

    assert home.addresses == ("127.0.0.1",)
    assert [each.close() for each in listeners] == [None]


def test_a_name_of_which_no_address_can_be_bound_is_an_error(means):
    means(NOWHERE)

    with pytest.raises(PortInUse, match="localhost:7071"):
        listening("localhost", 7071)


def test_another_program_at_one_address_of_a_name_is_an_error(means):
    means((socket.AF_INET, ("127.0.0.1", 0)), (socket.AF_INET, ("127.0.0.2", 0)))

    with (
        socket.create_server(("127.0.0.2", 0)) as other,
        pytest.raises(PortInUse, match="already in use"),
    ):
        listening("localhost", other.getsockname()[1])


class Serving:
    """A Prism without an observer, in the loop of the test."""

    def __init__(self, request_s=TIMEOUT_S, most=1_000):
        self.counts = Counter()
        self.listeners, self.home = listening("127.0.0.1", 0)
        ring, traces = Ring(1), TraceStore()
        self.tabs = Tabs(ring, traces, lambda: {"hello": {}}, self.counts)
        app = make_app(Guard(self.home), None, ring, self.tabs, self.counts, traces, iter, None)
        protocol = timed(Connections(self.counts, most, request_s))
        settings = {"lifespan": "off", "ws": "none", "log_level": "error"}
        config = uvicorn.Config(app, http=protocol, timeout_graceful_shutdown=1, **settings)
        self.server = uvicorn.Server(config)

    async def __aenter__(self):
        self.task = asyncio.create_task(self.server._serve(self.listeners))
        return self

    async def __aexit__(self, *unused):
        self.tabs.close()
        self.server.should_exit = True
        await self.task

    async def connect(self):
        return await asyncio.open_connection("127.0.0.1", self.home.port)

    def request(self, path="/api/health", *more):
        lines = (f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{self.home.port}", *more, "", "")
        return "\r\n".join(lines).encode()


@pytest_asyncio.fixture
async def serve():
    async with contextlib.AsyncExitStack() as stack:
        yield lambda **limits: stack.enter_async_context(Serving(**limits))


async def ended(reader):
    """Wait until the other side ends a connection; return what it sent."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await reader.read()
    except ConnectionResetError:
        return b""


async def status(reader):
    async with asyncio.timeout(TIMEOUT_S):
        head = await reader.readuntil(b"\r\n\r\n")
    return int(head.split()[1])


def test_a_request_has_ten_seconds():
    assert REQUEST_S == 10.0


@pytest.mark.parametrize("begun", [b"", b"GET /api/health HTTP/1.1\r\nHost: 127"])
@pytest.mark.asyncio
async def test_a_request_that_does_not_end_in_its_time_is_closed_and_counted(serve, begun):
    serving = await serve(request_s=SHORT_S)
    reader, writer = await serving.connect()

    writer.write(begun)

    assert await ended(reader) == b""
    assert serving.counts == {"cut.slow_request": 1}
    writer.close()


@pytest.mark.asyncio
async def test_a_slow_request_that_always_goes_on_is_closed_too(serve):
    serving = await serve(request_s=SHORT_S)
    reader, writer = await serving.connect()
    ending = asyncio.create_task(ended(reader))
    writer.write(serving.request()[:-2])

    while not ending.done():
        writer.write(b"Accept: text/plain\r\n")
        await asyncio.sleep(SHORT_S / 10)

    assert await ending == b""
    assert serving.counts == {"cut.slow_request": 1}
    writer.close()


@pytest.mark.asyncio
async def test_a_body_that_does_not_end_is_closed_though_it_was_answered(serve):
    serving = await serve(request_s=SHORT_S)
    reader, writer = await serving.connect()

    writer.write(serving.request("/api/health", "Content-Length: 1000") + b"x")

    assert await status(reader) == 200
    await ended(reader)
    assert serving.counts == {"cut.slow_request": 1}
    writer.close()


@pytest.mark.asyncio
async def test_a_slow_request_within_its_time_is_answered_and_the_next_has_its_own(serve):
    serving = await serve()
    reader, writer = await serving.connect()

    for _ in range(2):
        for byte in serving.request():
            writer.write(bytes((byte,)))
            await asyncio.sleep(0)
        assert await status(reader) == 200
        await reader.readexactly(len(b'{"ok":true}'))

    assert not serving.counts
    writer.close()


@pytest.mark.asyncio
async def test_a_stream_may_last_longer_than_a_request(serve):
    serving = await serve(request_s=SHORT_S)
    stream, writer = await serving.connect()
    writer.write(serving.request("/api/stream"))
    assert await status(stream) == 200
    reader, other = await serving.connect()

    await ended(reader)  # its whole time is over, and that of the stream longer
    serving.tabs.show("state", {"still": "there"})

    async with asyncio.timeout(TIMEOUT_S):
        await stream.readuntil(b'{"still":"there"}')
    assert serving.counts == {"cut.slow_request": 1}
    writer.close()
    other.close()


@pytest.mark.asyncio
async def test_a_crowd_of_connections_loses_its_oldest_and_no_tab_and_nobody_new(serve):
    serving = await serve(most=5)
    stream, tab = await serving.connect()
    tab.write(serving.request("/api/stream"))
    assert await status(stream) == 200
    crowd = [await serving.connect() for _ in range(8)]

    reader, owner = await serving.connect()
    owner.write(serving.request())

    assert await status(reader) == 200
    assert [await ended(each) for each, _ in crowd[:4]] == [b""] * 4
    assert serving.counts == {"cut.too_many_connections": 4}
    serving.tabs.show("state", {"still": "there"})
    async with asyncio.timeout(TIMEOUT_S):
        await stream.readuntil(b'{"still":"there"}')
    for writer in (tab, owner, *(each for _, each in crowd)):
        writer.close()


@pytest.mark.asyncio
async def test_a_displaced_tab_that_does_not_read_counts_as_a_connection_again(serve, monkeypatch):
    monkeypatch.setattr("cosmonapse.prism.tabs.MOST_TABS", 1)
    serving = await serve(most=2)
    readers = []

    for _ in range(5):
        reader, writer = await serving.connect()
        writer.write(serving.request("/api/stream"))
        assert await status(reader) == 200
        readers.append((reader, writer))

    assert b"event: displaced" in await ended(readers[0][0])
    assert serving.counts["displaced_tabs"] == 4
    for _, writer in readers:
        writer.close()
