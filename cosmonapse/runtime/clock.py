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
_pid = os.getpid()
_after_fork: list[Callable[[], None]] = []


def forks() -> int:
    """Return the number of forks between the process that loaded this module and this one.

    Costs a tenth of a system call for the process id. A fork that Python did not see counts from
    the next `notice_fork` on.
    """
    return _forks


def after_fork(callback: Callable[[], None]) -> None:
    """Call `callback` in every child that is forked from this process."""
    _after_fork.append(callback)


def notice_fork() -> None:
    """Do in this process what a fork that Python did not see has left undone.

    uWSGI forks its workers in C, and no function of `os.register_at_fork` is called in them.
    """
    if os.getpid() != _pid:
        _forked()


def _forked() -> None:
    global _forks, _pid
    _forks += 1
    _pid = os.getpid()
    for callback in _after_fork:
        callback()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
