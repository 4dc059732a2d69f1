"""Ask an endpoint what listens there, over a plain socket, for a text in a log or an error."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from ..sockets.endpoints import Endpoint, IpcEndpoint
from ..zmtp import stranger
from ..zmtp.greeting import OPENING, REST

PEEK_S = 1.0


def what_answers(endpoint: Endpoint, expected: str) -> str:
    """Return what listens at `endpoint`, for people; it blocks for at most 3 s.

    Args:
        endpoint: An address.
        expected: The type of the ZeroMQ socket that belongs there.

    Returns:
        An empty text if nothing listens there, or if what is expected does.
    """
    try:
        connection = _connected(endpoint)
    except OSError:
        return ""
    seen = bytearray()
    try:
        with connection:
            # In two parts: a socket with another mechanism closes at the second, and names it
            # before.
            connection.sendall(OPENING)
            _read(connection, seen, stranger.has_mechanism)
            connection.sendall(REST)
            _read(connection, seen, stranger.is_complete)
    except OSError:
        pass  # what was seen before it is the answer
    return (
        ""
        if stranger.socket_type(bytes(seen)) == expected.encode()
        else stranger.described(bytes(seen))
    )


def _read(connection: socket.socket, seen: bytearray, enough: Callable[[bytes], bool]) -> None:
    """Read until it is enough, or too late."""
    until_s = time.monotonic() + PEEK_S
    while not enough(bytes(seen)) and (left_s := until_s - time.monotonic()) > 0:
        connection.settimeout(left_s)
        received = connection.recv(stranger.MOST_BYTES)
        if not received:
            raise ConnectionResetError
        seen += received


def _connected(endpoint: Endpoint) -> socket.socket:
    if isinstance(endpoint, IpcEndpoint):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(PEEK_S)
        try:
            connection.connect(endpoint.path)
        except OSError:
            connection.close()
            raise
        return connection
    return socket.create_connection((endpoint.host, endpoint.port), PEEK_S)
