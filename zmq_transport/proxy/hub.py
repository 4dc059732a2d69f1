"""A proxy without sockets of its own: the engine, and what is sent, gathered and told around it.

Spec: docs/spec/03-routing.md, docs/spec/05-broadcast.md. For carriers whose far ends are no ZeroMQ
sockets. It has no socket, no clock and no queue: the shell tells it what came and `now_s`, and does
what it asks of its `HubPort`.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Any, Final, Protocol

from ..access.origin import UNKNOWN, Origin
from ..sockets.sent import Sent
from ..wire import heads
from .counter_names import CUTS
from .engine import Engine
from .exchange import Exchange
from .subscriptions import FORWARD, IGNORE, SYNC

_RELEASES: Final = 256
"""Subscriptions of connections that ended which one turn takes back."""


class HubPort(Protocol):
    """What a hub needs from its shell.

    No call may block or raise. None may call the hub back, but for `cut`: it may `open` the next
    connection of that client.
    """

    def send(self, connection: bytes, head: bytes, body: Any) -> Sent:
        """Send a directed message, or nothing at all.

        Returns:
            OK, BUSY without room, UNREACHABLE if there is no such connection. After BUSY the shell
            says `Hub.on_writable` once there is room again.
        """

    def publish(self, topic: bytes, header: bytes, body: Any) -> None:
        """Send a broadcast message to all who listen to its topic."""

    def answer(self, connection: bytes, topic: bytes, header: bytes, body: bytes) -> None:
        """Send the answer to a sync to the one connection that asked, behind what was published."""

    def tell(self, joins: bool, topic: bytes) -> None:
        """Tell each publisher that joined that a topic has its first listener, or none any more.

        Those of other namespaces may be left out.
        """

    def tell_one(self, connection: bytes, joins: bool, topic: bytes) -> None:
        """Tell it to one that joins; topics of other namespaces may be left out."""

    def cut(self, connection: bytes, reason: str) -> None:
        """End a connection; the hub has closed and counted it. Its client makes a new one."""


class Hub:
    """The way of messages, subscriptions and publications through a proxy.

    What one turn of the shell causes goes out at its end: call `flush` after the last event of a
    turn. The line of an `Origin` is the connection.

    Args:
        engine: Decides.
        port: Carries out.
    """

    def __init__(self, engine: Engine, port: HubPort) -> None:
        self.engine = engine
        self._port = port
        self._now_s = engine.tables.now_s
        self._open: set[Hashable] = set()
        self._listening: dict[bytes, dict[bytes, None]] = {}
        self._exchange = Exchange(engine, self._clock)
        self._exchange.send = port.send
        self._exchange.cut = self._cut

    def _clock(self) -> float:
        return self._now_s

    # -- connections -----------------------------------------------------------------------------

    def opened(self, connection: bytes) -> None:
        """Begin to know a connection; what an earlier one of that name listened to has ended."""
        self.closed(connection)
        self._open.add(connection)
        self.engine.subscriptions.opened(connection)

    def closed(self, connection: bytes) -> None:
        """End the subscriptions of a connection; publishers are told, in steps. Idempotent.

        The engine is not told of the end: it notices it when a send fails, or by
        `on_unreachable`.
        """
        if connection in self._open:
            self._open.remove(connection)
            for topic in self.engine.subscriptions.topics_of(connection):
                self._remove_listener(connection, topic)
            self.engine.subscriptions.closed(connection)

    def on_unreachable(self, connection: bytes, now_s: float) -> None:
        """Handle that nobody is at the far end any more."""
        self._now_s = now_s
        self._exchange.on_end(connection, now_s)

    def on_writable(self, connection: bytes, now_s: float) -> None:
        """Send what was deferred for want of room, as far as there is room now."""
        self._now_s = now_s
        self._exchange.on_writable(connection, now_s)

    def _cut(self, line: Hashable, reason: str) -> None:
        """Cut a connection once; one that has ended meanwhile is none of ours."""
        if isinstance(line, bytes) and line in self._open:
            self.closed(line)
            self.engine.counts[CUTS[reason]] += 1
            self._port.cut(line, reason)

    # -- directed messages -----------------------------------------------------------------------

    def on_message(
        self, connection: bytes, head: bytes, body: Any, now_s: float, origin: Origin = UNKNOWN
    ) -> None:
        """Handle a directed message; an empty head and body are the probe of a new connection."""
        self._now_s = now_s
        self._exchange.on_message(connection, (head, body), now_s, False, origin)

    def tick(self, now_s: float) -> None:
        """Do the work that depends on time; call it every 100 ms, and `flush` after it."""
        self._now_s = now_s
        self._exchange.perform(self.engine.tick(now_s))

    def go_away(self) -> None:
        """Begin to drain: announce it to every client; see `Engine.go_away`."""
        self._exchange.perform(self.engine.go_away())

    def flush(self) -> None:
        """End a turn: send what was bundled, then publish what was gathered."""
        self._exchange.flush_all()
        self._publish()
        for topic in self.engine.subscriptions.release(_RELEASES):
            self._port.tell(False, topic)

    def _publish(self) -> None:
        for topic, header, body in self._exchange.batcher.take():
            self._port.publish(topic, header, body)

    # -- broadcast -------------------------------------------------------------------------------

    def listeners(self, topic: bytes) -> Collection[bytes]:
        """Return the connections that listen to a topic."""
        return self._listening.get(topic, {}).keys()

    def on_subscribe(self, connection: bytes, topic: bytes, origin: Origin) -> None:
        """Handle a subscription as the engine decides; the same one again changes nothing.

        A sync topic is answered each time, as an answer may have been lost.
        """
        decision = self.engine.subscriptions.subscribe(topic, origin)
        if decision == SYNC:
            _, _, header, body = self.engine.subscriptions.answer(topic)
            self._publish()  # the answer goes behind what was published before
            self._port.answer(connection, topic, header, body)
        elif decision != IGNORE:
            self._listening.setdefault(topic, {})[connection] = None
            if decision == FORWARD:
                self._port.tell(True, topic)

    def on_unsubscribe(self, connection: bytes, topic: bytes) -> None:
        """Handle the end of a subscription."""
        self._remove_listener(connection, topic)
        if self.engine.subscriptions.unsubscribe(topic, connection):
            self._port.tell(False, topic)

    def on_join(self, connection: bytes) -> None:
        """Tell a publisher every topic that has listeners, and then the sentinel.

        The port tells it of every change from here on.
        """
        # What the others were told, not `_listening`: a topic may have lost its last listener
        # without a word yet, and the next one would come without a word, too.
        for topic in self.engine.subscriptions.topics():
            self._port.tell_one(connection, True, topic)
        self._port.tell_one(connection, True, heads.LIVE_TOPIC)

    def on_publication(
        self,
        connection: bytes,
        topic: bytes,
        header: bytes,
        body: Any,
        now_s: float,
        origin: Origin = UNKNOWN,
    ) -> None:
        """Pass on a broadcast message of a client, if the engine lets it."""
        self._now_s = now_s
        if self.engine.on_publication([topic, header, body], now_s, origin):
            self._exchange.batcher.add(topic, header, body)

    def _remove_listener(self, connection: bytes, topic: bytes) -> None:
        connections = self._listening.get(topic)
        if connections is not None:
            connections.pop(connection, None)
            if not connections:
                del self._listening[topic]
