"""The broadcast plane of a client: its SUB and its XPUB, which stay with libzmq.

Spec: docs/spec/05-broadcast.md, 06-sockets.md.
"""

from __future__ import annotations

from typing import Any

import zmq

from ..sockets import multipart, options
from ..sockets.endpoints import Endpoint
from ..sockets.sent import Sent
from ..wire import heads
from .broadcast_connection import BroadcastConnection
from .carrier import CarrierEvents
from .diagnosis import Diagnosis
from .socket_reader import SocketReader


class BroadcastSockets:
    """Listens and publishes for one client.

    Args:
        events: Receives the broadcasts.
        max_body_bytes: The SUB disconnects a peer that sends a larger body.
    """

    def __init__(self, events: CarrierEvents, max_body_bytes: int) -> None:
        self._events = events
        self._sub: zmq.Socket[bytes] = options.sub(max_body_bytes)
        self._publisher: zmq.Socket[bytes] = options.publisher()
        self._sub_reader = SocketReader(self._sub, self._on_publication)
        self._publisher_reader = SocketReader(self._publisher, self._on_subscription)
        self._listening = BroadcastConnection(self._sub, "XPUB", self._sub_reader.poll_soon)
        self._publishing = BroadcastConnection(
            self._publisher, "XSUB", self._publisher_reader.poll_soon, self._on_publisher_lost
        )

    @property
    def is_joined(self) -> bool:
        """Tell whether it was told where to connect."""
        return self._listening.address is not None

    def join(self, listen: Endpoint, publish: Endpoint) -> bool:
        """Connect to two addresses; False when it is connected there already."""
        is_new = self._listening.connect(listen)
        if not is_new:
            self._listening.hurry()
        return self._publishing.connect(publish) or is_new

    def subscribe(self, topic: bytes) -> None:
        """Subscribe to a topic."""
        self._sub.subscribe(topic)
        self._sub_reader.poll_soon()

    def unsubscribe(self, topic: bytes) -> None:
        """End the subscription to a topic."""
        self._sub.unsubscribe(topic)
        self._sub_reader.poll_soon()

    def publish(self, topic: bytes, header: bytes, body: bytes) -> None:
        """Send a broadcast message; drop it rather than wait."""
        if multipart.send(self._publisher, topic, header, body) is not Sent.OK:
            self._events.on_dropped("publisher_full")
        self._publisher_reader.poll_soon()

    def diagnosis(self) -> Diagnosis | None:
        """Return why one of the two is not connected; None if both are."""
        for connection in (self._listening, self._publishing):
            if not connection.is_established:
                return connection.diagnosis()
        return None

    def close(self) -> None:
        """Release both sockets now."""
        for reader in (self._sub_reader, self._publisher_reader):
            reader.close()
        for connection in (self._listening, self._publishing):
            connection.close()
        for socket in (self._sub, self._publisher):
            socket.close()

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
