"""Which router a client has, and for how long. Spec: docs/spec/14-nats.md, "Connections". Pure."""

from __future__ import annotations

import enum
from typing import Final

from .shares import SILENT_AFTER_S, Beat

FAREWELL_S: Final = 0.5
"""How long a client waits for the farewell of a router that says in its beat that it leaves."""
LATE_S: Final = 0.4
"""A tick that comes so long after the last one was held up: what came meanwhile is not read yet."""


class Move(enum.Enum):
    """What a client has to do."""

    STAY = enum.auto()
    """Nothing."""
    LEAVE = enum.auto()
    """End the connection, if there is one, and ask who serves the namespace."""
    BEGIN = enum.auto()
    """End the connection, if there is one, and begin one to `RouterWatch.router`."""


class RouterWatch:
    """What one client knows of the routers.

    Args:
        namespace: The namespace of the client.
        now_s: Monotonic clock.

    Attributes:
        router: The id of its router; empty for none.
    """

    def __init__(self, namespace: str, now_s: float) -> None:
        self._namespace = namespace
        self.router = b""
        self._heard_at_s = self._ticked_at_s = now_s
        self._leaves_at_s: float | None = None
        self._has_said_farewell = False
        self._next = b""

    def heard(self, now_s: float) -> None:
        """Note that something came from the router."""
        self._heard_at_s = now_s

    def on_beat(self, beat: Beat, now_s: float) -> Move:
        """Take the beat of any router."""
        serves = beat.serves(self._namespace)
        if beat.router == self.router:
            return self._on_own_beat(beat, now_s, serves=serves)
        if not serves:
            return Move.STAY
        if self._leaves_at_s is not None:
            self._next = beat.router  # what our own one has yet to say comes first
            return Move.STAY
        return self._begin(beat.router, now_s)

    def _on_own_beat(self, beat: Beat, now_s: float, *, serves: bool) -> Move:
        if serves:
            self._heard_at_s = now_s
            return Move.STAY
        if not beat.leaves or self._has_said_farewell:
            return self._go_on(now_s)
        self._leaves_at_s = now_s
        return Move.STAY

    def on_farewell(self, now_s: float) -> Move:
        """Note that the client has handled the GOING_AWAY of its router."""
        self._has_said_farewell = True
        return Move.STAY if self._leaves_at_s is None else self._go_on(now_s)

    def on_gone(self) -> Move:
        """Forget the router: nobody reads there, or it does not know this client any more."""
        self._forget()
        return Move.LEAVE

    def tick(self, now_s: float) -> Move:
        """Find out whether the router is silent; call it every 100 ms."""
        if now_s - self._ticked_at_s > LATE_S:
            self._heard_at_s = max(self._heard_at_s, now_s - SILENT_AFTER_S / 2)
        self._ticked_at_s = now_s
        if not self.router:
            return Move.STAY
        if self._leaves_at_s is not None and now_s - self._leaves_at_s >= FAREWELL_S:
            return self._go_on(now_s)
        return self.on_gone() if now_s - self._heard_at_s > SILENT_AFTER_S else Move.STAY

    def _go_on(self, now_s: float) -> Move:
        """Leave the router, for the next one if that is known."""
        return self._begin(self._next, now_s) if self._next else self.on_gone()

    def _begin(self, router: bytes, now_s: float) -> Move:
        self._forget()
        self.router = router
        self._heard_at_s = now_s
        return Move.BEGIN

    def _forget(self) -> None:
        self.router = self._next = b""
        self._leaves_at_s = None
        self._has_said_farewell = False
