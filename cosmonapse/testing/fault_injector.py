"""Lose or delay one kind of traffic of one Dendrite; the order always stays."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

Send = Callable[[], object]


class FaultInjector:
    """Makes the calls that send a message: at once, later, or never.

    Attributes:
        lost_count: The number of calls that were never made.
    """

    def __init__(self) -> None:
        self.lost_count = 0
        self._to_lose: float = 0
        self._delay_s = 0.0
        self._waiting: deque[Send] = deque()
        self._healed_count = 0

    @property
    def free(self) -> bool:
        """Return whether the next message is sent at once."""
        return not (self._to_lose or self._delay_s or self._waiting)

    def lose(self, count: int | None) -> None:
        """Lose the next `count`, or all from now on."""
        self._to_lose = float("inf") if count is None else count

    def delay(self, delay_s: float) -> None:
        """Delay every message from now on by `delay_s` seconds."""
        self._delay_s = delay_s

    def heal(self) -> None:
        """End every loss and delay; send the waiting messages now."""
        self._to_lose, self._delay_s = 0, 0.0
        self._healed_count += 1
        while self._waiting:
            self._waiting.popleft()()

    def take(self, send: Send) -> None:
        """Make a call in its turn: now, later, or never."""
        if self._to_lose:
            self._to_lose -= 1
            self.lost_count += 1
        elif self.free:
            send()
        else:
            self._waiting.append(send)
            loop = asyncio.get_running_loop()
            loop.call_later(self._delay_s, self._ring, self._healed_count)

    def _ring(self, healed_count: int) -> None:
        """Send the message that waited longest; ignore a timer from before `heal`."""
        if healed_count == self._healed_count:
            self._waiting.popleft()()
