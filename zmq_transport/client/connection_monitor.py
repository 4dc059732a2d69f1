"""Monitor a connection attempt: connected, refused, or a peer of another protocol.

Reads the monitor of a socket, the only source that separates "full" from "not connected".
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import zmq
from zmq.utils.monitor import parse_monitor_message

from ..sockets.endpoints import Endpoint, IpcEndpoint
from .socket_reader import SocketReader

_WATCHED = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_CONNECTED
    | zmq.EVENT_DISCONNECTED
    | zmq.EVENT_CLOSED
    | zmq.EVENT_CONNECT_RETRIED
)
_FAILED = (
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)


class ConnectionMonitor:
    """Watches the connection of one socket.

    Args:
        socket: The socket; watch it before it connects.
        on_disconnected: Is called when an established connection ends.
    """

    def __init__(self, socket: zmq.Socket[bytes], on_disconnected: Callable[[], None]) -> None:
        self._socket = socket
        self._on_disconnected = on_disconnected
        self._seen: Counter[str] = Counter()
        self._established = False
        self._monitor = socket.get_monitor_socket(_WATCHED)
        self._reader = SocketReader(self._monitor, self._on_event)

    def close(self) -> None:
        """Stop watching."""
        self._reader.close()
        self._socket.disable_monitor()
        self._monitor.close()

    def diagnosis(self, endpoint: Endpoint) -> str:
        """Describe the connection attempt to `endpoint` so far, for error texts."""
        if self._seen["handshake_failed"] or (
            self._seen["connected"] and not self._seen["established"]
        ):
            return "something there accepts connections but does not speak our protocol, or hangs"
        if self._seen["established"]:
            return "connected, but the greeting got no answer"
        if isinstance(endpoint, IpcEndpoint) and _is_barred(endpoint.path):
            return "this user may not write to the socket: it belongs to another one"
        if self._seen["retried"]:
            return f"no process listens there ({self._seen['retried']} tries)"
        return "no connection was made"

    def _on_event(self, message: list[Any]) -> None:
        frames = [frame if isinstance(frame, bytes) else frame.bytes for frame in message]
        event = parse_monitor_message(frames)["event"]
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self._established = True
            self._seen["established"] += 1
        elif event == zmq.EVENT_CONNECTED:
            self._seen["connected"] += 1
        elif event == zmq.EVENT_CONNECT_RETRIED:
            self._seen["retried"] += 1
        elif event & _FAILED:
            self._seen["handshake_failed"] += 1
        elif event == zmq.EVENT_DISCONNECTED and self._established:
            self._established = False
            self._on_disconnected()


def _is_barred(path: str) -> bool:
    return os.path.exists(path) and not os.access(path, os.W_OK, effective_ids=True)
