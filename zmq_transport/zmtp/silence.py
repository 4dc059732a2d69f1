"""Find out from silence that a peer is gone, without a clock. Pure.

Spec: docs/spec/10-zmtp.md, Heartbeats. Checks are counted, not seconds: a program whose loop was
blocked looks once when it goes on, and does not blame its peer for its own pause.
"""

from __future__ import annotations

import enum
from typing import Final

ASK_S: Final = 0.8
"""Seconds between two checks where nothing else watches the host of the peer: 4 s in all."""
ASK_SELDOM_S: Final = 10.0
"""Seconds between two checks where the system does, or where it is this one."""
MAX_UNANSWERED: Final = 3


class Finding(enum.Enum):
    """What a check has found."""

    ALIVE = enum.auto()
    SILENT = enum.auto()
    """Ask it with a PING."""
    GONE = enum.auto()


class Silence:
    """The silence of one peer.

    Args:
        is_watched: True where the system finds out by itself that the host of the peer is gone.

    Attributes:
        every_s: Seconds between two checks.
    """

    def __init__(self, *, is_watched: bool) -> None:
        self.every_s = ASK_SELDOM_S if is_watched else ASK_S
        self._unanswered = 0

    def check(self, *, is_heard: bool) -> Finding:
        """Return what follows from one check.

        Args:
            is_heard: True if anything came since the check before, or was taken by the peer.
        """
        if is_heard:
            self._unanswered = 0
            return Finding.ALIVE
        if self._unanswered == MAX_UNANSWERED:
            return Finding.GONE
        self._unanswered += 1
        return Finding.SILENT
