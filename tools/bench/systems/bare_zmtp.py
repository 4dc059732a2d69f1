"""The limit for Python on our own ZMTP: as `bare`, with plain sockets in place of those of libzmq.

The frames are read and written by `zmq_transport.zmtp`, one read and one write a message. There is
no handshake limit, no bound on what waits, and no recovery.
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection as Pipe

from cosmonapse.bench.children import Child, next_question
from zmq_transport.kernel import encode_message
from zmq_transport.zmtp.connection import CLIENT, PROXY, Connection, Role

from . import bare
from .system import Asked, System

_READ_BYTES = 256 * 1024


class _Stream:
    """A plain socket that speaks ZMTP; blocking writes, as everything here reads at once."""

    def __init__(self, role: Role, stream: socket.socket) -> None:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.sendall(role.opening)
        self.stream = stream
        self.connection = Connection(role, bare.LARGEST_BYTES)

    def read(self) -> list[tuple[bytes, ...]]:
        messages = self.connection.receive(self.stream.recv(_READ_BYTES))
        if self.connection.answers:
            self.stream.sendall(self.connection.take_answers())
        return messages

    def send(self, heads: bytes, bodies: bytes) -> None:
        self.stream.sendall(encode_message(heads, bodies))


class Bundled(bare.Bundled):
    """As `bare.Bundled`, on a plain socket."""

    def connect(self, port: int) -> None:
        """Connect to the proxy."""
        self._stream = _Stream(CLIENT, socket.create_connection((bare.HOST, port)))
        while not self._stream.connection.minor:
            self._stream.read()
        self._loop.add_reader(self._stream.stream, self._on_readable)

    def write(self, heads: bytes, bodies: bytes) -> None:
        """Send a message."""
        self._stream.send(heads, bodies)

    def _on_readable(self) -> None:
        for heads, bodies in self._stream.read():
            self.take(heads, bodies)

    def close(self) -> None:
        """Close the socket."""
        self._loop.remove_reader(self._stream.stream)
        self._stream.stream.close()


def proxy(connection: Pipe) -> None:
    """Route between one caller and one worker; say the port when ready."""
    listener = socket.create_server((bare.HOST, 0))
    threading.Thread(target=_route, args=(listener,), daemon=True).start()
    connection.send(listener.getsockname()[1])
    next_question(connection)
    os._exit(0)  # the loop goes on for ever


def _route(listener: socket.socket) -> None:
    """Forward the messages between the two."""
    ends = [_Stream(PROXY, listener.accept()[0]) for _ in range(2)]
    others = {id(end): other for end, other in zip(ends, reversed(ends), strict=True)}
    with selectors.DefaultSelector() as selector:
        for end in ends:
            selector.register(end.stream, selectors.EVENT_READ, end)
        while True:
            for key, _ in selector.select():
                for heads, bodies in key.data.read():
                    others[id(key.data)].send(heads, bodies)


@contextmanager
def running(pairs: int) -> Iterator[Sequence[Asked]]:
    """Run the proxy and one pair; give the caller."""
    with ExitStack() as stack:
        port = stack.enter_context(Child(proxy)).ready
        working = Child(bare.worker, port, Bundled)
        stack.enter_context(working)
        yield [stack.enter_context(Child(bare.caller, port, Bundled))]


SYSTEM = System(
    "bare_zmtp", "Python, bare, own ZMTP", bare.missing, running, most_pairs=1, is_limit=True
)
