"""How much may be on its way: NATS has no high-water mark. Spec: docs/spec/14-nats.md. Pure.

The sender counts what it hands over. At half of the window it asks how much was read; the other end
answers with totals, and says them by itself as a sign of life too. So nothing is dropped within
nats-py, and nats-server cuts nobody who reads.
"""

from __future__ import annotations

from typing import Final

from .frames import Totals

WINDOW: Final = 10_000
"""Most messages on their way to one end, unread."""
WINDOW_BYTES: Final = 64 * 1024 * 1024
"""Most bytes, besides one message."""
FLIGHT_BYTES: Final = 16 * 1024 * 1024
"""Most of these that a router has on their way to one client, besides one piece; the others wait at
the router. nats-server holds up whoever sends to one for whom half of its `max_pending` waits, 32
of 64 MiB by default: a client that does not read must not hold up the calls of the others."""


class Credit:
    """What is on its way to the other end: the side of the sender.

    Args:
        most: Limit of messages.
        most_bytes: Limit of bytes; one message more may pass it.
        flight_bytes: As many of these may be on their way; all of them by default.
    """

    __slots__ = ("_asked", "_flight_bytes", "_most", "_most_bytes", "_read", "_sent")

    def __init__(
        self,
        most: int = WINDOW,
        most_bytes: int = WINDOW_BYTES,
        flight_bytes: int | None = None,
    ) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._flight_bytes = most_bytes if flight_bytes is None else flight_bytes
        self._sent = self._read = Totals(0, 0)
        self._asked = False

    @property
    def unread(self) -> Totals:
        """What was sent and is not known to be read."""
        sent, read = self._sent, self._read
        return Totals(sent.messages - read.messages, sent.size_bytes - read.size_bytes)

    def has_room(self, waiting_messages: int = 0, waiting_bytes: int = 0) -> bool:
        """Return whether one more message may be accepted, beside what waits at this end."""
        unread = self.unread
        return (
            unread.messages + waiting_messages < self._most
            and unread.size_bytes + waiting_bytes < self._most_bytes
        )

    @property
    def flight_room_bytes(self) -> int:
        """How many bytes more may be on their way, one message beyond; 0 or less for none."""
        return self._flight_bytes - (self._sent.size_bytes - self._read.size_bytes)

    def sent(self, size_bytes: int) -> bool:
        """Count a message that was handed over; True when it is time to ask how much was read."""
        self._sent = Totals(self._sent.messages + 1, self._sent.size_bytes + size_bytes)
        unread = self.unread
        is_half = 2 * unread.messages >= self._most or 2 * unread.size_bytes >= self._flight_bytes
        if self._asked or not is_half:
            return False
        self._asked = True
        return True

    def was_read(self, totals: Totals) -> bool:
        """Take what the other end has read so far; False for totals that cannot be.

        They never shrink, and nothing is read that was not sent.
        """
        if not (
            self._read.messages <= totals.messages <= self._sent.messages
            and self._read.size_bytes <= totals.size_bytes <= self._sent.size_bytes
        ):
            return False
        self._read = totals
        # What came back may be older than the question: ask again as long as half is on its way.
        self._asked = False
        return True


class Receipt:
    """What was read: the side of the receiver."""

    __slots__ = ("totals",)

    def __init__(self) -> None:
        self.totals = Totals(0, 0)

    def took(self, size_bytes: int) -> None:
        """Count a message that was read."""
        self.totals = Totals(self.totals.messages + 1, self.totals.size_bytes + size_bytes)
