"""Receive and send whole messages, fast and never blocking. The only place that loops over frames.

`zmq.backend.Socket` is used directly: its `recv` and `send` cost a third of `recv_multipart`.
"""

from __future__ import annotations

from typing import Any

import zmq

from .sent import Sent

_recv = zmq.backend.Socket.recv
_send = zmq.backend.Socket.send
_NOBLOCK = int(zmq.NOBLOCK)
_MORE = int(zmq.NOBLOCK) | int(zmq.SNDMORE)
_COPY_BELOW = 64 * 1024
MAX_FRAMES = 8
# As plain names: an attribute of an enum class costs a lookup in its metaclass.
_OK = Sent.OK


def receive(socket: zmq.Socket[bytes]) -> list[Any] | None:
    """Return the frames of the next message, or None without one.

    All but the last are bytes, the last is a `zmq.Frame`, so that a large body is never copied.
    Of a message with more than 8 frames only the first 8 and the last are returned.
    """
    try:
        frame: Any = _recv(socket, _NOBLOCK, False)
    except zmq.Again:
        return None
    frames: list[Any] = []
    while frame.more:
        if len(frames) < MAX_FRAMES:
            frames.append(frame.bytes)
        frame = _recv(socket, _NOBLOCK, False)
    frames.append(frame)
    return frames


def send(socket: zmq.Socket[bytes], *message: Any) -> Sent:
    """Send a message or nothing at all.

    Returns:
        `BUSY` when the queue is full (or, on a DEALER, without a connection), `UNREACHABLE` when a
        ROUTER has no such connection.
    """
    try:
        for frame in message[:-1]:
            _send(socket, frame, _MORE, True)
        last = message[-1]
        _send(socket, last, _NOBLOCK, len(last) < _COPY_BELOW)
    except zmq.Again:
        return Sent.BUSY
    except zmq.ZMQError as error:
        if error.errno == zmq.EHOSTUNREACH:
            return Sent.UNREACHABLE
        raise
    return _OK
