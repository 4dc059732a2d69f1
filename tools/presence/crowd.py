"""Many clients that only send HEARTBEATs, over one connection each, in one process. Linux only.

A Dendrite costs its own process more than its Synapse: thousands of them on one machine would be
late, and the Synapse would have less to do than it seems. These pack each message once.
"""

from __future__ import annotations

import select
import socket as network
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection as Pipe

from zmq_transport.kernel import encode_message
from zmq_transport.proxy.descriptor_limit import raise_descriptor_limit
from zmq_transport.wire import heads
from zmq_transport.wire.heads import Verb
from zmq_transport.zmtp.connection import CLIENT, Connection

from .messages import Client

_SLOTS = 100
"""At how many moments of an interval some of them send."""
_MAX_BYTES = 1 << 20
_READ_BYTES = 65_536
_AT_ONCE = 100
_STARTS_S = 25.0
_MOST_EVENTS = 65_536
_MAX_LAG_MS = 4


class Line:
    """The connection of one client.

    Args:
        client: Its messages.
        address: Of the Synapse: host and port.

    Attributes:
        is_seated: True once its REGISTER was acknowledged.
    """

    def __init__(self, client: Client, address: tuple[str, int]) -> None:
        self._client = client
        self._socket = network.create_connection(address)
        self._socket.setblocking(False)
        self._zmtp = Connection(CLIENT, _MAX_BYTES)
        self._socket.send(CLIENT.opening)
        self._has_greeted = self.is_seated = False
        self.descriptor = self._socket.fileno()
        self._heartbeat = b""

    def receive(self) -> None:
        """Read what came, and answer it."""
        data = self._socket.recv(_READ_BYTES)
        if not data:
            raise ConnectionError("the Synapse has closed a connection")
        messages = self._zmtp.receive(data)
        if self._zmtp.answers:
            self._socket.send(self._zmtp.take_answers())
        if self._zmtp.was_open and not self._has_greeted:
            self._has_greeted = True
            for message in (self._client.hello(), self._client.register()):
                self._socket.send(encode_message(*message))
            lag_ms = self._client.number % (_MAX_LAG_MS + 1)
            self._heartbeat = encode_message(*self._client.heartbeat(lag_ms))
        self.is_seated |= any(_is_of(message, Verb.REGISTER) for message in messages)

    def beat(self) -> None:
        """Send a HEARTBEAT."""
        self._socket.send(self._heartbeat)


def _is_of(message: tuple[bytes, ...], verb: Verb) -> bool:
    head, *_ = message
    fields = heads.fields_of(head) if head else None
    return fields is not None and fields.verb == verb


def beat(pipe: Pipe, host: str, port: int, first: int, count: int, every_s: float) -> None:
    """Be `count` clients that send a HEARTBEAT every `every_s` seconds each, spread evenly.

    Once all have a seat, the parent may ask how many HEARTBEATs were sent and how late the latest
    of them was in seconds, since it asked last. It ends this by asking for nothing.
    """
    raise_descriptor_limit()
    pipe.send(None)
    lines: list[Line] = []
    poll, by_descriptor = select.epoll(), dict[int, Line]()
    while len(lines) < count:
        for _ in range(min(_AT_ONCE, count - len(lines))):
            line = Line(Client(first + len(lines)), (host, port))
            lines.append(line)
            by_descriptor[line.descriptor] = line
            poll.register(line.descriptor, select.EPOLLIN)
        _seat(poll, by_descriptor, lines[-_AT_ONCE:])
    _beat_on(pipe, poll, by_descriptor, lines, every_s / _SLOTS)


def _seat(poll: select.epoll, by_descriptor: dict[int, Line], lines: Sequence[Line]) -> None:
    end_s = time.monotonic() + _STARTS_S
    while not all(line.is_seated for line in lines):
        if time.monotonic() > end_s:
            raise TimeoutError(f"no seat for each client within {_STARTS_S:g} s")
        _read(poll, by_descriptor, 1.0)


def _read(poll: select.epoll, by_descriptor: dict[int, Line], wait_s: float) -> None:
    for descriptor, _ in poll.poll(max(0.0, wait_s), _MOST_EVENTS):
        by_descriptor[descriptor].receive()


def _beat_on(
    pipe: Pipe,
    poll: select.epoll,
    by_descriptor: dict[int, Line],
    lines: Sequence[Line],
    slot_s: float,
) -> None:
    sent, latest_s, slot = 0, 0.0, 0
    due_s = time.monotonic()
    while True:
        latest_s = max(latest_s, time.monotonic() - due_s)
        some = lines[slot % _SLOTS :: _SLOTS]
        for line in some:
            line.beat()
        sent += len(some)
        slot, due_s = slot + 1, due_s + slot_s
        if pipe.poll():
            if pipe.recv() is None:
                return
            pipe.send((sent, latest_s))
            sent, latest_s = 0, 0.0
        _read(poll, by_descriptor, 0.0)  # also when it is late: libzmq cuts who answers no PING
        while (left_s := due_s - time.monotonic()) > 0:
            _read(poll, by_descriptor, left_s)
