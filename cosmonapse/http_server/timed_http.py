"""Connections of uvicorn: a request has a time to arrive, and idle connections are bounded.

uvicorn waits for ever for the end of a request. Here a timer runs from the first byte, or from the
connection, to the end of the request. It does not run while an answer is under way.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from ..runtime.extras import missing_extra

try:
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol
except ImportError as error:
    raise missing_extra("uvicorn", "serve", error) from None

REQUEST_S = 10.0
MOST_CONNECTIONS = 256


class Connections:
    """The open connections that are not taken out of the bound; over it the oldest is cut.

    Args:
        counts: Gets `cut.slow_request` and `cut.too_many_connections`.
        most: The most of them at a time.
        request_s: The time that a request has, in seconds.
    """

    def __init__(
        self,
        counts: Counter[str],
        most: int = MOST_CONNECTIONS,
        request_s: float = REQUEST_S,
    ) -> None:
        self.counts = counts
        self.request_s = request_s
        self._most = most
        self._oldest_first: dict[TimedProtocol, None] = {}

    def add(self, connection: TimedProtocol) -> None:
        """Note a connection as the newest."""
        self._oldest_first.pop(connection, None)
        self._oldest_first[connection] = None
        if len(self._oldest_first) > self._most:
            oldest = next(iter(self._oldest_first))
            del self._oldest_first[oldest]
            self.counts["cut.too_many_connections"] += 1
            oldest.cut()

    def discard(self, connection: TimedProtocol) -> None:
        """Forget a connection: it is over, or what it serves has a bound of its own."""
        self._oldest_first.pop(connection, None)


class TimedProtocol(H11Protocol):
    """One connection."""

    known: Connections  # set by `timed`

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock of the first request."""
        super().connection_made(transport)
        self._timer: asyncio.TimerHandle | None = None
        self.app_state = {"connection": self}  # uvicorn hands it on as `scope["state"]`
        self.known.add(self)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self.known.discard(self)
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and look whether a request has begun or ended."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Be an ordinary connection again."""
        super().on_response_complete()
        self.join_bound()

    def leave_bound(self) -> None:
        """Take this connection out of the bound: its answer takes long, and has one of its own."""
        self.known.discard(self)

    def join_bound(self) -> None:
        """Put this connection back under the bound, as the newest."""
        if not self.transport.is_closing():
            self.known.add(self)

    def cut(self) -> None:
        """End the connection at once."""
        self._stop()
        self.transport.abort()

    def _watch(self) -> None:
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._stop()
        elif self._timer is None:
            self._timer = self.loop.call_later(self.known.request_s, self._too_slow)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self.known.counts["cut.slow_request"] += 1
        self.cut()


def timed(connections: Connections) -> type[TimedProtocol]:
    """Return the protocol of a server that has these connections."""

    class Timed(TimedProtocol):
        known = connections

    return Timed


def connection_of(scope: Any) -> TimedProtocol | None:
    """Return the connection of a request; None under another server."""
    connection = scope.get("state", {}).get("connection")
    return connection if isinstance(connection, TimedProtocol) else None
