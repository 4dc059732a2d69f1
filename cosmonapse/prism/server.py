"""Prism as a process: one observer and one HTTP server, until an OS signal."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

from ..errors import MissingExtra
from ..runtime.os_signals import stop_signal
from .guard import Guard
from .home import Home
from .token_check import TokenCheck
from .watch import Watch

DEFAULT_PORT = 7071
_END_S = 1


async def serve(
    watch: Watch,
    listeners: list[socket.socket],
    home: Home,
    token: str | None,
    on_ready: Callable[[], None],
    *,
    logs_by_itself: bool = True,
) -> int:
    """Serve the data of `watch` until an OS signal; return its number.

    Args:
        watch: The data to show.
        listeners: From `listening`; they are closed at the end.
        home: From `listening`.
        token: What a browser must know; None only where `home` is loopback alone.
        on_ready: Called once pages can be read.
        logs_by_itself: False where the process has a log of its own for what uvicorn says.

    Raises:
        MissingExtra: starlette or uvicorn is not installed.
        SynapseRefused: The Synapse refuses this namespace, or is full.
    """
    server = _http_server(watch, home, token, logs_by_itself)
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


def _http_server(watch: Watch, home: Home, token: str | None, logs_by_itself: bool) -> Any:
    """Return the uvicorn that serves the pages; it leaves the signals of the system alone."""
    try:
        import uvicorn
    except ImportError:
        raise MissingExtra("uvicorn", "prism") from None
    from .app import make_app
    from .timed_http import Connections, timed

    if token is None and home.is_beyond_loopback:
        raise ValueError("beyond loopback Prism needs a token")
    check = None if token is None else TokenCheck(token, home.port)
    config = uvicorn.Config(
        make_app(
            Guard(home),
            check,
            watch.ring,
            watch.tabs,
            watch.counts,
            watch.traces,
            watch.remembered,
            watch.card,
        ),
        http=timed(Connections(watch.counts)),
        log_level="error",
        log_config=uvicorn.config.LOGGING_CONFIG if logs_by_itself else None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=_END_S,
    )

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield  # `stop_signal` handles them

    return Server(config)
