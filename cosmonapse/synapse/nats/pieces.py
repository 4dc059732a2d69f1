"""Messages over the payload limit of nats-server go in pieces. Spec: docs/spec/14-nats.md. Pure.

A small message need not wait for a large one of somebody else: it passes between two pieces. Where
the order is promised (docs/spec/08-port.md, P16) it waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from zmq_transport.errors import WireError
from zmq_transport.wire import heads
from zmq_transport.wire.heads import Verb

from .frames import PIECE_BYTES, pack_piece, unpack_piece

MAX_PARTIAL: Final = 64
"""Most messages of one sender of which only a part has come."""
MAX_IN_TURN: Final = 8
"""Most messages that a sender hands over piece by piece in turn; the next ones wait for these."""
_LOOK = 64  # so many of those that wait are looked at: a key may have thousands of messages
_TASK = int(Verb.TASK)
_REPLY = int(Verb.REPLY)


def order_key(head: bytes) -> bytes | None:
    """Return what must stay in order with a directed message.

    Tasks of one caller to one address, and replies between the same two, keep their order. None
    for everything else: it follows all that was sent before it, and all after it follows.
    """
    try:
        peer, items, address = heads.unpack_items(head)
    except WireError:
        return None
    verb = items[0][0]
    if verb == _TASK:
        return b"T" + peer + address
    return b"R" + peer if verb == _REPLY else None


class WaitingMessage:
    """A message that is not handed over yet, or not whole.

    Args:
        data: The message.
        number: Of its pieces, if it goes in such.
        key: See `order_key`.

    Attributes:
        left_bytes: The bytes of it that wait.
    """

    __slots__ = ("_data", "_number", "key", "left_bytes")

    def __init__(self, data: bytes, number: int, key: bytes | None = None) -> None:
        self._data, self._number, self.key = data, number, key
        self.left_bytes = len(data)

    def next_part(self, most_bytes: int) -> bytes:
        """Return what is to be handed over next: the message, or a piece of it."""
        data, left_bytes = self._data, self.left_bytes
        at = len(data) - left_bytes
        if at == 0 and len(data) <= most_bytes:
            self.left_bytes = 0
            return data
        end = min(at + most_bytes - PIECE_BYTES, len(data))
        self.left_bytes = len(data) - end
        return pack_piece(self._number, memoryview(data)[at:end], is_last=end == len(data))


class Outgoing:
    """What goes to one receiver, in the order that is promised.

    Args:
        most_bytes: The payload limit of nats-server.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._waiting: deque[WaitingMessage] = deque()
        self._number = 0
        self.waiting_bytes = 0

    def __len__(self) -> int:
        """Return how many messages wait, or are not whole yet."""
        return len(self._waiting)

    def put(self, key: bytes | None, data: bytes, *, holds: bool = False) -> bool:
        """Take a message; True if it may be handed over at once, whole.

        Args:
            key: See `order_key`.
            data: The message.
            holds: True to let it wait in any case.
        """
        if not holds and len(data) <= self._most_bytes and self._may_pass(key):
            return True
        self._waiting.append(WaitingMessage(data, self._number, key))
        self._number += 1
        self.waiting_bytes += len(data)
        return False

    def _may_pass(self, key: bytes | None) -> bool:
        if not self._waiting:
            return True
        if key is None or len(self._waiting) > _LOOK:
            return False
        return all(each.key not in (None, key) for each in self._waiting)

    def take(self, budget_bytes: int) -> list[bytes]:
        """Return what is to be handed over now, of all messages in turn, about that much.

        At least one piece, if any message waits and the budget is over 0.
        """
        parts: list[bytes] = []
        while self._waiting and budget_bytes > 0:
            for each in list(self._ready()):
                part = self._next_of(each)
                parts.append(part)
                budget_bytes -= len(part)
                if budget_bytes <= 0:
                    break
        return parts

    def _ready(self) -> Iterator[WaitingMessage]:
        """Yield the messages that need not wait for one before them."""
        keys: set[bytes] = set()
        for index, each in enumerate(self._waiting):
            if each.key is None:
                if index == 0:
                    yield each
                return
            if each.key not in keys:
                keys.add(each.key)
                yield each
            if len(keys) == MAX_IN_TURN or index == _LOOK:
                return

    def _next_of(self, waiting: WaitingMessage) -> bytes:
        before = waiting.left_bytes
        part = waiting.next_part(self._most_bytes)
        self.waiting_bytes -= before - waiting.left_bytes
        if not waiting.left_bytes:
            self._waiting.remove(waiting)
        return part


class Joiner:
    """Puts the pieces of one sender together.

    Args:
        most_bytes: Limit of one message.
        most_partial_bytes: Limit of all that are not whole yet.
    """

    def __init__(self, most_bytes: int, most_partial_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._most_partial_bytes = most_partial_bytes
        self._parts: dict[int, list[memoryview]] = {}
        self._sizes: dict[int, int] = {}
        self._refused: set[int] = set()
        self.partial_bytes = 0

    def take(self, data: bytes) -> bytes | None:
        """Take a piece; return the message if it is whole now.

        Raises:
            WireError: Over a limit; the rest of that message is refused in silence.
        """
        number, is_last, part = unpack_piece(data)
        if number in self._refused:
            if is_last:
                self._refused.discard(number)
            return None
        size = self._sizes.get(number, 0) + len(part)
        self._check(number, size, len(part), is_last=is_last)
        parts = self._parts.setdefault(number, [])
        parts.append(part)
        self._sizes[number] = size
        self.partial_bytes += len(part)
        if not is_last:
            return None
        self._drop(number)
        return b"".join(parts)

    def _check(self, number: int, size: int, added: int, *, is_last: bool) -> None:
        if number not in self._parts and len(self._parts) >= MAX_PARTIAL:
            reason = "max_partial", f"at most {MAX_PARTIAL} messages may come in pieces at a time"
        elif size > self._most_bytes:
            reason = "too_large", f"a message in pieces has at most {self._most_bytes:,} bytes"
        elif self.partial_bytes + added > self._most_partial_bytes:
            reason = "partial_bytes", f"over {self._most_partial_bytes:,} bytes came in pieces"
        else:
            return
        self._drop(number)
        if not is_last and len(self._refused) < MAX_PARTIAL:
            self._refused.add(number)
        raise WireError(*reason)

    def _drop(self, number: int) -> None:
        self._parts.pop(number, None)
        self.partial_bytes -= self._sizes.pop(number, 0)
