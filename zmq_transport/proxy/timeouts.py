"""Find who has let a stated time pass. Pure.

Spec: docs/spec/10-zmtp.md, "Who is cut". The caller passes `now_s` from its monotonic clock.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Who = TypeVar("Who", bound=Hashable)


class Timeouts(Generic[Who]):
    """Those who owe something, each within the same time.

    Args:
        limit_s: Seconds that each of them has.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        # All have the same time, so the order of beginning is the order of ending.
        self._since_s: dict[Who, float] = {}

    def __len__(self) -> int:
        """Return how many owe something."""
        return len(self._since_s)

    def __contains__(self, who: object) -> bool:
        """Tell whether `who` owes something."""
        return who in self._since_s

    def begin(self, who: Who, now_s: float) -> None:
        """Give `who` the whole time, from now on."""
        self._since_s.pop(who, None)
        self._since_s[who] = now_s

    def end(self, who: Who) -> None:
        """Expect nothing of `who` any more."""
        self._since_s.pop(who, None)

    def overdue(self, now_s: float) -> list[Who]:
        """Return who is late, the longest first, and expect nothing of them any more."""
        late: list[Who] = []
        for who, since_s in self._since_s.items():
            if now_s - since_s < self._limit_s:
                break
            late.append(who)
        for who in late:
            del self._since_s[who]
        return late
