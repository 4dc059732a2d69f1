"""uvicorn as Prism and gateways run it: quiet, its connections bounded, the OS signals left alone.

Import it only where uvicorn is installed.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from .timed_http import Connections, TimedProtocol, timed


class HttpServer(uvicorn.Server):
    """An HTTP server on sockets that listen already; `serve(listeners)` runs it.

    Args:
        app: The ASGI application.
        connections: Bounds its connections and the time of a request.
        idle_s: How long a connection without a request stays open, in whole seconds.
        end_s: How long its requests may take after `should_exit`, in whole seconds.
        logs_by_itself: False where the process has a log of its own for what uvicorn says.
        has_lifespan: Whether the application wants to know of its beginning and its end.
        on_listening: Called once it listens.
    """

    def __init__(
        self,
        app: Any,
        connections: Connections,
        *,
        idle_s: int = 5,
        end_s: int,
        logs_by_itself: bool,
        has_lifespan: bool = False,
        on_listening: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=timed(connections),
                log_level="error",
                log_config=uvicorn.config.LOGGING_CONFIG if logs_by_itself else None,
                access_log=False,
                lifespan="on" if has_lifespan else "off",
                ws="none",
                server_header=False,
                timeout_keep_alive=idle_s,
                timeout_graceful_shutdown=end_s,
            )
        )
        self._on_listening = on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        if self.started:
            self._on_listening()

    def cut_unread(self) -> None:
        """Cut the connections whose clients have not read what was written to them."""
        for connection in list(self.server_state.connections):
            if (
                isinstance(connection, TimedProtocol)
                and connection.transport.get_write_buffer_size()
            ):
                connection.cut()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals of the system to `stop_signal`."""
        yield
