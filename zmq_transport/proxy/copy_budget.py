"""Limit the bytes per second that are copied to subscribers. Pure.

A high-water mark counts messages, and the queue of a subscriber that does not read must be bounded
in bytes too. The heartbeat closes its connection after 3 to 4 s, so at most 4 times the budget of a
second can wait for it.
"""

from __future__ import annotations


class CopyBudget:
    """The bytes that may be spent now; they grow with time, up to those of one second.

    Args:
        bytes_per_s: Growth.
        now_s: Monotonic clock.
    """

    def __init__(self, bytes_per_s: int, now_s: float) -> None:
        self._bytes_per_s = bytes_per_s
        self._left_bytes = float(bytes_per_s)
        self._at_s = now_s

    def spend(self, size: int) -> bool:
        """Spend `size` bytes; False, and no change, if none are left.

        The rest may go below zero once: a body larger than the budget of a second passes too.
        """
        if self._left_bytes <= 0:
            return False
        self._left_bytes -= size
        return True

    def refill(self, now_s: float) -> None:
        """Add the growth since the last call."""
        grown = self._left_bytes + (now_s - self._at_s) * self._bytes_per_s
        self._left_bytes = min(float(self._bytes_per_s), grown)
        self._at_s = now_s
