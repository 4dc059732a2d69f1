"""How late Prism is with what it shows: the lateness of its loop, told for a moment. Pure."""

from __future__ import annotations

from typing import Any

BEHIND_S = 0.5
"""A loop that turns so late shows what is past."""
TOLD_S = 5.0
"""So long it is told after it was late."""


class Lateness:
    """Remembers how late the loop of Prism was."""

    def __init__(self) -> None:
        self._late_s = 0.0
        self._at_s = 0.0

    def add(self, late_s: float, now_s: float) -> None:
        """Record that the loop turned, and how late it was."""
        if late_s >= BEHIND_S and (late_s > self._late_s or now_s - self._at_s > TOLD_S):
            self._late_s, self._at_s = late_s, now_s

    def view(self, now_s: float) -> dict[str, Any] | None:
        """Return `behind` of the state of a page; None while Prism is in time."""
        if not self._late_s or now_s - self._at_s > TOLD_S:
            self._late_s = 0.0
            return None
        return {"seconds": round(self._late_s, 1)}
