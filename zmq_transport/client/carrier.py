"""The carrier port: what a `Client` needs from whatever moves its frames.

Spec: docs/spec/08-port.md. A carrier decides nothing. `ZmqCarrier` moves frames over ZeroMQ; an
application may bring another, such as one that hands them to an engine in the same process.
"""

from __future__ import annotations

from typing import Protocol

from ..sockets.sent import Sent


class CarrierEvents(Protocol):
    """What a carrier reports, on the event loop."""

    def on_message(self, head: bytes, body: bytes) -> None:
        """Take a directed message."""

    def on_writable(self) -> None:
        """Learn that a send which was refused may now succeed."""

    def on_disconnected(self) -> None:
        """Learn that an established connection ended; the carrier is making a new one."""

    def on_publication(self, topic: bytes, header: bytes, body: bytes) -> None:
        """Take a broadcast message."""

    def on_subscription(self, joins: bool, topic: bytes) -> None:
        """Learn that somebody listens to us under a topic, or no longer does."""

    def on_dropped(self, reason: str) -> None:
        """Count something that never was a message."""


class Carrier(Protocol):
    """Moves the frames of one client."""

    @property
    def endpoint(self) -> str:
        """Where it leads, for people."""

    async def open(self, events: CarrierEvents) -> None:
        """Begin to connect, and go on connecting anew by itself until `close`.

        Raises:
            Unreachable: It cannot even begin, as when a name does not resolve.
        """

    def diagnosis(self) -> str:
        """Say for people what was seen on the way so far."""

    def send(self, head: bytes, body: bytes) -> Sent:
        """Send a directed message, or nothing; after `BUSY` there will be an `on_writable`."""

    def poll_soon(self) -> None:
        """Look at the next turn of the loop for what arrived: something is going to be sent."""

    def join(self, listen_port: int, publish_port: int) -> bool:
        """Connect the broadcast plane; False when it is connected there already."""

    def subscribe(self, topic: bytes) -> None:
        """Ask for a topic."""

    def unsubscribe(self, topic: bytes) -> None:
        """Ask for a topic no longer."""

    def publish(self, topic: bytes, header: bytes, body: bytes) -> None:
        """Send a broadcast message; drop it rather than wait."""

    def close(self) -> None:
        """Let go of everything now."""
