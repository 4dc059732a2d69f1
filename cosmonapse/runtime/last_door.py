"""Tells what the last door of a task lets pass, of all that a function of the user may raise."""

from __future__ import annotations

import asyncio
import signal
import threading


def must_pass(error: BaseException) -> bool:
    """Return whether an exception ends the calling task and is no failure of the user's function.

    It is a failure in every other case, a GeneratorExit or KeyboardInterrupt that the function
    raised included.
    """
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0
    if isinstance(error, GeneratorExit):
        return _is_destroyed()
    return isinstance(error, KeyboardInterrupt) and is_from_keyboard()


def is_from_keyboard() -> bool:
    """Return whether a KeyboardInterrupt may be the only trace of a Ctrl-C.

    Under `asyncio.run` and `serve` Ctrl-C cancels or stops the program, so an exception of this
    kind is then one that a function raised. Other threads never receive Ctrl-C.
    """
    return (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )


def _is_destroyed() -> bool:
    """Return whether Python destroys the calling coroutine, whose loop has ended."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return True
    return False
