"""The line port: the directed connection of a client, made anew by a `Dialer` when it ends.

Spec: docs/spec/06-sockets.md, Connecting. A line decides nothing: it makes the attempts that it is
told to make, and moves whole messages over the connection.
"""

from __future__ import annotations

from typing import Protocol

from ..sockets.sent import Sent
from .dial_plan import Attempt


class LineEvents(Protocol):
    """The events of a line about its connection, on the event loop."""

    def on_connected(self) -> None:
        """Handle a connection whose handshake has yet to come."""

    def on_established(self) -> None:
        """Handle the end of the handshake: messages flow."""

    def on_down(self, *, is_unlisted: bool = False, is_silent: bool = False) -> None:
        """Handle the end of the attempt or of the connection.

        Args:
            is_unlisted: True if the far end said that it does not list the key of this client.
            is_silent: True if a connection ended as nothing came from the far end any more.
        """


class Line(Protocol):
    """Moves directed messages over one connection at a time."""

    def open(self, events: LineEvents) -> None:
        """Begin, without a connection; `events` hears of each."""

    def dial(self, attempt: Attempt) -> None:
        """Begin an attempt. There is no connection, see `hang_up`."""

    def hang_up(self) -> None:
        """End the attempt or the connection now, without an event."""

    def send(self, head: bytes, body: bytes) -> Sent:
        """Send a message whole or not at all; `BUSY` without a connection or without room."""

    def poll_soon(self) -> None:
        """Check for arrivals at the next turn of the loop."""

    def close(self) -> None:
        """Release everything now."""
