"""The connection of a proxy to one other proxy: over it go the reports.

Spec: docs/spec/12-failover.md, "Reports"; docs/spec/11-access.md of the keys. It connects to each
address of the name in turn, and finds out why one fails.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from struct import Struct
from typing import Any, Final, Protocol

import attrs
import zmq

from ..access.curve_keys import KeyPair
from ..sockets import multipart, options
from ..sockets.endpoints import TcpEndpoint
from ..sockets.lookup import is_address, lookup
from .poller import Poller, readable
from .port_probe import PortProbe

CONNECT_S: Final = 1.0
HANDSHAKE_S: Final = 1.0
SOON_S: Final = 0.05
"""The first pause after a round of addresses that brought nothing; each is twice as long."""
MOST_S: Final = 0.8
LATER_S: Final = 0.2
"""The same once nobody listens there."""
_EVENT = Struct("=HI")
_OPEN = int(zmq.EVENT_HANDSHAKE_SUCCEEDED)
_ENDED = int(zmq.EVENT_DISCONNECTED)
_RETRIED = int(zmq.EVENT_CONNECT_RETRIED)
_FAILS_S: Final = CONNECT_S + HANDSHAKE_S + 0.5
_BATCH: Final = 16


@attrs.frozen
class ReportKeys:
    """What a proxy with keys shows to others, and expects of them.

    Args:
        pair: Its own keys.
        expected: Returns the public keys of the other proxies, 32 bytes each.
    """

    pair: KeyPair
    expected: Callable[[], list[bytes]]


class ReportEvents(Protocol):
    """Who is told what happens."""

    def on_answer(self, place: int, head: bytes, body: bytes, now_s: float) -> None:
        """Handle a message of the other proxy."""

    def on_closed(self, place: int, now_s: float) -> None:
        """Handle that nobody listens at any address of the other proxy."""

    def on_not_closed(self, place: int, now_s: float) -> None:
        """Handle that an attempt to connect was not refused, and failed."""

    def on_open(self, place: int, now_s: float) -> None:
        """Handle that the connection stands: report now."""


class ReportLink:
    """A DEALER to one other proxy.

    Args:
        place: Its number.
        endpoint: Where it is.
        poller: Says when to read.
        events: Is told what happens.
        keys: The keys; None without.
    """

    def __init__(
        self,
        place: int,
        endpoint: TcpEndpoint,
        poller: Poller,
        events: ReportEvents,
        keys: ReportKeys | None,
    ) -> None:
        self._place = place
        self._endpoint = endpoint
        self._poller = poller
        self._events = events
        self._keys = keys
        self._socket = options.reporter()
        self._monitor = options.watched(self._socket, _OPEN | _ENDED | _RETRIED)
        self._probe = PortProbe(poller, self._on_probed)
        self._lookup: threading.Thread | None = None
        self._found: list[str] = [endpoint.host] if is_address(endpoint.host) else []
        self._left: list[TcpEndpoint] = []
        self._address: TcpEndpoint | None = None
        self._all_refused = False
        self._key_at = 0
        self._is_open = False
        self._dials_at_s = self._fails_at_s = 0.0
        self._retries = False
        self._pause_s = SOON_S
        poller.watch_socket(self._socket, self._receive)
        poller.watch_socket(self._monitor, self._follow)

    def descriptors(self) -> list[int]:
        """Return what becomes ready when there is something to do, to wait for it alone."""
        own = [int(each.get(zmq.FD)) for each in (self._socket, self._monitor)]
        return own if self._probe.descriptor is None else [*own, self._probe.descriptor]

    def send(self, head: bytes, body: bytes) -> None:
        """Send a report, if the connection stands; one that has no room is not sent."""
        if self._is_open:
            multipart.send(self._socket, head, body)
            self._poller.touch(self._socket)

    def tick(self, now_s: float) -> None:
        """Begin a round when it is time; call it every 50 ms."""
        self._probe.tick(now_s)
        self.read(now_s)  # an edge of a socket may have been swallowed with that of another
        if self._address is not None and not self._is_open and now_s >= self._fails_at_s:
            self._on_down(self._address, now_s)
        if self._address is None and not self._probe.is_on and now_s >= self._dials_at_s:
            self._begin_round(now_s)

    def read(self, now_s: float) -> None:
        """Handle all that has come."""
        if readable(self._monitor):
            self._follow(now_s, 0, False)
        if readable(self._socket):
            self._receive(now_s, 0, False)
        self._probe.look(now_s)

    def close(self) -> None:
        """Close its sockets; call it after the poller is closed."""
        self._socket.disable_monitor()
        self._monitor.close()
        self._socket.close()

    def end_probe(self) -> None:
        """End a probe that is under way; call it before the poller is closed."""
        self._probe.close()

    # -- rounds ----------------------------------------------------------------------------------

    def _begin_round(self, now_s: float) -> None:
        self._look_up()
        self._left = [TcpEndpoint(each, self._endpoint.port) for each in self._found]
        self._all_refused = bool(self._left)
        self._next(now_s)

    def _look_up(self) -> None:
        """Look up the name again, in a thread: a name server may take long."""
        if is_address(self._endpoint.host):
            return
        if self._lookup is None or not self._lookup.is_alive():
            self._lookup = threading.Thread(
                target=self._find, name=f"lookup of {self._endpoint.host}", daemon=True
            )
            self._lookup.start()

    def _find(self) -> None:
        # Without an answer the last one stays good: a name server may be away for a while.
        self._found = lookup(self._endpoint.host, self._endpoint.port) or self._found

    def _next(self, now_s: float) -> None:
        """Dial the next address of the round, or end it."""
        if self._left:
            self._dial(self._left.pop(0), now_s)
            return
        self._dials_at_s = now_s + (LATER_S if self._all_refused else self._pause_s)
        self._pause_s = min(2 * self._pause_s, MOST_S)
        if self._all_refused:
            self._events.on_closed(self._place, now_s)

    def _dial(self, address: TcpEndpoint, now_s: float) -> None:
        if self._keys is not None:
            expected = self._keys.expected()
            if not expected:  # nobody is allowed to report: there is nobody to call
                self._all_refused = False
                self._left.clear()
                return
            self._key_at %= len(expected)
            options.show_key(self._socket, self._keys.pair, expected[self._key_at])
        self._address, self._fails_at_s = address, now_s + _FAILS_S
        options.dial(self._socket, str(address), CONNECT_S, HANDSHAKE_S)
        self._poller.touch(self._socket)
        self._poller.touch(self._monitor)

    def _follow(self, now_s: float, events: int, alone: bool) -> None:
        """Handle what the monitor tells."""
        while (message := multipart.receive(self._monitor)) is not None:
            event, _ = _EVENT.unpack_from(message[0])
            if event == _OPEN:
                self._is_open, self._pause_s = True, SOON_S
                self._events.on_open(self._place, now_s)
            elif event == _RETRIED and self._retries:
                self._retries = False
            elif self._address is not None:
                # libzmq tells of its own next attempt as well, which is hours away.
                self._retries = event == _ENDED
                self._on_down(self._address, now_s)

    def _on_down(self, address: TcpEndpoint, now_s: float) -> None:
        if self._is_open:
            # It was the right one: whether the others refuse is to be found out anew.
            self._left = [TcpEndpoint(each, address.port) for each in self._found]
            self._left = [each for each in self._left if each != address]
            self._all_refused = True
        else:
            self._key_at += 1
        self._is_open = False
        # ZeroMQ makes no second connection to an endpoint that it still holds, even a dead one.
        options.disconnect(self._socket, str(address))
        self._address = None
        self._probe.begin(address, now_s)

    def _on_probed(self, is_refused: bool, now_s: float) -> None:
        self._all_refused &= is_refused
        if not is_refused:
            self._events.on_not_closed(self._place, now_s)
        self._next(now_s)

    def _receive(self, now_s: float, events: int, alone: bool) -> None:
        """Hand over a bounded number of messages."""
        for _ in range(_BATCH):
            message: list[Any] | None = multipart.receive(self._socket)
            if message is None:
                return
            if len(message) == 2:
                self._events.on_answer(self._place, message[0], message[1].bytes, now_s)
        self._poller.touch(self._socket)
