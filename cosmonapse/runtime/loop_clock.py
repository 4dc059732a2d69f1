"""The clock of an event loop, without one system call for each reading."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class LoopClock:
    """The event loop that an object belongs to; looked up once, since that costs a system call.

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
    """Return the clock of a loop; asyncio's own `time` only calls `time.monotonic`."""
    is_plain = getattr(loop.time, "__func__", None) is asyncio.BaseEventLoop.time
    return time.monotonic if is_plain else loop.time
