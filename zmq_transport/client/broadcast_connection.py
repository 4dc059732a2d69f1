"""Keep a broadcast socket of a client connected, also where ZeroMQ gives up.

Spec: docs/spec/06-sockets.md, Connecting. ZeroMQ reconnects by itself, and keeps what waits in the
socket. It gives up for good when another kind of socket answers, or one that refuses our key; then,
and only then, the socket is disconnected and connected anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import zmq

from ..errors import AccessFault
from ..loggers import logger_of
from ..sockets import options
from ..sockets.endpoints import Endpoint
from . import connection_monitor as seen
from .connection_monitor import ConnectionMonitor
from .curve import Curve
from .diagnosis import Diagnosis, FailedAttempts, Fault
from .refusals import Answer, refused, refused_s
from .stranger_report import StrangerReport

_LOG = logger_of(__name__)
RETRY_S = 0.4
"""ZeroMQ reports the next attempt at once. Without that report for so long, it gave up."""
_HANDSHAKE_S = options.HANDSHAKE_MS / 1000 + 1.0
_LOOK_AFTER_S = 1.0
_ALONE_COUNT = 3
_NO_ANSWER_S = 0.9 * options.CONNECT_MS / 1000


class BroadcastConnection:
    """The connection of one SUB or XPUB.

    Args:
        socket: The socket, not yet connected.
        expected: The type of the socket at the far end.
        poll_soon: Looks at the socket; connecting may consume the edge of its descriptor.
        on_lost: Is called when a connection has ended.
        on_refused: Is called when the far end refuses this client for its key.
        curve: The keys, if there are any.
    """

    def __init__(
        self,
        socket: zmq.Socket[bytes],
        expected: str,
        poll_soon: Callable[[], None],
        on_lost: Callable[[], None],
        on_refused: Callable[[AccessFault], None],
        curve: Curve | None = None,
    ) -> None:
        self._socket = socket
        self._poll_soon = poll_soon
        self._on_lost = on_lost
        self._on_refused = on_refused
        self._curve = curve
        self._proxy = b""
        self._is_unlisted = False
        self._refused_count = 0
        self._loop = asyncio.get_running_loop()
        self._monitor = ConnectionMonitor(socket, self._on_event)
        self._record = FailedAttempts()
        self._strangers = StrangerReport(self._record, expected, curve is not None, self._on_answer)
        self._timer: asyncio.TimerHandle | None = None
        self._begun_s = 0.0
        self._is_connected = False
        self.address: Endpoint | None = None
        self.is_established = False

    def connect(self, address: Endpoint) -> bool:
        """Connect to `address` and to no other; False if that is so already."""
        proxy = b"" if self._curve is None else self._curve.proxy
        if address == self.address and proxy == self._proxy:
            return False
        self._disconnect()
        self.address = address
        self._proxy = proxy
        self._connect()
        return True

    def rest(self) -> None:
        """Have no connection until the next `connect`: the far end refuses this client."""
        was_established = self.is_established
        self._disconnect()
        self._refused_count = 0
        self.address = None
        if was_established:
            self._on_lost()

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
        self._is_unlisted = False
        if self._curve is not None:
            options.show_key(self._socket, self._curve.pair, self._proxy)
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
            self._refused_count = 0
        elif event == seen.UNLISTED:
            self._is_unlisted = True
        elif event == seen.DISCONNECTED:
            self._on_disconnected()
        elif event == seen.RETRIED:
            self._disarm()
            self._on_retried()

    def _on_disconnected(self) -> None:
        was_established = self.is_established
        self.is_established = self._is_connected = False
        self._on_lost()
        if self.address is None:
            return
        self._arm(RETRY_S * (1.0 + options.dice.random()), self._connect_anew)
        if self._is_unlisted:
            self._record.add(self.address, Fault.STRANGER)
            self._rest_for(AccessFault.UNLISTED)
        elif not was_established:
            self._on_stranger()

    def _on_answer(self, _: Endpoint, answer: Answer) -> None:
        if answer.fault is not None and not self.is_established and self.address is not None:
            self._rest_for(answer.fault)

    def _rest_for(self, fault: AccessFault) -> None:
        """Connect again later, and not as often as ZeroMQ would."""
        self._disconnect()
        self._refused_count += 1
        length_s = refused_s(fault, self._refused_count)
        self._arm(length_s * (0.5 + options.dice.random()), self._connect_anew)
        # Mostly the directed socket is refused, too, and its client tells that and lets this rest.
        if self._refused_count == _ALONE_COUNT:
            _LOG.warning("broadcasts: %s; it is tried again", refused(str(self.address), fault))
        self._on_refused(fault)

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
        if self.address is not None:
            self._connect()

    def _arm(self, after_s: float, then: Callable[[], None]) -> None:
        self._disarm()
        self._timer = self._loop.call_later(after_s, then)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
