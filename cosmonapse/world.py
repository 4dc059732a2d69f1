"""The one door from the ground floor to clock and dice; everything pure gets them from here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable


def now_ts() -> float:
    """Return the wall clock in seconds, UTC; for people, never for a decision."""
    return time.time()


def random_bytes(count: int) -> bytes:
    """Return unpredictable bytes."""
    return os.urandom(count)


def after_fork(callback: Callable[[], None]) -> None:
    """Call `callback` in every child that is forked from this process."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=callback)
