"""The directed plane on a ROUTER of libzmq. Spec: docs/spec/06-sockets.md."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import zmq

from ..access.origin import UNKNOWN
from ..sockets import multipart, options
from ..sockets.sent import Sent
from .directed_plane import OnEnd, OnMessage
from .line_table import LibzmqConnection, LineTable, WatchContext
from .poller import Poller, readable
from .watchdog import MESSAGE_OVERHEAD_BYTES, WatchBounds

# As a plain name: an attribute of an enum class costs a lookup in its metaclass.
_OK = Sent.OK
_BATCH = 256
_SMALL_BYTES = 4096
"""Smaller bodies are bounded by the number of messages that may wait."""
_IDS = 1 << 32


class LibzmqRouter:
    """See `directed_plane.DirectedPlane`.

    Args:
        socket: The ROUTER, not bound yet.
        limits: What a connection may do.
        shared: Watches its connections.
        poller: Says when to read.
        on_message: Gets each message.
        on_end: Gets the end of each connection that has sent a message, some ticks later.
        is_admitted: Tells whether a client said HELLO over a connection, and over no newer one.
    """

    # The end of a connection is seen within 0.2 s as a rule, but only when all else was read.
    reports_ends = False

    def __init__(
        self,
        socket: zmq.Socket[bytes],
        limits: WatchBounds,
        shared: WatchContext,
        poller: Poller,
        on_message: OnMessage,
        on_end: OnEnd,
        is_admitted: Callable[[bytes], bool],
    ) -> None:
        self._poller = poller
        self._on_message = on_message
        self._on_end = on_end
        self._socket = socket
        self._lines = LineTable(socket, limits, shared)
        self._lines.on_ended = self._end
        self._lines.is_admitted = is_admitted
        self._by_name: dict[bytes, LibzmqConnection] = {}
        self._ended: list[bytes] = []
        self._ended_before: list[bytes] = []
        self._bound: list[str] = []
        poller.watch_socket(socket, self._receive)

    @property
    def waiting_bytes(self) -> None:
        """See `DirectedPlane`: libzmq does not tell."""

    def listen_on(self, host: str, port: int) -> int:
        """See `DirectedPlane`."""
        self._bound.append(options.bind(self._socket, host, port))
        return options.port_of(self._bound[-1])

    def listen_at(self, file: str, mode: int = options.ONLY_THIS_USER) -> None:
        """See `DirectedPlane`."""
        self._bound.append(options.bind_private(self._socket, file, mode))

    def send(self, connection: bytes, head: bytes, body: Any) -> Sent:
        """See `DirectedPlane`."""
        size = len(body)
        peer = self._by_name.get(connection) if size > _SMALL_BYTES else None
        if peer is not None and not self._lines.has_room(peer, size):
            return Sent.BUSY
        sent = multipart.send(self._socket, connection, head, body)
        if peer is not None and sent is _OK:
            peer.given_bytes += size
        self._poller.touch(self._socket)
        return sent

    def cut(self, line: Hashable) -> bool:
        """See `DirectedPlane`."""
        return self._lines.cut(line)

    def cut_all(self) -> None:
        """See `DirectedPlane`."""
        self._lines.cut_all()

    def reintroduce(self) -> None:
        """See `DirectedPlane`."""
        self._lines.reintroduce()

    def tick(self, now_s: float) -> None:
        """See `DirectedPlane`: follow the connections, and cut those that must be cut."""
        self._lines.follow(now_s)
        # The monitor is ahead of the messages. Those that were on their way in the last tick have
        # come since, if none waits now.
        if not readable(self._socket):
            for name in self._ended_before:
                self._on_end(name, now_s)
            self._ended_before, self._ended = self._ended, []
        self._lines.watch(now_s)

    def close(self) -> None:
        """See `DirectedPlane`."""
        if self._socket.closed:
            return
        for endpoint in self._bound:
            options.unbind(self._socket, self._lines.monitor, endpoint)
        self._lines.close()
        self._socket.close()

    def _receive(self, now_s: float, events: int, alone: bool) -> None:
        """Receive and hand over a batch of messages."""
        socket, handle = self._socket, self._hand_over
        message = multipart.receive(socket)
        if message is None:
            return
        # This look decides between two ways; the one before the next wait is for arrivals whose
        # edge a send consumed.
        if not readable(socket):
            handle(message, now_s, True)
            return
        for _ in range(_BATCH):
            handle(message, now_s, False)
            message = multipart.receive(socket)
            if message is None:
                return
        handle(message, now_s, False)
        self._poller.touch(socket)

    def _hand_over(self, message: list[Any], now_s: float, alone: bool) -> None:
        name, *frames = message
        connection = self._by_name.get(name) or self._introduced(name, frames[-1], now_s)
        if connection is None:
            self._on_message(name, frames, now_s, alone, UNKNOWN)
            return
        connection.read_bytes += len(frames[0]) + len(frames[-1]) + MESSAGE_OVERHEAD_BYTES
        self._on_message(name, frames, now_s, alone, connection.origin)

    # -- connections -----------------------------------------------------------------------------

    def _introduced(self, name: bytes, frame: Any, now_s: float) -> LibzmqConnection | None:
        """Return the connection of a first message."""
        # The descriptor may be that of a connection that has just ended: the monitor says so before
        # the first message of the next one.
        self._lines.follow(now_s)
        connection = self._lines.connection_of(frame, now_s)
        if connection is None or connection.line is None:
            return connection
        # Of two ids over one descriptor the later one is that of the connection which has it now;
        # the earlier one is that of the one before, whose last words come late.
        if connection.name and not _is_later(name, connection.name):
            return None
        self._by_name.pop(connection.name, None)
        connection.name = name
        self._by_name[name] = connection
        return connection

    def _end(self, connection: LibzmqConnection) -> None:
        if self._by_name.pop(connection.name, None) is not None:
            self._ended.append(connection.name)


def _is_later(name: bytes, other: bytes) -> bool:
    """Tell whether a ROUTER gave an id after another one: it counts them up, from any number."""
    ahead = int.from_bytes(name[1:], "big") - int.from_bytes(other[1:], "big")
    return 0 < ahead % _IDS < _IDS // 2
