"""Write to a plain socket of an asyncio loop: now, or as soon as the system takes more.

Spec: docs/spec/06-sockets.md, Plain sockets. Hot: one call of the system a message, and no change
of what the loop watches unless the system takes less than it was given.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from ..zmtp.send_queue import SendQueue, SharedBytes

HIGH_WATER: Final = 10_000
"""Messages that may wait, as at a socket of libzmq; a large one counts twice."""
MAX_WAITING_BYTES: Final = 16 * 1024 * 1024
"""Bytes that may wait. A message of any size is taken when nothing else waits."""
_UNSHARED: Final = 2**62


class SocketWriter:
    """The sending half of one connection.

    Args:
        made: The socket, connected.
        on_room: Is called when nothing waits any more.

    Attributes:
        is_broken: True once nothing can be written; its end is read, behind what came before it.
        has_written: True after each write that waited; set it to False to see the next one.
    """

    def __init__(self, made: socket.socket, on_room: Callable[[], None]) -> None:
        self._queue = SendQueue(SharedBytes(_UNSHARED), HIGH_WATER, MAX_WAITING_BYTES)
        self._loop = asyncio.get_running_loop()
        self._fd = made.fileno()
        self._send, self._sendmsg = made.send, made.sendmsg
        self._on_room = on_room
        self.is_broken = self.has_written = False

    def has_room(self, size: int) -> bool:
        """Tell whether a message of `size` bytes may be written."""
        return not self._queue.bytes or not self._queue.refuses(size)

    def write(self, data: bytes) -> None:
        """Write whole frames now; what the system does not take waits."""
        if self._queue.bytes:
            self._queue.add(data)
            return
        try:
            sent = self._send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.is_broken = True
            return
        if sent < len(data):
            self._wait(memoryview(data)[sent:])

    def write_large(self, start: bytes, body: bytes) -> None:
        """Write a message without a copy of its body."""
        is_waiting = self._queue.bytes > 0
        self._queue.add(start)
        self._queue.add(body)
        if not is_waiting:
            self._write_first()
            if self._queue.bytes and not self.is_broken:
                self._loop.add_writer(self._fd, self._on_writable)

    def close(self) -> None:
        """Write nothing any more; the socket stays open."""
        self.is_broken = True
        if self._queue.bytes:
            self._queue.clear()
            self._loop.remove_writer(self._fd)

    def _wait(self, rest: memoryview) -> None:
        self._queue.add(rest)
        self._loop.add_writer(self._fd, self._on_writable)

    def _on_writable(self) -> None:
        self._write_first()
        if self.is_broken:
            self.close()
        elif not self._queue.bytes:
            self._loop.remove_writer(self._fd)
            self._on_room()

    def _write_first(self) -> None:
        try:
            sent = self._sendmsg(self._queue.first())
        except BlockingIOError:
            return
        except OSError:
            self.is_broken = True
            return
        self.has_written = True
        self._queue.drop(sent)
