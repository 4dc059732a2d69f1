"""Ask an endpoint what listens there, over a plain socket, for a text in a log or an error."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from ..errors import AccessFault
from ..sockets.endpoints import Endpoint, IpcEndpoint
from ..zmtp import stranger
from ..zmtp.greeting import MECHANISM, OPENING, REST
from .refusals import Answer

PEEK_S = 1.0
_CURVE = b"CURVE"


def what_answers(endpoint: Endpoint, expected: str, *, is_keyed: bool = False) -> Answer:
    """Return what listens at `endpoint`; it blocks for at most 3 s.

    Args:
        endpoint: An address.
        expected: The type of the ZeroMQ socket that belongs there.
        is_keyed: True if it should have keys. Nothing of the key is shown to it.
    """
    try:
        connection = _connected(endpoint)
    except OSError:
        return Answer()
    seen = bytearray()
    try:
        with connection:
            # In two parts: a socket with another mechanism closes at the second, and names it
            # before.
            connection.sendall(OPENING)
            _read(connection, seen, stranger.has_mechanism)
            if stranger.mechanism(bytes(seen)) == MECHANISM:
                connection.sendall(REST)
                _read(connection, seen, stranger.is_complete)
    except OSError:
        pass  # what was seen before it is the answer
    return _judged(bytes(seen), expected.encode(), is_keyed)


def greets(endpoint: Endpoint, timeout_s: float) -> bool:
    """Return whether a ZeroMQ socket listens at `endpoint`, with keys or without; it blocks.

    Args:
        endpoint: An address.
        timeout_s: How long to wait for its answer, in seconds.
    """
    until_s = time.monotonic() + timeout_s
    seen = bytearray()
    try:
        with _connected(endpoint, timeout_s) as connection:
            connection.sendall(OPENING)
            _read(connection, seen, stranger.has_mechanism, until_s)
    except OSError:
        pass  # what was seen before it is the answer
    return stranger.mechanism(bytes(seen)) in (MECHANISM, _CURVE)


def _judged(seen: bytes, expected: bytes, is_keyed: bool) -> Answer:
    if stranger.mechanism(seen) == _CURVE:
        if is_keyed:
            return Answer(speaks_curve=True)
        return Answer(stranger.described(seen), AccessFault.NEEDS_KEY, speaks_curve=True)
    if stranger.socket_type(seen) == expected:
        return Answer(fault=AccessFault.NO_KEYS if is_keyed else None)
    return Answer(stranger.described(seen))


def _read(
    connection: socket.socket,
    seen: bytearray,
    enough: Callable[[bytes], bool],
    until_s: float | None = None,
) -> None:
    """Read until it is enough, or too late."""
    until_s = time.monotonic() + PEEK_S if until_s is None else until_s
    while not enough(bytes(seen)) and (left_s := until_s - time.monotonic()) > 0:
        connection.settimeout(left_s)
        received = connection.recv(stranger.MOST_BYTES)
        if not received:
            raise ConnectionResetError
        seen += received


def _connected(endpoint: Endpoint, timeout_s: float = PEEK_S) -> socket.socket:
    if isinstance(endpoint, IpcEndpoint):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(timeout_s)
        try:
            connection.connect(endpoint.path)
        except OSError:
            connection.close()
            raise
        return connection
    return socket.create_connection((endpoint.host, endpoint.port), timeout_s)
