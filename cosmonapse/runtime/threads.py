"""Runs plain functions in daemon threads, which never keep the process from ending."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from typing import Any

# A future cannot carry the first. The second would close the coroutine that waits, and the third
# end its loop as Ctrl-C does, which no other thread ever receives.
_NOT_FOR_FUTURES = (StopIteration, GeneratorExit, KeyboardInterrupt)


def in_thread(function: Callable[..., Any], *arguments: Any, name: str) -> asyncio.Future[Any]:
    """Call a function in a daemon thread of its own; return the future of its result.

    The function sees the context variables of the caller. Cancelling the future does not stop it.
    Its StopIteration, GeneratorExit or KeyboardInterrupt becomes the cause of a RuntimeError.

    Args:
        function: The function.
        arguments: Its arguments.
        name: The name of the thread.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Any] = loop.create_future()

    def end(value: Any, error: BaseException | None) -> None:
        if ended.done():
            return
        if error is None:
            ended.set_result(value)
        else:
            ended.set_exception(error)
            ended.exception()  # retrieved here, since the waiter may be cancelled

    def run() -> None:
        value: Any = None
        error: BaseException | None = None
        try:
            value = function(*arguments)
        except _NOT_FOR_FUTURES as raised:
            error = RuntimeError(f"the function raised {type(raised).__name__}")
            error.__cause__ = raised
        except BaseException as raised:  # noqa: BLE001  # passed on to the waiter
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: nothing waits for the result
            loop.call_soon_threadsafe(end, value, error)

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(run,), name=name, daemon=True).start()
    return ended
