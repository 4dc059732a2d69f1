"""Wait for descriptors and for several ZeroMQ sockets in one call.

`zmq_poll` asks each socket at least twice before it sleeps and once after; with three sockets that
is a dozen system calls a message. One call on the descriptors is enough, but those of ZeroMQ are
edge-triggered and shared by both directions: a send may consume the edge of an arrival. Hence
`touch`.

Where there is epoll it is called without the module `selectors`, whose objects cost a twentieth of
the CPU of a proxy that passes one message at a time.
"""

from __future__ import annotations

import select
import selectors
from collections.abc import Callable
from typing import Any, Final, Protocol

import zmq

READ: Final = 0x19
"""There is something to read, an error or an end: EPOLLIN, EPOLLERR and EPOLLHUP."""
WRITE: Final = 0x4
"""There is room to write: EPOLLOUT."""
_MOST = 256
_get: Callable[[zmq.Socket[bytes], int], Any] = zmq.backend.Socket.get
_EVENTS = int(zmq.EVENTS)
_POLLIN = int(zmq.POLLIN)

OnReady = Callable[[float, int, bool], None]
"""(monotonic clock, bits of `READ` and `WRITE`, whether nothing else is ready)"""


def readable(socket: zmq.Socket[bytes]) -> bool:
    """Return whether a message can be received now."""
    return bool(_get(socket, _EVENTS) & _POLLIN)


class DescriptorPoll(Protocol):
    """What is needed of `select.epoll`."""

    def register(self, descriptor: int, events: int, /) -> None:
        """Watch a descriptor."""

    def modify(self, descriptor: int, events: int, /) -> None:
        """Watch it for other events."""

    def unregister(self, descriptor: int, /) -> None:
        """Watch it no more."""

    def poll(self, timeout_s: float, most: int, /) -> list[tuple[int, int]]:
        """Return who is ready and for what, after at most `timeout_s` seconds."""

    def close(self) -> None:
        """Release it."""


class PortablePoll:
    """The same from `selectors`, where there is no epoll."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self.close = self._selector.close
        self._first: list[int] = []

    def register(self, descriptor: int, events: int, /) -> None:
        """See `DescriptorPoll`."""
        self._selector.register(descriptor, _selected(events))

    def modify(self, descriptor: int, events: int, /) -> None:
        """See `DescriptorPoll`."""
        self._selector.modify(descriptor, _selected(events))

    def unregister(self, descriptor: int, /) -> None:
        """See `DescriptorPoll`."""
        self._selector.unregister(descriptor)

    def poll(self, timeout_s: float, most: int, /) -> list[tuple[int, int]]:
        """See `DescriptorPoll`."""
        # kqueue tells of reading and of writing one by one. Each descriptor is told of once: what
        # follows from its first event may close it.
        found: dict[int, int] = {}
        for key, events in self._selector.select(timeout_s):
            ready = READ * bool(events & selectors.EVENT_READ) | WRITE * (events >> 1)
            found[key.fd] = found.get(key.fd, 0) | ready
        return list(found.items())


def _selected(events: int) -> int:
    reads, writes = bool(events & READ), bool(events & WRITE)
    return selectors.EVENT_READ * reads | selectors.EVENT_WRITE * writes


def _best_poll() -> DescriptorPoll:
    return select.epoll() if hasattr(select, "epoll") else PortablePoll()


class Poller:
    """Returns who has something to do; close it before the sockets.

    Args:
        poll: What waits for descriptors; by default the best of this system.
    """

    def __init__(self, poll: DescriptorPoll | None = None) -> None:
        self._descriptors = _best_poll() if poll is None else poll
        self._poll = self._descriptors.poll
        self._handlers: dict[int, OnReady] = {}
        self._sockets: dict[zmq.Socket[bytes], int] = {}
        self._touched: set[zmq.Socket[bytes]] = set()

    def watch_socket(self, socket: zmq.Socket[bytes], on_ready: OnReady) -> None:
        """Watch a ZeroMQ socket for messages."""
        descriptor = int(socket.get(zmq.FD))
        self._sockets[socket] = descriptor
        self._touched.add(socket)
        self.watch(descriptor, on_ready)

    def watch(self, descriptor: int, on_ready: OnReady) -> None:
        """Watch a descriptor, and call as long as it can be read."""
        self._handlers[descriptor] = on_ready
        self._descriptors.register(descriptor, READ)

    def change(self, descriptor: int, events: int) -> None:
        """Watch a descriptor for other events."""
        self._descriptors.modify(descriptor, events)

    def forget(self, descriptor: int) -> None:
        """Watch a descriptor no more; call it before the descriptor is closed."""
        self._descriptors.unregister(descriptor)
        del self._handlers[descriptor]

    def touch(self, socket: zmq.Socket[bytes]) -> None:
        """Check a ZeroMQ socket before the next wait: it was sent on, or has messages left."""
        self._touched.add(socket)

    def touch_all(self) -> None:
        """Check every ZeroMQ socket before the next wait."""
        self._touched.update(self._sockets)

    def wait(self, timeout_s: float) -> list[tuple[OnReady, int]]:
        """Return who may have something to do, and what, after at most `timeout_s` seconds."""
        handlers = self._handlers
        if not self._touched:
            ready = self._poll(max(0.0, timeout_s), _MOST)
            return [(handlers[descriptor], events) for descriptor, events in ready]
        found = {self._sockets[each]: READ for each in self._touched if readable(each)}
        self._touched.clear()
        found.update(self._poll(0 if found else max(0.0, timeout_s), _MOST))
        return [(handlers[descriptor], events) for descriptor, events in found.items()]

    def close(self) -> None:
        """Release the descriptors; the sockets stay open."""
        self._descriptors.close()
