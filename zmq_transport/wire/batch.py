"""Batch consecutive broadcast messages. Spec: docs/spec/05-broadcast.md, Batches. Pure.

Under load a subscriber pays far more for a message than for its content. The order never changes:
only neighbours with the same topic, publisher, caller and worker, and with consecutive numbers, are
put together.
"""

from __future__ import annotations

from typing import Any, Final

from . import heads

MAX_ITEMS: Final = heads.MAX_ITEMS
MAX_BYTES: Final = 64 * 1024
"""Of all bodies together; a subscriber's queue counts messages."""


class Batch:
    """Neighbours, put together. Slots: under load there are many."""

    __slots__ = ("_bodies", "_bytes", "_ends", "_header", "_next", "_publisher", "_sizes", "topic")

    def __init__(self, topic: bytes, header: bytes, body: Any) -> None:
        self.topic = topic
        self._header = header
        self._bodies = [body]
        self._sizes = [len(body)]
        self._bytes = len(body)
        self._publisher, sequence, self._ends = heads.cut_header(header)
        self._next = sequence + 1

    def takes(self, topic: bytes, header: bytes, size: int) -> bool:
        """Return whether a message may travel after the others."""
        if (
            topic != self.topic
            or self._bytes + size > MAX_BYTES
            or len(self._bodies) == MAX_ITEMS
            or len(header) != heads.HEADER_BYTES
            or len(self._header) != heads.HEADER_BYTES
        ):
            return False
        return heads.cut_header(header) == (self._publisher, self._next, self._ends)

    def add(self, body: Any) -> None:
        """Append one more body."""
        size = len(body)
        self._bodies.append(body)
        self._sizes.append(size)
        self._bytes += size
        self._next += 1

    def message(self) -> heads.Publication:
        """Return all of it as one message; a lone one as it was."""
        if len(self._bodies) == 1:
            return self.topic, self._header, self._bodies[0]
        header = heads.pack_sizes(self._header, self._sizes)
        return self.topic, header, b"".join(self._bodies)


class Batcher:
    """The messages published in one turn of a loop, in their order."""

    def __init__(self) -> None:
        self._batches: list[Batch] = []

    def __bool__(self) -> bool:
        """Return whether any message is gathered."""
        return bool(self._batches)

    def add(self, topic: bytes, header: bytes, body: Any) -> None:
        """Append a message; one that is a batch already stays unchanged."""
        if self._batches and self._batches[-1].takes(topic, header, len(body)):
            self._batches[-1].add(body)
        else:
            self._batches.append(Batch(topic, header, body))

    def take(self) -> list[heads.Publication]:
        """Remove and return every message."""
        batches, self._batches = self._batches, []
        return [batch.message() for batch in batches]


def singles(topic: bytes, header: bytes, body: bytes) -> list[heads.Publication]:
    """Return a message as the messages that were put together; any other one as it is.

    Raises:
        WireError: Its sizes do not add up.
    """
    if len(header) == heads.HEADER_BYTES:
        return [(topic, header, body)]
    first, sizes = heads.read_batch(header, len(body))
    publisher, sequence, caller, worker = heads.unpack_header(first)
    made, begin = [], 0
    for number, size in enumerate(sizes):
        head = heads.pack_header(publisher, sequence + number, caller, worker)
        made.append((topic, head, body[begin : begin + size]))
        begin += size
    return made
