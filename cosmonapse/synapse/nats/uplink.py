"""One connection of a client to its router. Spec: docs/spec/14-nats.md, "Connections". Pure."""

from __future__ import annotations

from typing import Final

from . import subjects
from .credit import WINDOW, WINDOW_BYTES, Credit
from .frames import ASK, pack_directed, pack_publication, pack_read, unpack_read
from .incoming import Incoming
from .pieces import Outgoing, order_key

MOST_BYTES: Final = 2**31 - 2**17
"""Limit of one message that is received: each router has its own for what it passes on."""
LIFE_S: Final = 2.0
"""A client that has nothing to say says so often that it is there."""


class Uplink:
    """What goes up to one router on one connection, and what comes down.

    Args:
        namespace: The namespace of the client.
        user: Its user as a token of a subject.
        router: The id of the router.
        connection: The id of the connection, 16 hex digits, never used before.
        most_bytes: The payload limit of the nats-server.
        window: Most messages on their way.
        window_bytes: Most bytes on their way.

    Attributes:
        up: The subject of what goes up.
        down: The subject of what comes down.
        heard: The subject of what comes to the listening connection.
    """

    def __init__(
        self,
        namespace: str,
        user: str,
        router: bytes,
        connection: str,
        most_bytes: int,
        window: int = WINDOW,
        window_bytes: int = WINDOW_BYTES,
    ) -> None:
        self.up = subjects.up(namespace, router, user, connection)
        self.down = subjects.down(namespace, user, connection)
        self.heard = subjects.heard(namespace, user, connection)
        self._most_bytes = most_bytes
        self._credit = Credit(window, window_bytes)
        self._outgoing = Outgoing(most_bytes)
        self._incoming = Incoming(MOST_BYTES, MOST_BYTES)
        self._told = self._incoming.totals
        self._told_at_s = float("-inf")

    @property
    def has_room(self) -> bool:
        """Return whether one more message may be sent."""
        return self._credit.has_room(len(self._outgoing), self._outgoing.waiting_bytes)

    @property
    def has_waiting(self) -> bool:
        """Return whether something waits for `take`."""
        return bool(self._outgoing)

    def put(self, head: bytes, body: bytes) -> list[bytes]:
        """Accept a directed message; return what goes up now, nothing if it has to wait."""
        data = pack_directed(head, body)
        # Hot: most messages are small and find nothing waiting, and a key costs an unpacking.
        if not self._outgoing and len(data) <= self._most_bytes:
            return self._counted(data)
        return self._counted(data) if self._outgoing.put(order_key(head), data) else []

    def put_publication(self, topic: bytes, header: bytes, body: bytes) -> list[bytes]:
        """Accept a broadcast message; see `put`."""
        data = pack_publication(topic, header, body)
        return self._counted(data) if self._outgoing.put(None, data) else []

    def take(self, budget_bytes: int) -> list[bytes]:
        """Return what waited and goes up now, about that much."""
        return [each for part in self._outgoing.take(budget_bytes) for each in self._counted(part)]

    def _counted(self, data: bytes) -> list[bytes]:
        return [data, ASK] if self._credit.sent(len(data)) else [data]

    def read(self, data: bytes) -> bytes | None:
        """Count a message that came down; return it, or the one whose last piece it is.

        Raises:
            WireError: A piece of nothing that comes in pieces, or over a limit.
        """
        return self._incoming.read(data)

    def was_read(self, data: bytes) -> bool:
        """Take what the router has read; False if it knows nothing of this connection.

        Raises:
            WireError: It is no such message.
        """
        return self._credit.was_read(unpack_read(data))

    def answer(self, now_s: float) -> bytes:
        """Return what was read of the router, for one that asks."""
        self._told, self._told_at_s = self._incoming.totals, now_s
        return pack_read(self._told)

    def sign_of_life(self, now_s: float) -> bytes | None:
        """Return what was read if that is due: something new, or the last time was long ago."""
        if self._told == self._incoming.totals and now_s - self._told_at_s < LIFE_S:
            return None
        return self.answer(now_s)
