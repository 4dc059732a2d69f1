"""A TCP relay on loopback that a test can cut or turn into a black hole, without any rights.

It runs in a thread of its own, so that a test that blocks its loop does not stop it.
"""

import asyncio
import contextlib
import re
import socket
import struct
import threading

from support.processes import free_ports

HOST = "127.0.0.1"
_CHUNK = 65_536
_NAME_WITHIN = 65_536
_DEALT_WITH_S = 10.0


class Relay:
    """Takes what comes at `port` to another one, and what comes back.

    Args:
        to_port: Where it leads.
        name: A pattern whose first group is the name of who connects, in the first bytes that it
            sends. With it `cut`, `hold` and `mend` can mean that one alone. Nothing passes before
            the name is known.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, to_port, name=None):
        self.port = free_ports()
        self._to_port = to_port
        self._name = re.compile(name) if name else None
        self._links = set()
        self._cut, self._held = set(), set()
        self._everyone = object()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()
        self._thread.start()
        assert self._ready.wait(_DEALT_WITH_S)

    def cut(self, who=None):
        """Reset the connections, and let none be made."""
        self._do(lambda: self._cut.add(self._key(who)))

    def hold(self, who=None):
        """Pass nothing on, in both directions, and tell nothing: a black hole."""
        self._do(lambda: self._held.add(self._key(who)))

    def mend(self, who=None):
        """Let everything pass again; what was held goes first."""
        self._do(lambda: [each.discard(self._key(who)) for each in (self._cut, self._held)])

    def close(self):
        """End it and all its connections."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join()

    def _do(self, change):
        done = threading.Event()

        def act():
            change()
            for link in list(self._links):
                self._judge(link)
            done.set()

        self._loop.call_soon_threadsafe(act)
        assert done.wait(_DEALT_WITH_S)

    def _key(self, who):
        return self._everyone if who is None else who

    def _judge(self, link):
        if self._cut & {self._everyone, link.who}:
            link.reset()
        elif self._held & {self._everyone, link.who} or link.who is None:
            link.passes.clear()
        else:
            link.passes.set()

    def _run(self):
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._serve())

    async def _serve(self):
        self._over = asyncio.Event()
        server = await asyncio.start_server(self._on_connection, HOST, self.port)
        self._ready.set()
        await self._over.wait()
        server.close()
        for link in list(self._links):
            link.reset()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    async def _on_connection(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self._to_port)
        except OSError:
            _reset(writer)
            return
        link = _Link(writer, far_writer, None if self._name else "")
        self._links.add(link)
        self._judge(link)
        try:
            back = asyncio.create_task(link.pump(far_reader, writer))
            await self._learn(link, reader, far_writer)
            await link.pump(reader, far_writer)
            await back
        finally:
            link.close()
            self._links.discard(link)

    async def _learn(self, link, reader, far_writer):
        """Read until the name of who connects is known; only what comes to it passes meanwhile."""
        if self._name is None:
            return
        link.passes.set()
        first = b""
        while link.who is None and len(first) < _NAME_WITHIN:
            data = await _read(reader)
            if not data:
                return
            first += data
            if found := self._name.search(first.decode("latin-1")):
                link.who = found[1]
        self._judge(link)
        await link.passes.wait()
        far_writer.write(first)


class _Link:
    """One connection through it."""

    def __init__(self, near, far, who):
        self.who = who
        self.passes = asyncio.Event()
        self._writers = (near, far)

    def reset(self):
        self.passes.set()  # whoever waits for that finds the end
        for writer in self._writers:
            _reset(writer)

    def close(self):
        """End it; what was passed on before still arrives."""
        for writer in self._writers:
            writer.close()

    async def pump(self, reader, writer):
        """Pass on in one direction until that ends; the end of one is the end of both."""
        while data := await _read(reader):
            await self.passes.wait()
            writer.write(data)
            with contextlib.suppress(OSError):
                await writer.drain()
        await self.passes.wait()  # a black hole tells no end either
        self.close()


def _reset(writer):
    """End a connection with RST, as the death of a host that is back does."""
    with contextlib.suppress(OSError):
        now = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
    writer.transport.abort()


async def _read(reader):
    try:
        return await reader.read(_CHUNK)
    except OSError:
        return b""
