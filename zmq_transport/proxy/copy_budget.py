"""How many bytes may be copied to watchers. Pure.

A high-water mark counts messages. What waits for a watcher that does not read is bounded in bytes
by this: it is cut by the heartbeat after 3 to 4 s, and in that time no more than so many times the
budget of a second can pile up for it.
"""

from __future__ import annotations


class CopyBudget:
    """Bytes to spend; grows with time, up to what one second gives.

    Args:
        bytes_per_s: How fast it grows.
        now_s: Monotonic clock.
    """

    def __init__(self, bytes_per_s: int, now_s: float) -> None:
        self._bytes_per_s = bytes_per_s
        self._left_bytes = float(bytes_per_s)
        self._at_s = now_s

    def spend(self, size: int) -> bool:
        """Take `size` bytes out; False, and nothing taken, if there is nothing left.

        What is left may go below zero once: a body larger than the budget of a second passes too.
        """
        if self._left_bytes <= 0:
            return False
        self._left_bytes -= size
        return True

    def refill(self, now_s: float) -> None:
        """Let it grow by the time since the last call."""
        grown = self._left_bytes + (now_s - self._at_s) * self._bytes_per_s
        self._left_bytes = min(float(self._bytes_per_s), grown)
        self._at_s = now_s
