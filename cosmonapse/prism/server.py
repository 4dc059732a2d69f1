"""Prism as a process: one observer and one HTTP server, until an OS signal."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..http_server.bound_address import BoundAddress
from ..runtime.extras import missing_extra
from ..runtime.os_signals import stop_signal
from .guard import Guard
from .token_check import TokenCheck
from .watch import Watch

if TYPE_CHECKING:
    from ..http_server.uvicorn_server import HttpServer

DEFAULT_PORT = 7071
_END_S = 1


async def serve(
    watch: Watch,
    listeners: list[socket.socket],
    bound: BoundAddress,
    token: str | None,
    on_ready: Callable[[], None],
    *,
    logs_by_itself: bool = True,
) -> int:
    """Serve the data of `watch` until an OS signal; return its number.

    Args:
        watch: The data to show.
        listeners: From `listening`; they are closed at the end.
        bound: From `listening`.
        token: What a browser must know; None only where `bound` is loopback alone.
        on_ready: Called once pages can be read.
        logs_by_itself: False where the process has a log of its own for what uvicorn says.

    Raises:
        MissingExtra: starlette or uvicorn is not installed.
        SynapseRefused: The Synapse refuses this namespace, or is full.
    """
    server = _http_server(watch, bound, token, logs_by_itself)
    ending = asyncio.create_task(stop_signal(), name="stop signal")
    work = {
        asyncio.create_task(watch.run(), name="watch"),
        asyncio.create_task(server.serve(listeners), name="http"),
    }
    await asyncio.sleep(0)  # from now on a signal ends it in order
    try:
        on_ready()
        await asyncio.wait({ending, *work}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        # A tab that does not read is cut off at the end; that is not worth a log entry.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        watch.tabs.close()
        server.should_exit = True
        if not ending.done():
            ending.cancel()
        for task in work:
            if task.get_name() == "watch":
                task.cancel()
        await asyncio.wait({ending, *work})
    for task in work:
        if not task.cancelled():
            task.result()  # raises its error, if it failed
    return ending.result()


def _http_server(
    watch: Watch, bound: BoundAddress, token: str | None, logs_by_itself: bool
) -> HttpServer:
    try:
        from ..http_server.timed_http import Connections
        from ..http_server.uvicorn_server import HttpServer
    except ImportError as error:
        raise missing_extra("uvicorn", "prism", error) from None
    from .app import make_app

    if token is None and bound.is_beyond_loopback:
        raise ValueError("beyond loopback Prism needs a token")
    check = None if token is None else TokenCheck(token, bound.port)
    return HttpServer(
        make_app(
            Guard(bound),
            check,
            watch.ring,
            watch.tabs,
            watch.counts,
            watch.traces,
            watch.remembered,
            watch.card,
        ),
        Connections(watch.counts),
        end_s=_END_S,
        logs_by_itself=logs_by_itself,
    )
