"""The carrier over ZeroMQ: a DEALER, a SUB and an XPUB on an asyncio loop."""

from __future__ import annotations

from typing import Any

import zmq

from ..sockets import frames, options
from ..sockets.endpoints import Endpoint
from ..sockets.sent import Sent
from .carrier import CarrierEvents
from .connection_monitor import ConnectionMonitor
from .resolve import resolve
from .socket_reader import SocketReader


class ZmqCarrier:
    """Moves frames to and from a proxy; see `Carrier`.

    Args:
        endpoint: The directed endpoint of the proxy.
        max_body_bytes: The sockets disconnect a peer that sends a larger body.
    """

    def __init__(self, endpoint: Endpoint, max_body_bytes: int) -> None:
        self._endpoint = endpoint
        self._max_body_bytes = max_body_bytes
        self._resolved = endpoint
        self._joined: tuple[str, str] | None = None
        self._events: CarrierEvents
        self._socket: zmq.Socket[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """The proxy, for error texts."""
        return str(self._endpoint)

    async def open(self, events: CarrierEvents) -> None:
        """See the port.

        Raises:
            Unreachable: The name does not resolve.
        """
        self._resolved = await resolve(self._endpoint)
        self._events = events
        self._socket = self._dealer = options.dealer(self._max_body_bytes)
        self._sub = options.sub(self._max_body_bytes)
        self._publisher = options.publisher()
        self._monitor = ConnectionMonitor(self._dealer, events.on_disconnected)
        self._reader = SocketReader(self._dealer, self._on_message, events.on_writable)
        self._sub_reader = SocketReader(self._sub, self._on_publication)
        self._publisher_reader = SocketReader(self._publisher, self._on_subscription)
        self._dealer.connect(str(self._resolved))

    def diagnosis(self) -> str:
        """See the port."""
        return self._monitor.diagnosis(self._resolved)

    def send(self, head: bytes, body: bytes) -> Sent:
        """See the port."""
        sent = frames.send(self._dealer, head, body)
        if sent is not Sent.OK:
            self._reader.wants_writable = True
        self._reader.poll_soon()
        return sent

    def poll_soon(self) -> None:
        """See the port."""
        self._reader.poll_soon()

    def join(self, listen_port: int, publish_port: int) -> bool:
        """See the port."""
        listen, publish = self._resolved.broadcast(listen_port, publish_port)
        if self._joined == (listen, publish):
            return False
        if self._joined is not None:
            old_listen, old_publish = self._joined
            self._sub.disconnect(old_listen)
            self._publisher.disconnect(old_publish)
        self._joined = (listen, publish)
        self._sub.connect(listen)
        self._publisher.connect(publish)
        self._publisher_reader.poll_soon()
        return True

    def subscribe(self, topic: bytes) -> None:
        """See the port."""
        if self._socket is not None:
            self._sub.subscribe(topic)
            self._sub_reader.poll_soon()

    def unsubscribe(self, topic: bytes) -> None:
        """See the port."""
        if self._socket is not None:
            self._sub.unsubscribe(topic)
            self._sub_reader.poll_soon()

    def publish(self, topic: bytes, header: bytes, body: bytes) -> None:
        """See the port."""
        if self._socket is None:
            return
        if frames.send(self._publisher, topic, header, body) is not Sent.OK:
            self._events.on_dropped("publisher_full")
        self._publisher_reader.poll_soon()

    def close(self) -> None:
        """Release every socket now."""
        if self._socket is None:
            return
        self._socket = None
        for reader in (self._reader, self._sub_reader, self._publisher_reader):
            reader.close()
        self._monitor.close()
        for socket in (self._dealer, self._sub, self._publisher):
            socket.close()

    def _on_message(self, message: list[Any]) -> None:
        if len(message) == 2:
            head, body = message
            self._events.on_message(head, body.bytes)
        else:
            self._events.on_dropped("frame_count")

    def _on_publication(self, message: list[Any]) -> None:
        if len(message) == 3:
            topic, header, body = message
            self._events.on_publication(topic, header, body.bytes)
        else:
            self._events.on_dropped("frame_count")

    def _on_subscription(self, message: list[Any]) -> None:
        frame = message[-1].bytes
        self._events.on_subscription(frame[:1] == b"\x01", frame[1:])
