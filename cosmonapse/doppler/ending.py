"""Being told to end: which OS signal it was, for the exit code."""

from __future__ import annotations

import asyncio
import signal


async def told_to_end() -> int:
    """Return the number of the first SIGINT or SIGTERM; on the main thread only."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[int] = loop.create_future()

    def on_signal(number: int) -> None:
        if not told.done():
            told.set_result(number)

    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, on_signal, number)
    try:
        return await told
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
