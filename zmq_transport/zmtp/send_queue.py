"""What the kernel did not take yet for one connection, and what all of them hold. Pure.

Spec: docs/spec/06-sockets.md, "Bounds". A message is queued whole or not at all.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Any, Final

import attrs

MAX_PIECES: Final = 64
"""Pieces of one write; the least that every system takes is 16, Linux and macOS take 1,024."""
FREE_BYTES: Final = 64 * 1024
"""A connection without a queue may take so much beyond the bound of all; see `SharedBytes`."""


@attrs.define
class SharedBytes:
    """A bound in bytes that the connections of a proxy share.

    Args:
        limit: The bound.

    Attributes:
        used: How many bytes are held now.
    """

    limit: int
    used: int = attrs.field(default=0, init=False)

    def has_room(self, size: int) -> bool:
        """Tell whether `size` more bytes may be held."""
        return self.used + size <= self.limit


class SendQueue:
    """The bytes that wait for one connection. Slots: there is one for each.

    Args:
        shared: The bound of all connections.
        max_pieces: Bound of the messages of this one; a large message counts twice.
        max_bytes: Bound of its bytes; a message over it is taken when nothing else waits.

    Attributes:
        bytes: How many bytes wait.
    """

    __slots__ = ("_max_bytes", "_max_pieces", "_pieces", "_shared", "bytes")

    def __init__(self, shared: SharedBytes, max_pieces: int, max_bytes: int) -> None:
        self._shared = shared
        self._max_pieces = max_pieces
        self._max_bytes = max_bytes
        self._pieces: deque[Any] = deque()
        self.bytes = 0

    def __len__(self) -> int:
        """Return how many pieces wait."""
        return len(self._pieces)

    @property
    def has_room(self) -> bool:
        """Tell whether at least half of it is free: no sender is woken for a place or two."""
        return len(self._pieces) <= self._max_pieces // 2 and self.bytes <= self._max_bytes // 2

    def refuses(self, size: int) -> str:
        """Return the bound that a message of `size` bytes is over; empty without one."""
        if self._pieces:
            if len(self._pieces) >= self._max_pieces:
                return "messages"
            if self.bytes + size > self._max_bytes:
                return "bytes"
        elif size <= FREE_BYTES:
            return ""  # mostly the kernel takes it whole
        return "" if self._shared.has_room(size) else "shared"

    def add(self, piece: Any) -> None:
        """Queue a piece of a message that is not refused."""
        self._pieces.append(piece)
        self.bytes += len(piece)
        self._shared.used += len(piece)

    def first(self) -> list[Any]:
        """Return the pieces of the next write; they stay queued."""
        return list(islice(self._pieces, MAX_PIECES))

    def drop(self, size: int) -> None:
        """Remove the first `size` bytes, which were written."""
        self.bytes -= size
        self._shared.used -= size
        pieces = self._pieces
        while size:
            piece = pieces[0]
            if size < len(piece):
                pieces[0] = memoryview(piece)[size:]
                return
            size -= len(piece)
            pieces.popleft()

    def clear(self) -> None:
        """Remove everything: the connection has ended."""
        self._shared.used -= self.bytes
        self.bytes = 0
        self._pieces.clear()
