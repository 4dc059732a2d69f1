"""Broadcasts of one namespace over the payload limit of nats-server wait here. Pure.

Spec: docs/spec/14-nats.md, "Frames"; docs/spec/05-broadcast.md. What is published in a namespace
keeps one order, so that nothing passes one that goes in pieces.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from .pieces import WaitingMessage

Numbers = Iterator[int]
"""The numbers of the messages in pieces, all of one sender."""


class TopicQueue:
    """What waits to be published in one namespace, in order.

    Args:
        most_bytes: The payload limit of nats-server.
        numbers: Numbers the messages that go in pieces; one for all namespaces, as a listener may
            listen to several topics over one connection.

    Attributes:
        waiting_bytes: The bytes that wait.
    """

    def __init__(self, most_bytes: int, numbers: Numbers) -> None:
        self._most_bytes = most_bytes
        self._numbers = numbers
        self._waiting: deque[tuple[str, WaitingMessage]] = deque()
        self.waiting_bytes = 0

    def __len__(self) -> int:
        """Return how many messages wait, or are not whole yet."""
        return len(self._waiting)

    def put(self, subject: str, data: bytes) -> bool:
        """Take a message; True if it may be published at once, whole."""
        if not self._waiting and len(data) <= self._most_bytes:
            return True
        self._waiting.append((subject, WaitingMessage(data, next(self._numbers))))
        self.waiting_bytes += len(data)
        return False

    def take(self, budget_bytes: int) -> list[tuple[str, bytes]]:
        """Return what is to be published now, about that much: subjects, and messages or pieces.

        At least one, if any message waits.
        """
        parts: list[tuple[str, bytes]] = []
        while self._waiting and budget_bytes > 0:
            subject, waiting = self._waiting[0]
            before = waiting.left_bytes
            part = waiting.next_part(self._most_bytes)
            self.waiting_bytes -= before - waiting.left_bytes
            if not waiting.left_bytes:
                self._waiting.popleft()
            parts.append((subject, part))
            budget_bytes -= len(part)
        return parts
