"""The growth of the counters within the last minute. Spec: docs/spec/04-liveness.md. Pure.

A monitor asks what goes wrong now, and cannot wait for a minute. So the values of all counters are
kept every 5 s, and only then: counting costs no more.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Final

EVERY_S: Final = 5.0
RECENT_S: Final = 60.0


class RecentCounts:
    """Keeps the values of a minute ago, to subtract them.

    Args:
        counts: The counters, which only grow.
        now_s: Monotonic clock, at their start.
    """

    def __init__(self, counts: Counter[str], now_s: float) -> None:
        self._counts = counts
        self._kept: deque[tuple[float, dict[str, int]]] = deque([(now_s, {})])

    def tick(self, now_s: float) -> None:
        """Keep the values every 5 s; forget those that nobody needs any more."""
        last_s, _ = self._kept[-1]
        if now_s - last_s < EVERY_S:
            return
        self._kept.append((now_s, dict(self._counts)))
        # The first one stays that is a minute old: with it the last 60 s are covered.
        while len(self._kept) > 1 and self._kept[1][0] <= now_s - RECENT_S:
            self._kept.popleft()

    def since(self, now_s: float) -> tuple[float, dict[str, int]]:
        """Return the seconds that are covered, about 60, and what each counter grew by in them.

        Right after the start it is the time since then. A counter that did not grow is left out.
        """
        since_s, before = self._kept[0]
        grown = {
            name: count - before.get(name, 0)
            for name, count in self._counts.items()
            if count != before.get(name, 0)
        }
        return now_s - since_s, grown
