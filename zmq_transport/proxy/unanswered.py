"""Tell a dead host or a cut cable from a program that does not read. Pure.

Spec: docs/spec/04-liveness.md, "Dead hosts". The kernel of a living host answers every segment,
also with its receive window closed. So a host is dead when segments went out for the stated time
and none came in. A time limit of the kernel (TCP_USER_TIMEOUT) cannot tell the two apart.
"""

from __future__ import annotations

from typing import Final

import attrs

LIMIT_S: Final = 3.0
"""Seconds without an answer after which a host is dead."""
LEAST_SEGMENTS: Final = 2
"""Segments without an answer that a dead host has at least; one may be on its way."""


@attrs.frozen
class Segments:
    """What the kernel counts for one connection.

    Args:
        sent: Segments sent, those sent again and probes of the window included.
        received: Segments received, bare acknowledgements included.
        waits: True while something that was sent is not acknowledged, or waits to be sent.
    """

    sent: int
    received: int
    waits: bool


@attrs.frozen
class Unanswered:
    """Since when a host has not answered.

    Args:
        since_s: Monotonic clock at the last sign of it, or at the first look.
        sent: Segments sent until then.
        received: Segments received until then.
    """

    since_s: float
    sent: int
    received: int

    @staticmethod
    def look(before: Unanswered | None, now: Segments, now_s: float) -> Unanswered | None:
        """Return what to compare the next look with; None when the host owes no answer."""
        if not now.waits:
            return None
        if before is None or before.received != now.received:
            return Unanswered(now_s, now.sent, now.received)
        return before

    def is_dead(self, now: Segments, now_s: float) -> bool:
        """Tell whether the host is dead: enough was sent for long enough, and nothing came."""
        return (
            now.received == self.received
            and now_s - self.since_s >= LIMIT_S
            and now.sent - self.sent >= LEAST_SEGMENTS
        )
