"""Run a blocking function in a daemon thread, and hand its result to the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def call_in_background(work: Callable[[], Result], then: Callable[[Result], None]) -> None:
    """Start `work` in a daemon thread; call `then` with its result on the running loop.

    A daemon thread and not the executor of the loop: that one keeps a program from ending, and a
    name server that does not answer may take 10 s and more.

    Args:
        work: The function; it must not raise.
        then: Is called on the loop; never if the loop was closed meanwhile.
    """
    loop = asyncio.get_running_loop()

    def run() -> None:
        result = work()
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(then, result)

    threading.Thread(target=run, name="zmq-transport-background", daemon=True).start()
