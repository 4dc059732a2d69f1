"""The port between the proxy and whatever carries its directed messages.

Spec: docs/spec/06-sockets.md, docs/spec/10-zmtp.md. Two carriers implement it: `libzmq_router` and
`zmtp_router`. Both are a ROUTER to every client.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol

from ..access.origin import Origin
from ..sockets.sent import Sent

OnMessage = Callable[[bytes, Sequence[Any], float, bool, Origin], None]
"""(connection, frames, monotonic clock, alone, origin): a message has come.

There is at least one frame; the last one is anything with a length that `bytes()` accepts, the
others are bytes. It is alone when no other message waits: what it causes needs no bundle.
"""

OnEnd = Callable[[bytes, float], None]
"""(connection, monotonic clock): a connection has ended, and its last message was handed over."""

OnWritable = Callable[[bytes, float], None]
"""(connection, monotonic clock): a connection whose queue refused a message has room again."""


class DirectedPlane(Protocol):
    """A ROUTER of one proxy. Used from its thread only.

    Attributes:
        reports_ends: True when the end of a connection is reported at once, without a send that
            fails.
    """

    reports_ends: bool

    @property
    def waiting_bytes(self) -> int | None:
        """How many bytes wait for all clients together; None if that is not known."""

    def listen_on(self, host: str, port: int) -> int:
        """Listen on the network; return the port.

        Raises:
            EndpointInUse: Another process listens there, or the address is not of this host.
        """

    def listen_at(self, file: str, mode: int) -> None:
        """Listen at a Unix socket with a file of that mode.

        Raises:
            EndpointInUse: The socket cannot be made.
        """

    def send(self, connection: bytes, head: bytes, body: Any) -> Sent:
        """Send a message of two frames, or nothing at all."""

    def cut(self, line: Hashable) -> bool:
        """End the connection of an origin; False if it is none of this plane, or was cut before."""

    def cut_all(self) -> None:
        """End every connection; go on listening."""

    def reintroduce(self) -> None:
        """Find the user of each connection anew; called when another list is in force."""

    def tick(self, now_s: float) -> None:
        """Do what depends on time, and count; called every 100 ms."""

    def close(self) -> None:
        """Close every connection and stop listening. Idempotent."""
