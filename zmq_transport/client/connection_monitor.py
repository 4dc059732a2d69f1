"""Read the monitor of a socket: what happens to its connection, as events of ZeroMQ.

The only source that separates "full" from "not connected".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import zmq
from zmq.utils.monitor import parse_monitor_message

from ..sockets import multipart, options
from .socket_reader import SocketReader

BEGUN = int(zmq.EVENT_CONNECT_DELAYED)
CONNECTED = int(zmq.EVENT_CONNECTED)
ESTABLISHED = int(zmq.EVENT_HANDSHAKE_SUCCEEDED)
DISCONNECTED = int(zmq.EVENT_DISCONNECTED)
RETRIED = int(zmq.EVENT_CONNECT_RETRIED)
UNLISTED = int(zmq.EVENT_HANDSHAKE_FAILED_AUTH)
_WATCHED = BEGUN | CONNECTED | ESTABLISHED | DISCONNECTED | RETRIED | UNLISTED


class ConnectionMonitor:
    """Watches the connection of one socket.

    A handshake that fails is CONNECTED and then DISCONNECTED. In between UNLISTED says that the far
    end does not list our key. What else libzmq 4.3.5 reports there differs from try to try, and
    between two kinds of socket that do not belong together it is nothing: that is not watched.

    Args:
        socket: The socket; watch it before it connects.
        on_event: Receives each event, one of the names of this module.
    """

    def __init__(self, socket: zmq.Socket[bytes], on_event: Callable[[int], None]) -> None:
        self._socket = socket
        self._on_event = on_event
        self._monitor = options.watched(socket, _WATCHED)
        self._reader = SocketReader(self._monitor, self._on_message)

    def catch_up(self) -> None:
        """Report now what has happened so far: a message may be read ahead of it."""
        self._reader.read_now()

    def forget(self) -> None:
        """Drop what has happened so far: it was about a connection that is left."""
        while multipart.receive(self._monitor) is not None:
            pass

    def close(self) -> None:
        """Stop watching."""
        self._reader.close()
        self._socket.monitor(None, 0)
        self._monitor.close()

    def _on_message(self, message: list[Any]) -> None:
        frames = [frame if isinstance(frame, bytes) else frame.bytes for frame in message]
        self._on_event(int(parse_monitor_message(frames)["event"]))
