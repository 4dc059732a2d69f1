"""The carrier port: the calls and events between a `Client` and the mover of its frames.

Spec: docs/spec/08-port.md. A carrier decides nothing. `ZmqCarrier` moves frames over ZeroMQ; an
application may bring another, such as one that hands them to an engine in the same process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..errors import AccessRefused
from ..sockets.sent import Sent
from .diagnosis import Diagnosis


class MessageEvents(Protocol):
    """The events of the directed plane of a carrier, on the event loop."""

    def on_message(self, head: bytes, body: bytes) -> None:
        """Handle a directed message."""

    def on_writable(self) -> None:
        """Handle room: a send that was refused may now succeed."""

    def on_dropped(self, reason: str) -> None:
        """Count a frame that was not a message, or a broadcast that was not sent."""


class CarrierEvents(MessageEvents, Protocol):
    """The events of a carrier, on the event loop."""

    def on_disconnected(self) -> None:
        """Handle the end of an established connection; the carrier is making a new one."""

    def on_access_refused(self, error: AccessRefused) -> None:
        """Handle that the far end refuses this client for its key; the carrier tries again."""

    def on_broadcast_refused(self, error: AccessRefused) -> None:
        """Handle the same on the broadcast plane alone."""

    def on_publication(self, topic: bytes, header: bytes, body: bytes) -> None:
        """Handle a broadcast message."""

    def on_subscription(self, joins: bool, topic: bytes) -> None:
        """Handle the start or the end of a subscription to a topic of this client."""


class Carrier(Protocol):
    """Moves the frames of one client."""

    @property
    def endpoint(self) -> str:
        """The far end, for error texts."""

    @property
    def address(self) -> str:
        """The address of the connection, or of the last attempt; empty before the first one."""

    async def open(self, events: CarrierEvents) -> None:
        """Begin to connect, and reconnect until `close`.

        Raises:
            Unreachable: It cannot begin.
        """

    def diagnosis(self) -> Diagnosis:
        """Describe the connection attempts so far, on both planes."""

    def send(self, head: bytes, body: bytes) -> Sent:
        """Send a directed message whole or not at all, and poll soon.

        After `BUSY` an `on_writable` follows.
        """

    def poll_soon(self) -> None:
        """Check for arrivals at the next turn of the loop; a send follows in this turn."""

    @property
    def is_alone(self) -> bool:
        """Whether each proxy that it knows was tried since the last WELCOME, and none leads."""

    def pass_over(self, fabric: Sequence[str]) -> None:
        """Leave the far end, which stands by, without an event, and try another one.

        Args:
            fabric: URLs of the others that it named, to be tried behind those that are known.
        """

    def join(self, listen_port: int, publish_port: int) -> bool:
        """Say that the far end said WELCOME, and where the broadcast plane is.

        What is open moves there. False when it is not new.
        """

    def open_publisher(self) -> None:
        """Connect what publishes, once; the sentinel follows the topics that have listeners."""

    def subscribe(self, topic: bytes) -> None:
        """Subscribe to a topic; the first one connects what listens."""

    def unsubscribe(self, topic: bytes) -> None:
        """End the subscription to a topic."""

    def publish(self, topic: bytes, header: bytes, body: bytes) -> None:
        """Send a broadcast message; drop it rather than wait."""

    def close(self) -> None:
        """Release everything now."""
