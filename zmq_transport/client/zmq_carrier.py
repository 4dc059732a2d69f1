"""The carrier over ZeroMQ: a DEALER, a SUB and an XPUB on an asyncio loop."""

from __future__ import annotations

from typing import Any

import zmq

from ..errors import Cause
from ..sockets import multipart, options
from ..sockets.endpoints import Endpoint
from ..sockets.sent import Sent
from ..wire import heads
from .broadcast_connection import BroadcastConnection
from .carrier import CarrierEvents
from .diagnosis import Diagnosis
from .dialer import Dialer
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
        self._events: CarrierEvents
        self._socket: zmq.Socket[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """The proxy, for error texts."""
        return str(self._endpoint)

    async def open(self, events: CarrierEvents) -> None:
        """See the port."""
        self._events = events
        self._socket = self._dealer = options.dealer(self._max_body_bytes)
        self._sub = options.sub(self._max_body_bytes)
        self._publisher = options.publisher()
        self._reader = SocketReader(self._dealer, self._on_message, events.on_writable)
        self._sub_reader = SocketReader(self._sub, self._on_publication)
        self._publisher_reader = SocketReader(self._publisher, self._on_subscription)
        self._dialer = Dialer(
            self._dealer, self._endpoint, events.on_disconnected, self._reader.poll_soon
        )
        self._listening = BroadcastConnection(self._sub, "XPUB", self._sub_reader.poll_soon)
        self._publishing = BroadcastConnection(
            self._publisher, "XSUB", self._publisher_reader.poll_soon, self._on_publisher_lost
        )
        self._dialer.start()

    def diagnosis(self) -> Diagnosis:
        """See the port."""
        if not self._dialer.is_established:
            return self._dialer.diagnosis()
        address = self._dialer.address
        if self._listening.address is None:
            text = f"connected to {address}, but the greeting got no answer in time"
            return Diagnosis(Cause.SLOW, text)
        for connection in (self._listening, self._publishing):
            if not connection.is_established:
                text = f"it answers at {address}, but {connection.diagnosis().text}"
                return Diagnosis(Cause.BROADCAST, text)
        return Diagnosis(
            Cause.SLOW, f"connected to {address}, but a subscription was not answered in time"
        )

    def send(self, head: bytes, body: bytes) -> Sent:
        """See the port."""
        sent = multipart.send(self._dealer, head, body)
        if sent is not Sent.OK:
            self._reader.wants_writable = True
        self._reader.poll_soon()
        return sent

    def poll_soon(self) -> None:
        """See the port."""
        self._reader.poll_soon()

    def join(self, listen_port: int, publish_port: int) -> bool:
        """See the port."""
        # At the address that said WELCOME: another address of its name may be another machine.
        listen, publish = self._dialer.address.broadcast(listen_port, publish_port)
        is_new = self._listening.connect(listen)
        if not is_new:
            self._listening.hurry()
        return self._publishing.connect(publish) or is_new

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
        if multipart.send(self._publisher, topic, header, body) is not Sent.OK:
            self._events.on_dropped("publisher_full")
        self._publisher_reader.poll_soon()

    def close(self) -> None:
        """Release every socket now."""
        if self._socket is None:
            return
        self._socket = None
        for reader in (self._reader, self._sub_reader, self._publisher_reader):
            reader.close()
        for connection in (self._dialer, self._listening, self._publishing):
            connection.close()
        for socket in (self._dealer, self._sub, self._publisher):
            socket.close()

    def _on_publisher_lost(self) -> None:
        self._events.on_subscription(False, heads.LIVE_TOPIC)

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
