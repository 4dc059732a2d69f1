"""One timer of the event loop for any number of deadlines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class DeadlineTimer:
    """Calls `expire` when the next deadline passes.

    Args:
        next_at_s: Returns the next deadline on the clock of the loop, or None for never.
        expire: Receives the time and ends everything that is due.

    Attributes:
        armed_at_s: When the timer fires; infinity for never.
    """

    def __init__(
        self, next_at_s: Callable[[], float | None], expire: Callable[[float], None]
    ) -> None:
        self._next_at_s = next_at_s
        self._expire = expire
        self._handle: asyncio.TimerHandle | None = None
        self.armed_at_s = float("inf")

    def arm(self, at_s: float) -> None:
        """Make sure that the timer fires at `at_s` or before."""
        if at_s < self.armed_at_s:
            if self._handle is not None:
                self._handle.cancel()
            self.armed_at_s = at_s
            self._handle = asyncio.get_running_loop().call_at(at_s, self._fire)

    def close(self) -> None:
        """Stop the timer; nothing expires any more."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle = None
        self.armed_at_s = float("inf")

    def _fire(self) -> None:
        self._handle, self.armed_at_s = None, float("inf")
        try:
            self._expire(asyncio.get_running_loop().time())
        finally:
            next_at_s = self._next_at_s()
            if next_at_s is not None:
                self.arm(next_at_s)
