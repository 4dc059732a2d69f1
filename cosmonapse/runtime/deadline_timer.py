"""One timer of the event loop for any number of deadlines, and the clock of that loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class LoopClock:
    """The loop that something lives on, asked for once: asking costs a system call.

    Attributes:
        now_s: Returns the time of the loop.
    """

    __slots__ = ("_loop", "now_s")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self.now_s: Callable[[], float] = self._first_now_s

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop; the first call must come from it."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self.now_s = _clock_of(self._loop)
        return self._loop

    def _first_now_s(self) -> float:
        return self.loop().time()


def _clock_of(loop: asyncio.AbstractEventLoop) -> Callable[[], float]:
    """Return the clock of a loop; that of asyncio itself is a function around another one."""
    is_plain = getattr(loop.time, "__func__", None) is asyncio.BaseEventLoop.time
    return time.monotonic if is_plain else loop.time


class DeadlineTimer:
    """Calls `sweep` when something falls due.

    Args:
        next_at_s: When that is, on the clock of the loop; None for never.
        sweep: Takes the time; does what is due.

    Attributes:
        armed_at_s: When the timer fires; infinity for never.
    """

    def __init__(
        self, next_at_s: Callable[[], float | None], sweep: Callable[[float], None]
    ) -> None:
        self._next_at_s = next_at_s
        self._sweep = sweep
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
        """Let nothing fall due any more."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle = None
        self.armed_at_s = float("inf")

    def _fire(self) -> None:
        self._handle, self.armed_at_s = None, float("inf")
        try:
            self._sweep(asyncio.get_running_loop().time())
        finally:
            next_at_s = self._next_at_s()
            if next_at_s is not None:
                self.arm(next_at_s)
