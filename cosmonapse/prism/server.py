"""Prism as a process: one observer and one HTTP server on the loopback, until an OS signal."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterator

from ..errors import MissingExtra, PortInUse
from ..runtime.os_signals import stop_signal
from .guard import Guard
from .watch import Watch

HOST = "127.0.0.1"
DEFAULT_PORT = 7071
_END_S = 1


def listening(port: int) -> socket.socket:
    """Return a socket that listens on the loopback.

    Raises:
        PortInUse: Another process listens there.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        reason = f"{error.strerror or error} (if that is a Prism, open http://{HOST}:{port})"
        raise PortInUse(f"{HOST}:{port}", reason.lower()) from error
    return listener


async def serve(watch: Watch, listener: socket.socket, on_ready: Callable[[str], None]) -> int:
    """Serve the data of `watch` until an OS signal; return its number.

    Args:
        watch: The data to show.
        listener: From `listening`; it is closed at the end.
        on_ready: Receives the address once pages can be read.

    Raises:
        MissingExtra: starlette or uvicorn is not installed.
        SynapseRefused: The Synapse refuses this namespace, or is full.
    """
    try:
        import uvicorn
    except ImportError:
        raise MissingExtra("uvicorn", "prism") from None
    from .app import make_app

    port = listener.getsockname()[1]
    app = make_app(Guard(port), watch.ring, watch.tabs, lambda: True)
    config = uvicorn.Config(
        app,
        log_level="error",
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

    server = Server(config)
    ending = asyncio.create_task(stop_signal(), name="stop signal")
    work = {
        asyncio.create_task(watch.run(), name="watch"),
        asyncio.create_task(server.serve([listener]), name="http"),
    }
    try:
        on_ready(f"http://{HOST}:{port}/")
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
