"""Wait for several ZeroMQ sockets by their descriptors.

`zmq_poll` asks each socket at least twice before it sleeps and once after; with three sockets that
is a dozen system calls a message. One call on the descriptors is enough, but these are
edge-triggered and shared by both directions: a send may consume the edge of an arrival. Hence
`touch`.
"""

from __future__ import annotations

import selectors
from collections.abc import Callable, Iterable
from typing import Any

import zmq

_get: Callable[[zmq.Socket[bytes], int], Any] = zmq.backend.Socket.get
_EVENTS = int(zmq.EVENTS)
_POLLIN = int(zmq.POLLIN)


def readable(socket: zmq.Socket[bytes]) -> bool:
    """Return whether a message can be received now."""
    return bool(_get(socket, _EVENTS) & _POLLIN)


class Poller:
    """Returns the sockets that may have a message.

    Args:
        sockets: The sockets; close the poller before them.
    """

    def __init__(self, sockets: Iterable[zmq.Socket[bytes]]) -> None:
        self._sockets = list(sockets)
        self._touched: set[zmq.Socket[bytes]] = set(self._sockets)
        self._selector = selectors.DefaultSelector()
        for socket in self._sockets:
            self._selector.register(int(socket.get(zmq.FD)), selectors.EVENT_READ, socket)

    def touch(self, socket: zmq.Socket[bytes]) -> None:
        """Check a socket before the next wait: it was sent on, or has messages left."""
        self._touched.add(socket)

    def touch_all(self) -> None:
        """Check every socket before the next wait."""
        self._touched.update(self._sockets)

    def wait(self, timeout_s: float) -> list[zmq.Socket[bytes]]:
        """Return the sockets that may have a message, after at most `timeout_s` seconds."""
        ready: list[zmq.Socket[bytes]] = []
        if self._touched:
            ready = [socket for socket in self._touched if readable(socket)]
            self._touched.clear()
        for key, _ in self._selector.select(0 if ready else max(0.0, timeout_s)):
            if key.data not in ready:
                ready.append(key.data)
        return ready

    def close(self) -> None:
        """Release the descriptors; the sockets stay open."""
        self._selector.close()
