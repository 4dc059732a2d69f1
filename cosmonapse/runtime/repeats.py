"""Counts what is said again and again, so that it is told once and not lost. Pure."""

from __future__ import annotations

import math
from typing import Final

import attrs

BURST: Final = 10
WINDOW_S: Final = 60.0
MAX_KINDS: Final = 256

Kind = tuple[str, int, str]
"""Who says it, how loud, and what."""


@attrs.frozen
class Repeated:
    """That something was said more often than it was told.

    Attributes:
        kind: What.
        text: How it read the first time that it was not told.
        count: How often it was not told.
        seconds: Within how many seconds.
    """

    kind: Kind
    text: str
    count: int
    seconds: float


@attrs.define
class _Window:
    since_s: float
    passed_count: int = 0
    held_count: int = 0
    text: str = ""


class Repeats:
    """Lets the first of each kind pass, and counts the rest, for one window of time after another.

    Every time is of one monotonic clock. What it holds is bounded: of more kinds than `max_kinds`
    the oldest is told and forgotten.

    Args:
        burst: How many of a kind pass in a window.
        window_s: The length of a window; it begins with the first of its kind.
        max_kinds: How many kinds are known at a time.
    """

    def __init__(
        self, burst: int = BURST, window_s: float = WINDOW_S, max_kinds: int = MAX_KINDS
    ) -> None:
        self._burst = burst
        self._window_s = window_s
        self._max_kinds = max_kinds
        self._windows: dict[Kind, _Window] = {}  # in the order in which they began
        self._evicted: list[Repeated] = []

    def passes(self, kind: Kind, now_s: float) -> bool:
        """Record that something is said; return whether to tell it. Call `due` before."""
        window = self._windows.get(kind)
        if window is None:
            if len(self._windows) >= self._max_kinds:
                oldest = next(iter(self._windows))
                self._close(oldest, now_s, self._evicted)
            window = self._windows[kind] = _Window(now_s)
        if window.passed_count < self._burst:
            window.passed_count += 1
            return True
        window.held_count += 1
        return False

    def wants_text(self, kind: Kind) -> bool:
        """Return whether the text of this kind is still unknown, now that it does not pass."""
        return not self._windows[kind].text

    def set_text(self, kind: Kind, text: str) -> None:
        """Record how it reads, unless it was told meanwhile."""
        window = self._windows.get(kind)
        if window is not None and window.held_count:
            window.text = text

    def due(self, now_s: float) -> list[Repeated]:
        """Return what to tell now, and begin anew with it."""
        found, self._evicted = self._evicted, []
        while self._windows:
            kind, oldest = next(iter(self._windows.items()))
            if now_s - oldest.since_s < self._window_s:
                break
            self._close(kind, now_s, found)
        return found

    def rest(self, now_s: float) -> list[Repeated]:
        """Return all that was not told, however new."""
        found, self._evicted = self._evicted, []
        for kind in list(self._windows):
            self._close(kind, now_s, found)
        return found

    def next_at_s(self) -> float:
        """Return when something is due if nothing more is said; infinity if nothing will be."""
        if self._evicted:
            return -math.inf
        held = (each.since_s for each in self._windows.values() if each.held_count)
        return next(held, math.inf) + self._window_s

    def _close(self, kind: Kind, now_s: float, found: list[Repeated]) -> None:
        window = self._windows.pop(kind)
        if window.held_count:
            seconds = max(0.0, now_s - window.since_s)
            found.append(Repeated(kind, window.text, window.held_count, seconds))
