"""The line over a DEALER of libzmq. Spec: docs/spec/06-sockets.md."""

from __future__ import annotations

from typing import Any

import zmq

from ..sockets import multipart, options
from ..sockets.endpoints import Endpoint
from ..sockets.sent import Sent
from . import connection_monitor as seen
from .carrier import MessageEvents
from .connection_monitor import ConnectionMonitor
from .curve import Curve
from .dial_plan import Attempt
from .line import LineEvents
from .socket_reader import SocketReader


class LibzmqLine:
    """A DEALER and its monitor; see `Line`.

    Args:
        events: Receives the messages.
        max_body_bytes: The socket disconnects a peer that sends a larger body.
        curve: The keys, if there are any.
    """

    def __init__(
        self, events: MessageEvents, max_body_bytes: int, curve: Curve | None = None
    ) -> None:
        self._events = events
        self._curve = curve
        self._is_unlisted = self._is_established = False
        self._socket: zmq.Socket[bytes] = options.dealer(max_body_bytes)
        self._reader = SocketReader(self._socket, self._on_message, events.on_writable)
        self._address: Endpoint | None = None
        self._line_events: LineEvents
        self._monitor: ConnectionMonitor | None = None

    def open(self, events: LineEvents) -> None:
        """See the port."""
        self._line_events = events
        self._monitor = ConnectionMonitor(self._socket, self._on_event)

    def dial(self, attempt: Attempt) -> None:
        """See the port."""
        self._address = attempt.address
        self._is_unlisted = False
        if self._curve is not None:
            options.show_key(self._socket, self._curve.pair, self._curve.proxy)
        options.dial(self._socket, str(attempt.address), attempt.connect_s, attempt.handshake_s)
        self._reader.poll_soon()  # connecting may consume the edge of its descriptor

    def hang_up(self) -> None:
        """See the port."""
        # ZeroMQ makes no second connection to an endpoint that it still holds, even a dead one.
        if self._address is not None:
            options.disconnect(self._socket, str(self._address))
        self._is_established = False
        if self._monitor is not None:
            self._monitor.forget()
        self._reader.poll_soon()

    def send(self, head: bytes, body: bytes) -> Sent:
        """See the port."""
        sent = multipart.send(self._socket, head, body)
        if sent is not Sent.OK:
            self._reader.wants_writable = True
        self._reader.poll_soon()
        return sent

    def poll_soon(self) -> None:
        """See the port."""
        self._reader.poll_soon()

    def close(self) -> None:
        """See the port."""
        self._reader.close()
        if self._monitor is not None:
            self._monitor.close()
        self._socket.close()

    def _on_message(self, message: list[Any]) -> None:
        if not self._is_established and self._monitor is not None:
            # Messages and events come over two sockets, and a standby is left at its first word.
            self._monitor.catch_up()
        if len(message) == 2:
            head, body = message
            self._events.on_message(head, body.bytes)
        else:
            self._events.on_dropped("frame_count")

    def _on_event(self, event: int) -> None:
        if event == seen.CONNECTED:
            self._line_events.on_connected()
        elif event == seen.ESTABLISHED:
            self._is_established = True
            self._line_events.on_established()
        elif event == seen.UNLISTED:
            self._is_unlisted = True
        elif event in (seen.DISCONNECTED, seen.RETRIED):
            self._is_established = False
            self._line_events.on_down(is_unlisted=self._is_unlisted)
