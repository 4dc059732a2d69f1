"""Ask why a connection to another proxy does not stand: does its port refuse connections?

Spec: docs/spec/12-failover.md, "Reports". libzmq tells that an attempt failed, and not why. A port
that refuses proves that its process has ended; silence proves nothing.
"""

from __future__ import annotations

import errno
import select
import socket as network
from collections.abc import Callable
from typing import Final

from ..sockets.endpoints import TcpEndpoint
from .poller import READ, WRITE, Poller

PROBE_S: Final = 0.5
"""How long a probe waits: who has not refused by then does not refuse."""


class PortProbe:
    """One attempt at a time to connect to an address, for its outcome alone.

    Args:
        poller: Says when it is over.
        on_over: Gets the outcome: True if nobody listens there.
    """

    def __init__(self, poller: Poller, on_over: Callable[[bool, float], None]) -> None:
        self._poller = poller
        self._on_over = on_over
        self._socket: network.socket | None = None
        self._until_s = 0.0

    @property
    def is_on(self) -> bool:
        """Whether one is under way."""
        return self._socket is not None

    @property
    def descriptor(self) -> int | None:
        """What becomes ready when one that is under way is over."""
        return None if self._socket is None else self._socket.fileno()

    def begin(self, address: TcpEndpoint, now_s: float) -> None:
        """Try an address.

        Args:
            address: An IP address, and no name.
            now_s: Monotonic clock.
        """
        self.close()
        family = network.AF_INET6 if ":" in address.host else network.AF_INET
        try:
            made = network.socket(family, network.SOCK_STREAM)
        except OSError:  # no descriptor is left
            self._on_over(False, now_s)
            return
        made.setblocking(False)
        try:
            failed = made.connect_ex((address.host, address.port))
        except OSError:  # no such address, as a zone that is gone
            failed = errno.EADDRNOTAVAIL
        if failed not in (0, errno.EINPROGRESS):
            made.close()
            self._on_over(failed == errno.ECONNREFUSED, now_s)
            return
        self._socket, self._until_s = made, now_s + PROBE_S
        self._poller.watch(made.fileno(), self._on_ready)
        self._poller.change(made.fileno(), READ | WRITE)

    def look(self, now_s: float) -> None:
        """Look whether one that is under way is over."""
        if self._socket is None:
            return
        watched = select.poll()  # `select.select` knows no descriptor above 1023
        watched.register(self._socket, select.POLLOUT)
        if watched.poll(0):
            self._on_ready(now_s, WRITE, False)

    def tick(self, now_s: float) -> None:
        """End one that takes too long."""
        if self._socket is not None and now_s >= self._until_s:
            self.close()
            self._on_over(False, now_s)

    def close(self) -> None:
        """End one that is under way, without an outcome. Idempotent."""
        if self._socket is not None:
            self._poller.forget(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _on_ready(self, now_s: float, events: int, alone: bool) -> None:
        made = self._socket
        if made is None:
            return
        failed = made.getsockopt(network.SOL_SOCKET, network.SO_ERROR)
        try:
            # TCP connects a socket to itself when the system chose the port of the far end for it.
            is_own = not failed and made.getsockname() == made.getpeername()
        except OSError:  # it is still under way: the event was one of the probe before
            return
        self.close()
        self._on_over(is_own or failed == errno.ECONNREFUSED, now_s)
