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
        is_free: True while nothing waits and nothing is broken.
        is_broken: True once nothing can be written; its end is read, behind what came before it.
        has_written: True after each write of what had to wait; set it to False to see the next.
    """

    def __init__(self, made: socket.socket, on_room: Callable[[], None]) -> None:
        self._queue = SendQueue(SharedBytes(_UNSHARED), HIGH_WATER, MAX_WAITING_BYTES)
        self._loop = asyncio.get_running_loop()
        self._fd = made.fileno()
        self._send, self._sendmsg = made.send, made.sendmsg
        self._on_room = on_room
        self.is_free = True
        self.is_broken = self.has_written = False

    def has_room(self, size: int) -> bool:
        """Tell whether a message of `size` bytes may be written."""
        return self.is_free or not (self.is_broken or self._queue.refuses(size))

    def write(self, data: bytes) -> bool:
        """Write whole frames now; what the system does not take waits.

        Returns:
            False if the connection is broken.
        """
        if not self.is_free:
            if not self.is_broken:
                self._queue.add(data)
            return not self.is_broken
        try:
            sent = self._send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._break()
            return False
        if sent != len(data):
            self._queue.add(memoryview(data)[sent:] if sent else data)
            self._wait()
        return True

    def write_large(self, start: bytes, body: bytes) -> bool:
        """Write a message without a copy of its body; see `write`."""
        if self.is_broken:
            return False
        self._queue.add(start)
        self._queue.add(body)
        if self.is_free:
            self._write_first()
            if self._queue.bytes:
                self._wait()
        return not self.is_broken

    def close(self) -> None:
        """Write nothing any more; the socket stays open."""
        self._break()

    def _break(self) -> None:
        if not self.is_free and not self.is_broken:
            self._loop.remove_writer(self._fd)
        self.is_free = False
        self.is_broken = True
        self._queue.clear()

    def _wait(self) -> None:
        self.is_free = False
        self._loop.add_writer(self._fd, self._on_writable)

    def _on_writable(self) -> None:
        waited = self._queue.bytes
        self._write_first()
        # Room for the first bytes says nothing of the far end; that more was taken does.
        self.has_written |= self._queue.bytes < waited and not self.is_broken
        if not self._queue.bytes and not self.is_broken:
            self.is_free = True
            self._loop.remove_writer(self._fd)
            self._on_room()

    def _write_first(self) -> None:
        try:
            sent = self._sendmsg(self._queue.first())
        except BlockingIOError:
            return
        except OSError:
            self._break()
            return
        self._queue.drop(sent)
