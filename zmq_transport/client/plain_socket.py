"""The plain sockets of a client: connect without waiting, and let the system watch the far end.

Spec: docs/spec/06-sockets.md, Plain sockets. What is not everywhere stands behind a check.
"""

from __future__ import annotations

import errno
import os
import socket
from typing import Final

from ..sockets.endpoints import Endpoint, IpcEndpoint

_KEEPALIVE: Final = (
    ("TCP_KEEPIDLE", 1),
    ("TCP_KEEPALIVE", 1),  # its name on macOS
    ("TCP_KEEPINTVL", 1),
    ("TCP_KEEPCNT", 3),
)
"""Seconds of silence, seconds between two probes, and how many without an answer end it."""
_USER_TIMEOUT: Final = "TCP_USER_TIMEOUT"
_USER_TIMEOUT_MS: Final = 3000


def connecting(address: Endpoint) -> socket.socket:
    """Return a socket that connects to an address; it is writable when the attempt is over.

    Args:
        address: A path, or an IP address and a port.

    Raises:
        OSError: It failed at once.
    """
    where: str | tuple[str, int]
    if isinstance(address, IpcEndpoint):
        family, where = socket.AF_UNIX, address.path
    else:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        where = (address.host, address.port)
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setblocking(False)
    error = made.connect_ex(where)
    if error not in (0, errno.EINPROGRESS):
        made.close()
        raise OSError(error, os.strerror(error))
    return made


def check_connected(made: socket.socket) -> None:
    """Check the outcome of an attempt.

    Raises:
        OSError: It failed, or the socket is connected to itself: nobody listens there.
    """
    error = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise OSError(error, os.strerror(error))
    # TCP connects a socket to itself when the system chose the port of the far end for it.
    if made.family != socket.AF_UNIX and made.getsockname() == made.getpeername():
        raise ConnectionRefusedError(errno.ECONNREFUSED, "connected to itself")


def tune(made: socket.socket) -> bool:
    """Set the options of a connection.

    Returns:
        True if the system ends it within 4 s when the host of the far end is gone.
    """
    if made.family == socket.AF_UNIX:
        return True
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        _set(made, name, value)
    # Where something is on its way, probes are not sent, and retries would go on for minutes.
    return _set(made, _USER_TIMEOUT, _USER_TIMEOUT_MS)


def _set(made: socket.socket, name: str, value: int) -> bool:
    option = getattr(socket, name, None)
    if option is None:
        return False
    made.setsockopt(socket.IPPROTO_TCP, option, value)
    return True
