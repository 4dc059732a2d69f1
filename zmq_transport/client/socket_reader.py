"""Read a ZeroMQ socket from asyncio: one reader for the whole life of the socket.

Spec: docs/spec/06-sockets.md, Use 4. The descriptor of a ZeroMQ socket is edge-triggered and shared
by both directions: a send may consume the edge of an arrival. So call `poll_soon` after every send;
it looks once per turn of the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import zmq

from ..loggers import logger_of
from ..sockets import multipart

_LOG = logger_of(__name__)
_BATCH = 256
_get: Callable[[zmq.Socket[bytes], int], Any] = zmq.backend.Socket.get
_EVENTS = int(zmq.EVENTS)
_POLLIN = int(zmq.POLLIN)
_POLLOUT = int(zmq.POLLOUT)
_TICKS = 100
_SOON = 90


class SocketReader:
    """Hands every message of a socket to a callback, a bounded batch per turn of the loop.

    Args:
        socket: The socket to read.
        on_message: Receives the frames; the last one is a `zmq.Frame`.
        on_writable: Is called when the socket accepts messages again, after `wants_writable`.
    """

    def __init__(
        self,
        socket: zmq.Socket[bytes],
        on_message: Callable[[list[Any]], None],
        on_writable: Callable[[], None] | None = None,
    ) -> None:
        self._socket = socket
        self._on_message = on_message
        self._on_writable = on_writable
        self._loop = asyncio.get_running_loop()
        self._looking = False
        self._closed = False
        self._fd = int(socket.get(zmq.FD))
        self._received = 0
        self.wants_writable = False
        self._loop.add_reader(self._fd, self._drain)
        self.poll_soon()

    def poll_soon(self) -> None:
        """Check for messages at the next turn of the loop."""
        if not self._looking and not self._closed:
            self._looking = True
            self._loop.call_soon(self._drain)

    def read_now(self) -> None:
        """Hand over what has arrived so far."""
        self._drain()

    def close(self) -> None:
        """Stop reading; the socket stays open."""
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._fd)

    def _drain(self) -> None:
        self._looking = False
        if not self._closed and _get(self._socket, _EVENTS) & _POLLIN:
            self._read()
        if self.wants_writable and self._on_writable is not None and not self._closed:
            self._offer_room()

    def _read(self) -> None:
        for count in range(_BATCH):
            if self._closed:
                return
            if count == 1 and not _get(self._socket, _EVENTS) & _POLLIN:
                return  # mostly there is one; this check is cheaper than the exception without one
            if self._received % _TICKS > _SOON:
                self._handle_ended_connections()
            message = multipart.receive(self._socket)
            if message is None:
                self._received = 0
                break
            self._received += len(message)
            try:
                self._on_message(message)
            except Exception:  # noqa: BLE001  # the last door: one bad message must not end it
                _LOG.exception("a message could not be handled and is dropped")
        else:
            self.poll_soon()

    def _handle_ended_connections(self) -> None:
        """Make libzmq handle ended connections now, between two messages.

        Otherwise it does so at every 100th received frame, also inside a message. With IMMEDIATE
        it then aborts the process (`!_more`, src/fq.cpp of 4.3.5).
        """
        _get(self._socket, _EVENTS)

    def _offer_room(self) -> None:
        events = _get(self._socket, _EVENTS)
        if events & _POLLOUT and self._on_writable is not None:
            self.wants_writable = False
            self._on_writable()
        if events & _POLLIN:
            self.poll_soon()
