"""Being asked to stop: SIGINT and SIGTERM, as an event of the loop."""

from __future__ import annotations

import asyncio
import signal

from ..errors import DendriteProtocolError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def asked_to_stop() -> None:
    """Return at the first SIGINT or SIGTERM.

    Raises:
        DendriteProtocolError: Not on the main thread, where signals arrive.
    """
    loop, asked = asyncio.get_running_loop(), asyncio.Event()
    try:
        for number in _SIGNALS:
            loop.add_signal_handler(number, asked.set)
    except (RuntimeError, ValueError) as error:
        raise DendriteProtocolError(
            "serve() works on the main thread only: elsewhere wait for an event of your own "
            "and call stop()"
        ) from error
    try:
        await asked.wait()
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
