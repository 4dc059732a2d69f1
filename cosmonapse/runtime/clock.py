"""The only access of pure modules to wall clock, random bytes and fork detection."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

now_ts = time.time
"""Return the wall clock in seconds, UTC; for display, never for a decision."""


def random_bytes(count: int) -> bytes:
    """Return unpredictable bytes."""
    return os.urandom(count)


_forks = 0


def forks() -> int:
    """Return the number of forks between the process that loaded this module and this one.

    Costs a tenth of a system call for the process id.
    """
    return _forks


def after_fork(callback: Callable[[], None]) -> None:
    """Call `callback` in every child that is forked from this process."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=callback)


def _forked() -> None:
    global _forks
    _forks += 1


after_fork(_forked)
