"""A connection that libzmq holds, by its descriptor: what the kernel tells of it, and its end.

Spec: docs/spec/06-sockets.md, "One connection of libzmq". libzmq may close a descriptor at any
moment, and the system gives its number to another connection. So a line has the inode as well, and
whatever is done to a connection is done to a copy of the descriptor whose inode was compared.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket as network
import sys
import termios
from struct import Struct
from typing import Final

import attrs

HAS_TRAFFIC: Final = sys.platform == "linux"
"""Whether this system tells of the traffic of a connection."""
_TRAFFIC = Struct("=120xQQ")
"""Of `struct tcp_info` of Linux 4.1 and newer: bytes_acked, bytes_received."""
_UNSENT: Final = 0x894B
"""SIOCOUTQNSD of Linux."""

Line = tuple[int, int]
"""(descriptor, inode) of a connection."""


def line_of(descriptor: int) -> Line | None:
    """Return the line of a descriptor; None if it is closed."""
    try:
        return descriptor, os.fstat(descriptor).st_ino
    except OSError:
        return None


def queued_bytes(descriptor: int) -> int:
    """Return how many bytes the kernel holds that the far end did not take; 0 if unknown."""
    if sys.platform != "linux":
        return 0
    try:
        answer = fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4))
    except OSError:
        return 0
    return int.from_bytes(answer, sys.byteorder)


def unsent_bytes(descriptor: int) -> int:
    """Return how many of `queued_bytes` are not even on their way; 0 if unknown."""
    if sys.platform != "linux":
        return 0
    try:
        answer = fcntl.ioctl(descriptor, _UNSENT, bytes(4))
    except OSError:  # nothing is on its way to a Unix socket
        return queued_bytes(descriptor)
    return int.from_bytes(answer, sys.byteorder)


@attrs.frozen
class ConnectionBytes:
    """What a TCP connection has carried since its beginning.

    Args:
        acknowledged_bytes: Those that the far end has.
        received_bytes: Those that came, read by libzmq or not.
    """

    acknowledged_bytes: int
    received_bytes: int


class ConnectionView:
    """A look at one connection at a time, without a descriptor more for each. Close it at the end.

    While it looks at a connection, that cannot end: look elsewhere soon, or `rest`.
    """

    def __init__(self) -> None:
        # Made now: when no descriptor is left, those who hold too many are the ones to cut.
        self._seen = network.socket()
        self._nothing = os.dup(self._seen.fileno())

    def look_at(self, line: Line) -> bool:
        """Look at a connection; False if it has ended."""
        descriptor, inode = line
        try:
            os.dup2(descriptor, self._seen.fileno(), inheritable=False)
            return os.fstat(self._seen.fileno()).st_ino == inode
        except OSError:
            return False

    def traffic(self) -> ConnectionBytes | None:
        """Return what the connection has carried; None where the system does not tell."""
        if sys.platform != "linux":
            return None
        try:
            info = self._seen.getsockopt(network.IPPROTO_TCP, network.TCP_INFO, _TRAFFIC.size)
        except OSError:
            return None
        return ConnectionBytes(*_TRAFFIC.unpack(info)) if len(info) == _TRAFFIC.size else None

    def cut(self, line: Line) -> bool:
        """End a connection, as if the far end had left; False if it has ended already."""
        try:
            if not self.look_at(line):
                return False
            with contextlib.suppress(OSError):  # the far end was first
                self._seen.shutdown(network.SHUT_RDWR)
            return True
        finally:
            self.rest()

    def rest(self) -> None:
        """Look at no connection."""
        os.dup2(self._nothing, self._seen.fileno(), inheritable=False)

    def close(self) -> None:
        """Release its descriptors. Idempotent."""
        if self._nothing >= 0:
            self._seen.close()
            os.close(self._nothing)
            self._nothing = -1
