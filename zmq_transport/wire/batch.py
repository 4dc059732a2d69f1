"""Batch consecutive broadcast messages. Spec: docs/spec/05-broadcast.md, Batches. Pure.

Under load a subscriber pays far more for a message than for its content. The order never changes:
only neighbours with the same topic, publisher, caller and worker, and with consecutive numbers, are
put together.
"""

from __future__ import annotations

from typing import Any, Final

from ..kernel import pack_broadcast
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


class OpenBatch:
    """The messages of one publisher that follow one another, until one does not belong to them.

    Args:
        publisher: Instance id of the publisher, 16 bytes.
    """

    __slots__ = ("_bodies", "_bytes", "_caller", "_first", "_publisher", "_topic", "_worker")

    def __init__(self, publisher: bytes) -> None:
        self._publisher = publisher
        self._topic = b""
        self._first = 0
        self._caller = self._worker = b""
        self._bodies: list[bytes] = []
        self._bytes = 0

    def add(self, topic: bytes, sequence: int, caller: bytes, worker: bytes, body: bytes) -> bool:
        """Append a message; return False, and do nothing, if it cannot travel after the others.

        Args:
            topic: Its topic.
            sequence: Its number on this topic.
            caller: Instance id of the caller, 16 bytes.
            worker: Instance id of the worker, 16 bytes.
            body: Its body.
        """
        bodies, size = self._bodies, len(body)
        if not bodies:
            self._topic, self._first = topic, sequence
            self._caller, self._worker = caller, worker
            self._bytes = 0
        elif (
            topic != self._topic
            or len(bodies) == MAX_ITEMS
            or self._bytes + size > MAX_BYTES
            or sequence != self._first + len(bodies)
            or caller != self._caller
            or worker != self._worker
        ):
            return False
        bodies.append(body)
        self._bytes += size
        return True

    def take(self) -> heads.Publication | None:
        """Remove and return the messages as one, a lone one as it would go alone; None if empty."""
        bodies = self._bodies
        if not bodies:
            return None
        self._bodies = []
        header, body = pack_broadcast(
            self._publisher, self._first, self._caller, self._worker, bodies
        )
        return self._topic, header, body


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
