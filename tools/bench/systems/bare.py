"""The limit for Python: our reader of sockets, messages bundled by hand, nothing else around it.

DEALER - ROUTER - DEALER, as the fabric. The messages of one turn of the loop travel as one, a
reply resolves its future directly, and the worker has a task for each call. No ids, no Signals, no
deadlines, no account of open tasks, no second plane, no recovery: the rest is the cost of Python
and libzmq. The further cost of the fabric is the price of its promises.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from struct import Struct
from typing import Any

import msgpack
import zmq

from cosmonapse.bench.children import Child, answer, next_question, run_loop
from cosmonapse.bench.load import Sample, drive, payload_of
from zmq_transport.client.socket_reader import SocketReader
from zmq_transport.sockets import multipart, options

from .system import Asked, System

HOST = "127.0.0.1"
LARGEST_BYTES = 32 << 20
_ITEM = Struct(">II")
_MOST = 64


class Bundled:
    """A DEALER whose sends of one turn of the loop travel as one message.

    Args:
        port: Of the proxy.
        on_item: Takes (number, body) of each item that arrives.
    """

    def __init__(self, port: int, on_item: Callable[[int, bytes], None]) -> None:
        self._on_item = on_item
        self._heads: list[bytes] = []
        self._bodies: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self.connect(port)

    def connect(self, port: int) -> None:
        """Connect to the proxy."""
        self._socket = options.dealer(LARGEST_BYTES)
        self._pump = SocketReader(self._socket, self._on_message)
        self._socket.connect(f"tcp://{HOST}:{port}")

    def send(self, number: int, body: bytes) -> None:
        """Send at the end of this turn."""
        if not self._heads:
            self._loop.call_soon(self._flush)
        self._heads.append(_ITEM.pack(number, len(body)))
        self._bodies.append(body)
        if len(self._heads) == _MOST:
            self._flush()

    def _flush(self) -> None:
        if self._heads:
            self.write(b"".join(self._heads), b"".join(self._bodies))
            self._heads, self._bodies = [], []

    def write(self, heads: bytes, bodies: bytes) -> None:
        """Send a message."""
        multipart.send(self._socket, heads, bodies)
        self._pump.poll_soon()

    def _on_message(self, message: list[Any]) -> None:
        self.take(message[0], message[1].bytes)

    def take(self, heads: bytes, bodies: bytes) -> None:
        """Handle a message."""
        at = 0
        for number, size in _ITEM.iter_unpack(heads):
            self._on_item(number, bodies[at : at + size])
            at += size

    def close(self) -> None:
        """Close the socket."""
        self._pump.close()
        self._socket.close(linger=0)


def proxy(connection: Connection) -> None:
    """Route between one caller and one worker; say the port when ready."""
    router = options.router(LARGEST_BYTES)
    endpoint = options.bind(router, HOST, 0)
    threading.Thread(target=_route, args=(router,), daemon=True).start()
    connection.send(options.port_of(endpoint))
    next_question(connection)
    os._exit(0)  # the loop goes on for ever


def _route(router: zmq.Socket[bytes]) -> None:
    """Forward the messages between the two; each of them sends a hello first."""
    ends: list[bytes] = []
    while True:
        router.poll()
        while (message := multipart.receive(router)) is not None:
            if len(message) == 3:
                other = ends[0] if message[0] == ends[1] else ends[1]
                multipart.send(router, other, message[1], message[2])
            elif message[0] not in ends:
                ends.append(message[0])


def worker(connection: Connection, port: int, kind: type[Bundled] = Bundled) -> None:
    """Echo."""
    run_loop(_worker(connection, port, kind))


async def _worker(connection: Connection, port: int, kind: type[Bundled]) -> None:
    loop, busy = asyncio.get_running_loop(), set[asyncio.Task[None]]()

    async def reply(number: int, body: bytes) -> None:
        output = await _echo(msgpack.unpackb(body)["input"])
        bundled.send(number, msgpack.packb({"id": number, "output": output}))

    def on_item(number: int, body: bytes) -> None:
        task = loop.create_task(reply(number, body))
        busy.add(task)
        task.add_done_callback(busy.discard)

    bundled = kind(port, on_item)
    connection.send(None)
    await answer(connection, {})
    bundled.close()


async def _echo(given: Any) -> Any:
    return given


def caller(connection: Connection, port: int, kind: type[Bundled] = Bundled) -> None:
    """Call, as the parent asks."""
    run_loop(_caller(connection, port, kind))


async def _caller(connection: Connection, port: int, kind: type[Bundled]) -> None:
    numbers, loop = itertools.count(), asyncio.get_running_loop()
    waiting: dict[int, asyncio.Future[Any]] = {}

    def on_item(number: int, body: bytes) -> None:
        waiting.pop(number).set_result(msgpack.unpackb(body)["output"])

    async def call(given: dict[str, Any]) -> Any:
        number = next(numbers)
        waiting[number] = loop.create_future()
        bundled.send(number, msgpack.packb({"id": number, "input": given}))
        return await waiting[number]

    async def load(outstanding: int, seconds: float, payload_bytes: int = 100) -> Sample:
        return await drive(call, outstanding, seconds, payload_of(payload_bytes))

    bundled = kind(port, on_item)
    connection.send(None)
    await answer(connection, {"load": load})
    bundled.close()


def missing() -> str | None:
    """Return None: nothing needs to be installed."""
    return None


@contextmanager
def running(pairs: int) -> Iterator[Sequence[Asked]]:
    """Run the proxy and one pair; give the caller."""
    with ExitStack() as stack:
        port = stack.enter_context(Child(proxy)).ready
        stack.enter_context(Child(worker, port))
        yield [stack.enter_context(Child(caller, port))]


SYSTEM = System("bare", "Python, bare", missing, running, most_pairs=1, is_limit=True)
