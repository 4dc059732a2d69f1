"""The running event loop of asyncio, or an error that says what to do without one."""

from __future__ import annotations

import asyncio

from ..errors import DendriteProtocolError


def running_loop() -> asyncio.AbstractEventLoop:
    """Return the running loop.

    Raises:
        DendriteProtocolError: None runs here, as under trio or curio.
    """
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise DendriteProtocolError(
            "no event loop of asyncio runs here, and a Dendrite needs one: call this inside "
            "asyncio.run(...); under trio or another loop, and in plain threads, use a "
            "BlockingDendrite, which has a loop of its own (trio.to_thread.run_sync(...))"
        ) from None
