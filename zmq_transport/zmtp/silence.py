"""Find out from silence that a peer is gone, without a clock. Pure.

Spec: docs/spec/10-zmtp.md, Heartbeats. Checks are counted, not seconds: a program whose loop was
blocked looks once when it goes on, and does not blame its peer for its own pause.
"""

from __future__ import annotations

import enum
from typing import Final

ASK_S: Final = 0.8
"""Seconds between two checks while an answer is awaited, and of a peer whose host nothing watches:
4 s from its last sign of life to its end."""
ASK_SELDOM_S: Final = 10.0
"""Seconds between two checks while nothing is awaited and the system watches the host."""
MAX_UNANSWERED: Final = 3


class Finding(enum.Enum):
    """What a check has found."""

    ALIVE = enum.auto()
    SILENT = enum.auto()
    """Ask it with a PING."""
    GONE = enum.auto()


class Silence:
    """The silence of one peer.

    A peer may be gone though its host answers: something between the two may keep its connection
    alive. So whoever writes and hears nothing asks soon, whatever the system watches.

    Args:
        is_watched: True where the system finds out by itself that the host of the peer is gone.

    Attributes:
        every_s: Seconds until the next check.
    """

    def __init__(self, *, is_watched: bool) -> None:
        self._idle_s = ASK_SELDOM_S if is_watched else ASK_S
        self.every_s = self._idle_s
        self._unanswered = 0

    def check(self, *, is_heard: bool, is_awaited: bool = False) -> Finding:
        """Return what follows from one check.

        Args:
            is_heard: True if anything came since the check before, or was taken by the peer.
            is_awaited: True if anything was written since something came last.
        """
        self.every_s = ASK_S if is_awaited or not is_heard else self._idle_s
        if is_heard:
            self._unanswered = 0
            return Finding.ALIVE
        if self._unanswered == MAX_UNANSWERED:
            return Finding.GONE
        self._unanswered += 1
        return Finding.SILENT
