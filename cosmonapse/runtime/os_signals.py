"""SIGINT and SIGTERM as an awaitable of the event loop."""

from __future__ import annotations

import asyncio
import signal

_STOPPING = (signal.SIGINT, signal.SIGTERM)


async def stop_signal() -> int:
    """Return the number of the first SIGINT or SIGTERM.

    Raises:
        RuntimeError: Called outside the main thread, where OS signals arrive.
        ValueError: The same, on some event loops.
    """
    loop = asyncio.get_running_loop()
    received: asyncio.Future[int] = loop.create_future()

    def on_signal(number: int) -> None:
        if not received.done():
            received.set_result(number)

    try:
        for number in _STOPPING:
            loop.add_signal_handler(number, on_signal, number)
        return await received
    finally:
        for number in _STOPPING:
            loop.remove_signal_handler(number)
