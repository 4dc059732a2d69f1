"""What the tests over NATS stand on: servers that are killed, frozen and parted, and none left."""

import asyncio
import itertools
import os
import signal
import socket
from pathlib import Path

import pytest
import pytest_asyncio

from support.nats_servers import need_nats_server
from support.processes import until
from support.relay import HOST, Relay

need_nats_server()
pytestmark = pytest.mark.asyncio
_words = map(str, itertools.count())
STARTS_ONE = """
import time
from support.nats_servers import NatsServer
print("pid", NatsServer().pid, flush=True)
time.sleep(60)
"""


class Client:
    """The least that speaks to a nats-server."""

    async def open(self, port):
        self._reader, self._writer = await asyncio.open_connection(HOST, port)
        self._writer.write(b'CONNECT {"verbose":false}\r\nSUB said.* 1\r\n')
        return self

    async def close(self):
        self._writer.close()
        await self._writer.wait_closed()

    async def says(self, word="hello"):
        """Return whether the server has read it in time."""
        self._writer.write(f"PUB said.{word} 0\r\n\r\nPING\r\n".encode())
        return await self.reads(b"PONG")

    async def hears(self, other):
        """Return whether what another one says, again and again, comes to this one."""
        word = next(_words)
        for _ in range(20):
            assert await other.says(word)
            if await self.reads(f"MSG said.{word}".encode(), 0.05):
                return True
        return False

    async def reads(self, start, timeout_s=1.0):
        """Return whether a line that begins so comes in time."""
        try:
            async with asyncio.timeout(timeout_s):
                while not (line := await self._reader.readline()).startswith(start):
                    assert line
        except TimeoutError:
            return False
        return True


@pytest.fixture
def relay(nats_server):
    made = Relay(nats_server.port)
    yield made
    made.close()


@pytest_asyncio.fixture
async def client_at():
    """Open clients, which are closed at the end."""
    made = []

    async def open_one(port):
        made.append(await Client().open(port))
        return made[-1]

    yield open_one
    for each in made:
        await each.close()


async def test_a_server_comes_back_at_its_port_after_it_was_killed(nats_server, client_at):
    first = nats_server.pid
    nats_server.kill()
    assert not _runs(first)
    nats_server.start()

    assert await (await client_at(nats_server.port)).says()


async def test_the_three_of_a_cluster_are_parted_and_mended(nats_cluster, client_at):
    a, b, c = [await client_at(nats_cluster[name].port) for name in "abc"]

    whole = await a.hears(b)
    nats_cluster.part("a", "bc")
    nats_cluster.until_routes({"a": 0, "b": 1, "c": 1})
    across, within = await a.hears(b), await c.hears(b)
    nats_cluster.mend()
    again = await a.hears(b)

    assert (whole, across, within, again) == (True, False, True, True)


async def test_a_relay_holds_what_it_is_told_to_and_passes_it_later(relay, client_at):
    client = await client_at(relay.port)
    assert await client.says()

    relay.hold()
    answered = await client.says()
    relay.mend()

    assert not answered
    assert await client.reads(b"PONG")


async def test_a_connection_that_a_relay_cuts_ends_at_once_for_both(nats_server, relay):
    first_reader, first_writer = await asyncio.open_connection(HOST, relay.port)
    await first_reader.readline()

    relay.cut()
    with pytest.raises(ConnectionResetError):
        await first_reader.read()
    await until(lambda: nats_server.asked("connz")["num_connections"] == 0)
    with pytest.raises(ConnectionResetError), socket.create_connection((HOST, relay.port)) as later:
        later.recv(1)

    first_writer.close()


async def test_a_server_ends_with_the_process_that_started_it(children):
    child = children.start("-c", STARTS_ONE, env={"PYTHONPATH": "tests:."})
    pid = int(child.line("pid").text)

    os.kill(child.pid, signal.SIGKILL)

    await until(lambda: not _runs(pid), what="its end")


async def test_a_server_that_is_frozen_answers_nothing_until_it_goes_on(nats_server, client_at):
    client = await client_at(nats_server.port)
    nats_server.freeze()
    answered = await client.says()
    nats_server.thaw()

    assert not answered
    assert await client.reads(b"PONG")


def _runs(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
