"""What a router needs of a line to nats-server; see `NatsLine`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from nats.aio.msg import Msg

from .line import PING_S, LineEvents
from .place import NatsPlace
from .post import LineState
from .server_rotation import NatsAddress


class RouterLine(LineState, Protocol):
    """What a router needs of a `NatsLine`."""

    last_error: str
    address: NatsAddress | None
    slow: int

    def start(self) -> None:
        """See `NatsLine`."""

    def close(self) -> None:
        """See `NatsLine`."""

    async def closed(self) -> None:
        """See `NatsLine`."""

    def publish(self, subject: str, data: bytes, reply: str = "") -> bool:
        """See `NatsLine`."""

    def subscribe(self, subject: str, take: Callable[[Msg], None]) -> Callable[[], None]:
        """See `NatsLine`."""

    async def flush(self) -> bool:
        """See `NatsLine`."""


class MakeLine(Protocol):
    """Makes a line; see `NatsLine`."""

    def __call__(
        self,
        place: NatsPlace,
        name: str,
        events: LineEvents,
        ping_s: float = PING_S,
        only: NatsAddress | None = None,
        /,
    ) -> RouterLine:
        """Return one that is not started yet."""
