"""Keep a broadcast socket of a client connected, also where ZeroMQ gives up.

Spec: docs/spec/06-sockets.md, Connecting. ZeroMQ reconnects by itself, and keeps what waits in the
socket. It gives up for good when another kind of socket answers; then, and only then, the socket is
disconnected and connected anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import zmq

from ..sockets import options
from ..sockets.endpoints import Endpoint
from . import connection_monitor as seen
from .connection_monitor import ConnectionMonitor
from .diagnosis import Diagnosis, FailedAttempts, Fault
from .stranger_report import StrangerReport

RETRY_S = 0.4
"""ZeroMQ reports the next attempt at once. Without that report for so long, it gave up."""
_HANDSHAKE_S = options.HANDSHAKE_MS / 1000 + 1.0
_LOOK_AFTER_S = 1.0
_NO_ANSWER_S = 0.9 * options.CONNECT_MS / 1000


class BroadcastConnection:
    """The connection of one SUB or XPUB.

    Args:
        socket: The socket, not yet connected.
        expected: The type of the socket at the far end.
        poll_soon: Looks at the socket; connecting may consume the edge of its descriptor.
        on_lost: Is called when a connection has ended.
    """

    def __init__(
        self,
        socket: zmq.Socket[bytes],
        expected: str,
        poll_soon: Callable[[], None],
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._socket = socket
        self._poll_soon = poll_soon
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._monitor = ConnectionMonitor(socket, self._on_event)
        self._record = FailedAttempts()
        self._strangers = StrangerReport(self._record, expected)
        self._timer: asyncio.TimerHandle | None = None
        self._begun_s = 0.0
        self._is_connected = False
        self.address: Endpoint | None = None
        self.is_established = False

    def connect(self, address: Endpoint) -> bool:
        """Connect to `address` and to no other; False if that is so already."""
        if address == self.address:
            return False
        self._disconnect()
        self.address = address
        self._connect()
        return True

    def hurry(self) -> None:
        """Connect at once if there is no connection, and not after the pause of ZeroMQ.

        Only without messages that wait to be read: these would be lost.
        """
        is_on_its_way = self.is_established or self._is_connected
        if not is_on_its_way and not int(self._socket.get(zmq.EVENTS)) & zmq.POLLIN:
            self._connect_anew()

    def diagnosis(self) -> Diagnosis:
        """Return what was seen since the socket was last connected."""
        if self.address is not None and (self._is_connected or not self._record.faults):
            fault = Fault.STRANGER if self._is_connected else Fault.NO_ANSWER
            self._record.add(self.address, fault)
        return self._record.diagnosis()

    def close(self) -> None:
        """Stop; the socket stays open."""
        self._disarm()
        self._strangers.close()
        self._monitor.close()

    def _connect(self) -> None:
        self._begun_s = self._loop.time()
        options.connect(self._socket, str(self.address))
        self._poll_soon()

    def _disconnect(self) -> None:
        self._disarm()
        self.is_established = self._is_connected = False
        if self.address is not None:
            options.disconnect(self._socket, str(self.address))

    def _on_event(self, event: int) -> None:
        if event == seen.BEGUN:
            self._begun_s = self._loop.time()
        elif event == seen.CONNECTED:
            self._is_connected = True
            self._arm(_LOOK_AFTER_S, self._on_no_handshake)
        elif event == seen.ESTABLISHED:
            self._disarm()
            self.is_established = True
            self._record.clear()
            self._strangers.clear()
        elif event == seen.DISCONNECTED:
            self._on_disconnected()
        elif event == seen.RETRIED:
            self._disarm()
            self._on_retried()

    def _on_disconnected(self) -> None:
        if not self.is_established:
            self._on_stranger()
        self.is_established = self._is_connected = False
        self._on_lost()
        self._arm(RETRY_S * (1.0 + options.dice.random()), self._connect_anew)

    def _on_retried(self) -> None:
        took_s = self._loop.time() - self._begun_s
        if self.address is not None and Fault.STRANGER not in self._record.faults.values():
            self._record.add(
                self.address, Fault.NO_ANSWER if took_s >= _NO_ANSWER_S else Fault.CLOSED_PORT
            )

    def _on_stranger(self) -> None:
        if self.address is not None:
            self._record.add(self.address, Fault.STRANGER)
            self._strangers.look_at(self.address)

    def _on_no_handshake(self) -> None:
        self._on_stranger()
        self._arm(_HANDSHAKE_S - _LOOK_AFTER_S, self._connect_anew)

    def _connect_anew(self) -> None:
        self._disconnect()
        self._connect()

    def _arm(self, after_s: float, then: Callable[[], None]) -> None:
        self._disarm()
        self._timer = self._loop.call_later(after_s, then)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
