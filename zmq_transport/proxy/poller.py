"""Wait for descriptors and for several ZeroMQ sockets in one call.

`zmq_poll` asks each socket at least twice before it sleeps and once after; with three sockets that
is a dozen system calls a message. One call on the descriptors is enough, but those of ZeroMQ are
edge-triggered and shared by both directions: a send may consume the edge of an arrival. Hence
`touch`.
"""

from __future__ import annotations

import selectors
from collections.abc import Callable
from typing import Any

import zmq

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE
_get: Callable[[zmq.Socket[bytes], int], Any] = zmq.backend.Socket.get
_EVENTS = int(zmq.EVENTS)
_POLLIN = int(zmq.POLLIN)

OnReady = Callable[[float, int, bool], None]
"""(monotonic clock, `READ` or `WRITE` or both, whether nothing else is ready)"""


def readable(socket: zmq.Socket[bytes]) -> bool:
    """Return whether a message can be received now."""
    return bool(_get(socket, _EVENTS) & _POLLIN)


class Poller:
    """Returns who has something to do; close it before the sockets."""

    def __init__(self) -> None:
        self._sockets: dict[zmq.Socket[bytes], OnReady] = {}
        self._touched: set[zmq.Socket[bytes]] = set()
        self._selector = selectors.DefaultSelector()

    def watch_socket(self, socket: zmq.Socket[bytes], on_ready: OnReady) -> None:
        """Watch a ZeroMQ socket for messages."""
        self._sockets[socket] = on_ready
        self._touched.add(socket)
        self._selector.register(int(socket.get(zmq.FD)), READ, on_ready)

    def watch(self, descriptor: int, on_ready: OnReady, events: int = READ) -> None:
        """Watch a descriptor, as long as it is ready for any of `events`."""
        self._selector.register(descriptor, events, on_ready)

    def change(self, descriptor: int, on_ready: OnReady, events: int) -> None:
        """Watch a descriptor for other events."""
        self._selector.modify(descriptor, events, on_ready)

    def forget(self, descriptor: int) -> None:
        """Watch a descriptor no more; call it before the descriptor is closed."""
        self._selector.unregister(descriptor)

    def touch(self, socket: zmq.Socket[bytes]) -> None:
        """Check a ZeroMQ socket before the next wait: it was sent on, or has messages left."""
        self._touched.add(socket)

    def touch_all(self) -> None:
        """Check every ZeroMQ socket before the next wait."""
        self._touched.update(self._sockets)

    def wait(self, timeout_s: float) -> list[tuple[OnReady, int]]:
        """Return who may have something to do, and what, after at most `timeout_s` seconds."""
        if not self._touched:
            ready = self._selector.select(max(0.0, timeout_s))
            return [(key.data, events) for key, events in ready]
        found = {self._sockets[each]: READ for each in self._touched if readable(each)}
        self._touched.clear()
        for key, events in self._selector.select(0 if found else max(0.0, timeout_s)):
            found[key.data] = events
        return list(found.items())

    def close(self) -> None:
        """Release the descriptors; the sockets stay open."""
        self._selector.close()
