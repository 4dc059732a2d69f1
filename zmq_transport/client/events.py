"""What a client tells its user: outcomes of sends, and events. Spec: docs/spec/08-port.md. Pure."""

from __future__ import annotations

import enum
from typing import Protocol

from ..wire.heads import Reason


class Outcome(enum.Enum):
    """What became of a send, at once."""

    SENT = enum.auto()
    """Handed to the socket; no proof of arrival."""
    WAITING = enum.auto()
    """In the outbox until the far end takes it."""
    BUSY = enum.auto()
    """No room left; nothing was kept."""
    TOO_LARGE = enum.auto()
    """Over the size limit; nothing was kept."""
    CLOSED = enum.auto()
    """The link is closed or was refused."""


class Receiver(Protocol):
    """What a client reports, one call an event, on the loop. None of the calls may block."""

    def on_task(
        self,
        caller: bytes,
        address: str,
        task: bytes,
        trace: bytes,
        kind: int,
        ttl_ms: int,
        flags: int,
        body: bytes,
    ) -> None:
        """Take a task that is ours to do."""

    def on_reply(
        self,
        worker: bytes,
        task: bytes,
        trace: bytes,
        kind: int,
        index: int,
        flags: int,
        body: bytes,
    ) -> None:
        """Take a reply to a task of ours; the flag `SETTLES` marks the last one."""

    def on_cancel(self, caller: bytes, task: bytes) -> None:
        """Take back a task that is ours to do."""

    def on_bounce(self, task: bytes, reason: Reason) -> None:
        """Learn that a task of ours was not delivered."""

    def on_lost(self, task: bytes, reason: Reason) -> None:
        """Learn that a task of ours was delivered and will have no reply.

        With the reason `reply_waits` it has ended, and its last reply found no room on its way
        here: it is to be asked for, as one that is missing.
        """

    def on_heard(self, kind: int, trace: bytes, caller: bytes, worker: bytes, body: bytes) -> None:
        """Take a broadcast message; `kind` is -1 when it came by its trace."""

    def on_missed(self, count: int) -> None:
        """Learn how many broadcast messages are missing before the next one."""

    def on_registered(self, name: str, refusal: str) -> None:
        """Learn that a seat of ours is in the tables of the proxy, or why it is not."""

    def on_welcomed(self, fresh: bool) -> None:
        """Learn that the far end took us in; `fresh` when it has forgotten everything."""

    def on_away(self, why: str) -> None:
        """Learn that the connection is gone; it comes back by itself."""
