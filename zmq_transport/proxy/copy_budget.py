"""Limit the bytes per second that are copied to subscribers, a fair share to each namespace. Pure.

Spec: docs/spec/05-broadcast.md, "Copies" 5. A high-water mark counts messages, and the queue of a
subscriber that does not read must be bounded in bytes too. What grows in a second is shared by the
namespaces that published lately; what some of them leave is for all.
"""

from __future__ import annotations

from typing import Final

MAX_SHARES: Final = 1024
"""Namespaces with a share of their own; those beyond share one."""
_IDLE_S: Final = 1.0
_FIRST_S: Final = 0.2
"""So much of its share a namespace has at once: until the shares are given out, and some more."""
_REST: Final = ""


class _NamespaceBudget:
    """What one namespace may spend, when it last asked, and whether it was refused since."""

    __slots__ = ("asked_at_s", "left_bytes", "was_refused")

    def __init__(self, left_bytes: float, asked_at_s: float) -> None:
        self.left_bytes = left_bytes
        self.asked_at_s = asked_at_s
        self.was_refused = False


class CopyBudget:
    """The bytes that may be spent now; they grow with time, up to those of one second.

    A namespace that spends no more than `bytes_per_s`, divided by the number of namespaces that
    spent something in the last second, is never refused once it has been here for a moment.

    Args:
        bytes_per_s: Growth, of all namespaces together.
        now_s: Monotonic clock.
    """

    def __init__(self, bytes_per_s: int, now_s: float) -> None:
        self._bytes_per_s = float(bytes_per_s)
        self._spare_bytes = float(bytes_per_s)
        self._shares: dict[str, _NamespaceBudget] = {}
        self._at_s = now_s

    def spend(self, namespace: str, size: int) -> bool:
        """Spend `size` bytes of a namespace; False, and no change, if none are left for it.

        The rest may go below zero once: a body larger than what is left passes too.
        """
        share = self._shares.get(namespace) or self._new_share(namespace)
        share.asked_at_s = self._at_s
        if share.left_bytes <= 0 and self._spare_bytes <= 0:
            share.was_refused = True
            return False
        own = min(size, max(0.0, share.left_bytes))
        spare = min(size - own, max(0.0, self._spare_bytes))
        self._spare_bytes -= spare
        share.left_bytes -= size - spare
        return True

    def _new_share(self, namespace: str) -> _NamespaceBudget:
        """Give a namespace its first bytes: of those to spare, or on credit of at most a second."""
        if len(self._shares) >= MAX_SHARES:
            namespace = _REST
            if _REST in self._shares:
                return self._shares[_REST]
        first = _FIRST_S * self._bytes_per_s / (len(self._shares) + 1)
        if self._spare_bytes - first < -self._bytes_per_s:
            first = 0.0
        self._spare_bytes -= first
        share = self._shares[namespace] = _NamespaceBudget(first, self._at_s)
        return share

    def refill(self, now_s: float) -> None:
        """Share out the growth since the last call; take back the shares that nobody uses."""
        grown, self._at_s = (now_s - self._at_s) * self._bytes_per_s, now_s
        shares = self._shares
        for namespace in [n for n, each in shares.items() if now_s - each.asked_at_s > _IDLE_S]:
            self._spare_bytes += shares.pop(namespace).left_bytes
        if not shares:
            self._spare_bytes += grown
        full = self._bytes_per_s / max(1, len(shares))
        for share in shares.values():
            mine = grown / len(shares)
            # First bytes on credit are paid back by those who want more than their share.
            if share.was_refused and self._spare_bytes < 0:
                paid = min(mine / 2, -self._spare_bytes)
                self._spare_bytes += paid
                mine -= paid
            share.was_refused = False
            share.left_bytes += mine
            if share.left_bytes > full:
                self._spare_bytes += share.left_bytes - full
                share.left_bytes = full
        held = sum(max(0.0, share.left_bytes) for share in shares.values())
        self._spare_bytes = min(self._spare_bytes, self._bytes_per_s - held)
