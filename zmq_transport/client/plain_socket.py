"""The plain sockets of a client: connect without waiting, and let the system watch the far end.

Spec: docs/spec/06-sockets.md, Plain sockets. What is not everywhere stands behind a check.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from struct import Struct
from typing import Final

from ..sockets import plain
from ..sockets.endpoints import Endpoint, IpcEndpoint

SILENT_ERRORS: Final = frozenset({errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH})
"""How the system ends a connection whose far end does not answer."""
_AT_ONCE = Struct("ii").pack(1, 0)
"""`struct linger`: on, for 0 s."""
USER_TIMEOUT_MS: Final = 3000
"""What was sent is acknowledged by the host of the far end in this time, or the connection ends."""


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


def reset_at_close(made: socket.socket) -> None:
    """Let the close of a TCP connection drop what was not acknowledged, and tell so."""
    if made.family != socket.AF_UNIX:
        with contextlib.suppress(OSError):  # it is reset already
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)


def tune(made: socket.socket) -> bool:
    """Set the options of a connection.

    Returns:
        True if the system ends it within 4 s when the host of the far end is gone.
    """
    if made.family == socket.AF_UNIX:
        return True
    plain.tune(made)
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is None:
        return False
    # Where something is on its way, probes are not sent, and retries would go on for minutes.
    made.setsockopt(socket.IPPROTO_TCP, option, USER_TIMEOUT_MS)
    return True
