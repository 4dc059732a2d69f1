"""The directed plane on a ROUTER of libzmq. Spec: docs/spec/06-sockets.md."""

from __future__ import annotations

from collections import Counter
from struct import Struct
from typing import Any

from ..sockets import multipart, options
from ..sockets.sent import Sent
from .directed_plane import OnMessage
from .poller import Poller, readable

_BATCH = 256
_EVENT = Struct("=HI")


class LibzmqRouter:
    """See `directed_plane.DirectedPlane`. The end of a connection shows at the next send.

    Args:
        max_body_bytes: Size limit of a body.
        bounds: Its other limits.
        poller: Says when to read.
        counts: Where connections are counted.
        on_message: Gets each message.
    """

    reports_ends = False

    def __init__(
        self,
        max_body_bytes: int,
        bounds: options.Bounds,
        poller: Poller,
        counts: Counter[str],
        on_message: OnMessage,
    ) -> None:
        self._poller = poller
        self._counts = counts
        self._on_message = on_message
        self._socket = options.router(max_body_bytes, bounds)
        self._monitor = options.watched(self._socket)
        self._bound: list[str] = []
        poller.watch_socket(self._socket, self._receive)

    def listen_on(self, host: str, port: int) -> int:
        """See `DirectedPlane`."""
        self._bound.append(options.bind(self._socket, host, port))
        return options.port_of(self._bound[-1])

    def listen_at(self, file: str) -> None:
        """See `DirectedPlane`."""
        self._bound.append(options.bind_private(self._socket, file))

    def send(self, connection: bytes, head: bytes, body: Any) -> Sent:
        """See `DirectedPlane`."""
        sent = multipart.send(self._socket, connection, head, body)
        self._poller.touch(self._socket)
        return sent

    def tick(self, now_s: float) -> None:
        """Count connections that opened, closed or failed the handshake."""
        while (message := multipart.receive(self._monitor)) is not None:
            event, _ = _EVENT.unpack_from(message[0])
            self._counts[options.EVENTS[event]] += 1

    def close(self) -> None:
        """See `DirectedPlane`."""
        if self._socket.closed:
            return
        for endpoint in self._bound:
            options.unbind(self._socket, self._monitor, endpoint)
        self._monitor.close()
        self._socket.close()

    def _receive(self, now_s: float, events: int, alone: bool) -> None:
        """Receive and hand over a batch of messages."""
        socket, handle = self._socket, self._on_message
        message = multipart.receive(socket)
        if message is None:
            return
        # This look decides between two ways; the one before the next wait is for arrivals whose
        # edge a send consumed.
        if not readable(socket):
            connection, *rest = message
            handle(connection, rest, now_s, True)
            return
        for _ in range(_BATCH):
            connection, *rest = message
            handle(connection, rest, now_s, False)
            message = multipart.receive(socket)
            if message is None:
                return
        connection, *rest = message
        handle(connection, rest, now_s, False)
        self._poller.touch(socket)
