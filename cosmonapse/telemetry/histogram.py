"""A histogram as Prometheus has it: how many values were up to each bound. Pure.

Plain lists, because a task adds to several of them; what reads them makes the sums.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Bounds for how long a task takes: 5 ms to 5 min."""
LAGS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds for how late a loop is, in seconds."""


class Histogram:
    """Counts values by bound. Slots, because there are many.

    Args:
        bounds: The upper bounds, ascending; a value that equals one counts for it.

    Attributes:
        total: The sum of all values.
    """

    __slots__ = ("_counts", "bounds", "total")

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self.bounds = bounds
        self.total = 0.0
        self._counts = [0] * (len(bounds) + 1)

    def add(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def merge(self, other: Histogram) -> None:
        """Add the values of another one with the same bounds."""
        self._counts = [
            ours + theirs for ours, theirs in zip(self._counts, other._counts, strict=True)
        ]
        self.total += other.total

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self._counts)

    def cumulative(self) -> list[int]:
        """Return how many values were up to each bound, and how many there were, as the last."""
        return list(accumulate(self._counts))
