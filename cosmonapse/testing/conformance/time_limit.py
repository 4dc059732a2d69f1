"""End a test that hangs, with the places where it waits; the tests behind it run.

The signal SIGALRM ends it, so it also ends a test that blocks its event loop. It needs the main
thread and a POSIX system; without them there is no limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

_AGAIN_S = 5.0
"""After so long it is told again: a `finally` may hang as well, or an `except` have hidden it."""
_STDERR = 2


class TookTooLong(Exception):
    """A test, its set-up or its tear-down did not end in time; the text says where it waits."""


@contextlib.contextmanager
def limited(what: str, limit_s: float) -> Iterator[None]:
    """End the block, wherever it is then, when it takes longer than `limit_s` seconds.

    Args:
        what: Names the block in the text of the error.
        limit_s: 0 for no limit.

    Raises:
        TookTooLong: It did. The stacks of all threads were written to stderr at that moment.
    """
    if limit_s <= 0 or not _can_interrupt():
        yield
        return
    inside, told = True, ""

    def interrupt(_number: int, frame: FrameType | None) -> None:
        nonlocal told
        if not inside:
            return  # the signal came before the end of the block, and Python handles it after
        if not told:
            places = "".join(f"\n  {each}" for each in (f"in {_place(frame)}", *_waiting()))
            told = f"{what} took longer than {limit_s:g} s (--cosmo-timeout){places}"
        faulthandler.dump_traceback(_STDERR)
        if _in_callback(frame):
            # The error ends what is called alone, and who waits for the loop would go on waiting.
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.stop)
        raise TookTooLong(told)

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, limit_s, _AGAIN_S)
    try:
        yield
    except Exception as error:
        if told:
            raise TookTooLong(told) from error
        raise
    finally:
        inside = False
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    if told:
        raise TookTooLong(told)


def _can_interrupt() -> bool:
    return hasattr(signal, "SIGALRM") and threading.current_thread() is threading.main_thread()


def _in_callback(frame: FrameType | None) -> bool:
    """Return whether an event loop called what runs, instead of waiting."""
    while frame is not None:
        if frame.f_code.co_qualname == "Handle._run":
            return True
        frame = frame.f_back
    return False


def _waiting() -> list[str]:
    """Return a line for each task of the running loop, with the places that it waits at."""
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:
        return []  # no loop runs
    return sorted(f"task {each.get_name()}: {_places(each.get_coro())}" for each in tasks)


def _places(coro: Any) -> str:
    """Return where a coroutine stands, from the outermost `await` to the innermost."""
    places = []
    while (frame := getattr(coro, "cr_frame", None)) is not None:
        places.append(_place(frame))
        coro = coro.cr_await
    return " > ".join(places) or "not begun"


def _place(frame: FrameType | None) -> str:
    return f"{frame.f_code.co_name} {frame.f_code.co_filename}:{frame.f_lineno}" if frame else "?"
