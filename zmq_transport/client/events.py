"""The reports of a client to its user: outcomes and events. Spec: docs/spec/08-port.md. Pure."""

from __future__ import annotations

import enum
from typing import Protocol

from ..wire.heads import Reason


class Outcome(enum.Enum):
    """The immediate outcome of a send."""

    SENT = enum.auto()
    """Handed to the socket; no proof of arrival."""
    WAITING = enum.auto()
    """In the outbox until the carrier accepts it."""
    BUSY = enum.auto()
    """No room left; nothing was stored."""
    TOO_LARGE = enum.auto()
    """Over the size limit; nothing was stored."""
    CLOSED = enum.auto()
    """The link is closed or was refused."""


TaskItem = tuple[bytes, bytes, int, int, int, bytes]
"""task, trace, kind, ttl_ms, flags, body: one task of a message."""

ReplyItem = tuple[bytes, bytes, int, int, int, bytes]
"""task, trace, kind, index, flags, body: one reply of a message."""


class Receiver(Protocol):
    """Handles the events of a client, one call each, on the loop. No call may block.

    The tasks of one message, and its replies, are one event. One of them that cannot be handled
    must not cost the others.
    """

    def on_tasks(self, caller: bytes, address: str, items: list[TaskItem]) -> None:
        """Handle the tasks of one message for this worker, in order; `address` is their seat."""

    def on_replies(self, worker: bytes, items: list[ReplyItem]) -> None:
        """Handle the replies of one message to tasks of this caller, in order.

        The flag `SETTLES` marks the last reply of a task.
        """

    def on_cancel(self, caller: bytes, task: bytes) -> None:
        """Cancel a task that this worker has."""

    def on_bounce(self, task: bytes, reason: Reason) -> None:
        """Handle the return of a task that was not delivered."""

    def on_lost(self, task: bytes, reason: Reason) -> None:
        """Handle the loss of a task that was delivered and will have no reply.

        With the reason `reply_waits` the task has ended, and its last reply found no room on the
        way. Request that reply like a missing one.
        """

    def on_heard(
        self, kind: int, trace: bytes, caller: bytes, worker: bytes, bodies: list[bytes]
    ) -> None:
        """Handle a broadcast message, or a batch of them; `kind` is -1 if its topic is a trace."""

    def on_missed(self, count: int) -> None:
        """Handle a gap: `count` broadcast messages are missing before the next one."""

    def on_published(self, publisher: bytes, kind: int, trace: bytes, body: bytes) -> None:
        """Handle what the client `publisher` handed over for this one."""

    def on_registered(self, name: str, refusal: str) -> None:
        """Handle the answer to a REGISTER; `refusal` is empty if the seat is registered."""

    def on_welcomed(self, fresh: bool) -> None:
        """Handle a WELCOME; `fresh` if the proxy has no state of this client."""

    def on_away(self, why: str) -> None:
        """Handle the loss of the connection; the client reconnects by itself."""
