"""Whether the loop of this process still turns: one judgement for probes and watchdogs.

A loop that is blocked cannot say so. Hence it leaves its time behind with each beat, and whoever
asks does that from another thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from .histogram import LAGS, Histogram

if TYPE_CHECKING:
    import asyncio

STALLED_S = 10.0
"""A loop that has not turned for so long is taken for dead."""
_EVERY_S = 0.5


@attrs.frozen
class Judgement:
    """The answer to a probe.

    Args:
        ok: Whether all is well.
        why: One line of text for people.
    """

    ok: bool
    why: str


Judge = Callable[[], Judgement]
"""Judges something of this process now; safe from every thread."""


def judgement_of(
    turned_at_s: float | None, now_s: float, stalled_s: float = STALLED_S
) -> Judgement:
    """Judge a loop by when it last turned.

    Args:
        turned_at_s: That time on the monotonic clock; None if it never did.
        now_s: The time now, on the same clock.
        stalled_s: After how long without a turn it counts as dead.
    """
    if turned_at_s is None:
        return Judgement(False, "the event loop has not started yet")
    age_s = now_s - turned_at_s
    if age_s < stalled_s:
        return Judgement(True, "the event loop turns")
    return Judgement(False, f"the event loop has not turned for {age_s:.0f} s")


class LoopPulse:
    """The beat of a loop: `judge` answers from every thread.

    One of asyncio beats by itself after `start`; any other calls `beat` at intervals.

    Args:
        every_s: The time between two beats.

    Attributes:
        lags: How late the beats were, in seconds.
    """

    def __init__(self, every_s: float = _EVERY_S) -> None:
        self.lags = Histogram(LAGS)
        self._every_s = every_s
        self._turned_at_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to beat on the running loop of asyncio; `stop` ends it."""
        from asyncio import get_running_loop  # the Synapse has no such loop, and does not load it

        loop = get_running_loop()
        self._turned_at_s = time.monotonic()
        self._timer = loop.call_later(self._every_s, self._beat, loop, loop.time() + self._every_s)

    def stop(self) -> None:
        """Beat no more; on the loop. What was the last beat stays the last."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def judge(self, stalled_s: float = STALLED_S) -> Judgement:
        """Return whether the loop still turns; safe from every thread."""
        return judgement_of(self._turned_at_s, time.monotonic(), stalled_s)

    def beat(self, late_s: float) -> None:
        """Record that the loop turned, and how late it was."""
        self.lags.add(max(0.0, late_s))
        self._turned_at_s = time.monotonic()

    def _beat(self, loop: asyncio.AbstractEventLoop, due_at_s: float) -> None:
        now_s = loop.time()
        self.beat(now_s - due_at_s)
        self._timer = loop.call_at(now_s + self._every_s, self._beat, loop, now_s + self._every_s)
