"""The time of an event loop, which a test moves on: no test waits for a deadline."""

import asyncio


class LoopTime:
    """Runs with the clock of the running loop, and `advance` puts it ahead."""

    def __init__(self):
        loop = asyncio.get_running_loop()
        self._real_s = loop.time
        self._ahead_s = 0.0
        loop.time = self._now_s

    def advance(self, seconds):
        """Advance the clock at once: every timer within that time is due at the next turn."""
        self._ahead_s += seconds

    def _now_s(self):
        return self._real_s() + self._ahead_s
