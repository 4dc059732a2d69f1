"""The line over plain sockets that speak ZMTP: a new one for each attempt.

Spec: docs/spec/10-zmtp.md.
"""

from __future__ import annotations

import asyncio

from ..sockets.options import ENVELOPE_BYTES
from ..sockets.sent import Sent
from .carrier import MessageEvents
from .dial_plan import Attempt
from .line import LineEvents
from .socket_connection import SocketConnection


class ZmtpLine:
    """See `Line`.

    Args:
        events: Receives the messages.
        max_body_bytes: A peer that sends a larger body is disconnected.
    """

    def __init__(self, events: MessageEvents, max_body_bytes: int) -> None:
        self._events = events
        self._max_bytes = max_body_bytes + ENVELOPE_BYTES
        self._connection: SocketConnection | None = None
        self._line_events: LineEvents
        self._failure: asyncio.Handle | None = None

    def open(self, events: LineEvents) -> None:
        """See the port."""
        self._line_events = events

    def dial(self, attempt: Attempt) -> None:
        """See the port."""
        try:
            self._connection = SocketConnection(
                attempt, self._events, self._line_events, self._max_bytes
            )
        except OSError:  # nobody at that file, no route, no descriptor left
            loop = asyncio.get_running_loop()
            self._failure = loop.call_soon(self._line_events.on_down)

    def hang_up(self) -> None:
        """See the port."""
        if self._failure is not None:
            self._failure.cancel()
            self._failure = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def send(self, head: bytes, body: bytes) -> Sent:
        """See the port."""
        connection = self._connection
        return Sent.BUSY if connection is None else connection.send(head, body)

    def poll_soon(self) -> None:
        """See the port. The loop tells by itself: its descriptor is level-triggered."""

    def close(self) -> None:
        """See the port."""
        self.hang_up()
