"""The two sockets of a client on the broadcast plane, each opened when it is needed.

Spec: docs/spec/05-broadcast.md, "When what is used is live"; docs/spec/06-sockets.md. A client that
neither listens nor publishes by a socket of its own has none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import zmq

from ..errors import AccessFault
from ..sockets import multipart, options
from ..sockets.endpoints import Endpoint
from ..sockets.sent import Sent
from ..wire import heads
from .broadcast_connection import BroadcastConnection
from .carrier import CarrierEvents
from .curve import Curve
from .diagnosis import Diagnosis
from .socket_reader import SocketReader


class BroadcastSockets:
    """A SUB from the first topic on, and an XPUB once it is asked for.

    Args:
        events: Receives what arrives.
        max_body_bytes: The SUB disconnects a peer that sends a larger body.
        on_refused: Is called when the far end refuses this client for its key.
        curve: The keys, if there are any.
    """

    def __init__(
        self,
        events: CarrierEvents,
        max_body_bytes: int,
        on_refused: Callable[[AccessFault], None],
        curve: Curve | None = None,
    ) -> None:
        self._events = events
        self._on_refused = on_refused
        self._curve = curve
        self._max_body_bytes = max_body_bytes
        self._addresses: tuple[Endpoint, Endpoint] | None = None
        self._listening: _OpenSocket | None = None
        self._publishing: _OpenSocket | None = None
        self._is_closed = False

    @property
    def is_joined(self) -> bool:
        """Tell whether it was told where to connect."""
        return self._addresses is not None

    def join(self, listen: Endpoint, publish: Endpoint) -> bool:
        """Move what is open to these addresses; False when they are not new."""
        is_new = (listen, publish) != self._addresses
        self._addresses = listen, publish
        if self._listening is not None and not self._listening.connection.connect(listen):
            self._listening.connection.hurry()
        if self._publishing is not None:
            self._publishing.connection.connect(publish)
        return is_new

    def rest(self) -> None:
        """Have no connection until the next `join`: the far end refuses this client."""
        self._addresses = None
        for each in (self._listening, self._publishing):
            if each is not None:
                each.connection.rest()

    def open_publisher(self) -> None:
        """Connect what publishes, or do so when it is known where."""
        if self._publishing is not None or self._is_closed:
            return
        self._publishing = self._opened(
            options.publisher(), "XSUB", self._on_subscription, self._on_publisher_lost
        )
        if self._addresses is not None:
            self._publishing.connection.connect(self._addresses[1])

    def subscribe(self, topic: bytes) -> None:
        """Subscribe to a topic."""
        if self._is_closed:
            return
        if self._listening is None:
            sub = options.sub(self._max_body_bytes)
            self._listening = self._opened(sub, "XPUB", self._on_publication, lambda: None)
            if self._addresses is not None:
                self._listening.connection.connect(self._addresses[0])
        self._listening.socket.subscribe(topic)
        self._listening.reader.poll_soon()

    def unsubscribe(self, topic: bytes) -> None:
        """End the subscription to a topic."""
        if self._listening is not None:
            self._listening.socket.unsubscribe(topic)
            self._listening.reader.poll_soon()

    def publish(self, topic: bytes, header: bytes, body: bytes) -> None:
        """Send a broadcast message; drop it rather than wait."""
        if self._publishing is None:
            return
        if multipart.send(self._publishing.socket, topic, header, body) is not Sent.OK:
            self._events.on_dropped("publisher_full")
        self._publishing.reader.poll_soon()

    def diagnosis(self) -> Diagnosis | None:
        """Return why one that is open is not connected; None if there is no such."""
        for each in (self._listening, self._publishing):
            if each is not None and not each.connection.is_established:
                return each.connection.diagnosis()
        return None

    def close(self) -> None:
        """Release both sockets now."""
        self._is_closed = True
        for each in (self._listening, self._publishing):
            if each is not None:
                each.close()
        self._listening = self._publishing = None

    def _opened(
        self,
        socket: zmq.Socket[bytes],
        expected: str,
        on_message: Callable[[list[Any]], None],
        on_lost: Callable[[], None],
    ) -> _OpenSocket:
        reader = SocketReader(socket, on_message)
        connection = BroadcastConnection(
            socket, expected, reader.poll_soon, on_lost, self._on_refused, self._curve
        )
        return _OpenSocket(socket, reader, connection)

    def _on_publisher_lost(self) -> None:
        self._events.on_subscription(False, heads.LIVE_TOPIC)

    def _on_publication(self, message: list[Any]) -> None:
        if len(message) == 3:
            topic, header, body = message
            self._events.on_publication(topic, header, body.bytes)
        else:
            self._events.on_dropped("frame_count")

    def _on_subscription(self, message: list[Any]) -> None:
        frame = message[-1].bytes
        self._events.on_subscription(frame[:1] == b"\x01", frame[1:])


@attrs.frozen
class _OpenSocket:
    """A socket, what reads it, and what keeps it connected."""

    socket: zmq.Socket[bytes]
    reader: SocketReader
    connection: BroadcastConnection

    def close(self) -> None:
        """Release the socket now."""
        self.reader.close()
        self.connection.close()
        self.socket.close()
