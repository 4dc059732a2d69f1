"""The broadcast plane of the proxy: an XPUB and an XSUB. Spec: docs/spec/05-broadcast.md."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import zmq

from ..access.origin import UNKNOWN, Origin
from ..sockets import multipart, options
from ..wire.batch import Batcher
from ..wire.heads import Publication
from .engine import Engine
from .line_table import LibzmqConnection, LineTable, WatchContext
from .poller import Poller
from .subscriptions import ACCEPT, FORWARD, IGNORE, SYNC
from .watchdog import MESSAGE_OVERHEAD_BYTES, WatchBounds

_BATCH = 256


class BroadcastPlane:
    """Moves subscriptions and publications. Used from the thread of its proxy only.

    Args:
        xpub: The socket to subscribe at, not bound yet.
        xsub: The socket to publish at, not bound yet.
        limits: What a connection may do.
        shared: Watches the connections.
        poller: Says when to read.
        engine: Decides on subscriptions.
        batcher: Gathers what is published in one turn.
    """

    def __init__(
        self,
        xpub: zmq.Socket[bytes],
        xsub: zmq.Socket[bytes],
        limits: WatchBounds,
        shared: WatchContext,
        poller: Poller,
        engine: Engine,
        batcher: Batcher,
    ) -> None:
        self._poller = poller
        self._engine = engine
        self._batcher = batcher
        self._xpub = xpub
        self._xsub = xsub
        self._subscribers = LineTable(xpub, limits, shared)
        self._publishers = LineTable(xsub, limits, shared)
        self._subscribers.on_opened = self._open
        self._subscribers.on_ended = self._end
        self._bound: list[tuple[zmq.Socket[bytes], zmq.Socket[bytes], str]] = []
        poller.watch_socket(self._xpub, self._receive_subscriptions)
        poller.watch_socket(self._xsub, self._receive_publications)

    def listen_on(self, host: str, listen_port: int, publish_port: int) -> tuple[int, int]:
        """Listen on the network; return the port to subscribe at and the one to publish at.

        Raises:
            EndpointInUse: Another process listens there, or the address is not of this host.
        """
        return (
            self._bind(self._xpub, options.bind(self._xpub, host, listen_port)),
            self._bind(self._xsub, options.bind(self._xsub, host, publish_port)),
        )

    def listen_at(self, listen_file: str, publish_file: str, mode: int) -> None:
        """Listen at two Unix sockets with files of that mode.

        Raises:
            EndpointInUse: A socket cannot be made.
        """
        for socket, file in ((self._xpub, listen_file), (self._xsub, publish_file)):
            self._remember(socket, options.bind_private(socket, file, mode))

    def _bind(self, socket: zmq.Socket[bytes], endpoint: str) -> int:
        self._remember(socket, endpoint)
        return options.port_of(endpoint)

    def _remember(self, socket: zmq.Socket[bytes], endpoint: str) -> None:
        lines = self._subscribers if socket is self._xpub else self._publishers
        self._bound.append((socket, lines.monitor, endpoint))

    def publish(self, publications: Iterable[Publication]) -> None:
        """Publish messages, in order."""
        for message in publications:
            multipart.send(self._xpub, *message)
        self._poller.touch(self._xpub)

    def cut(self, line: Hashable) -> bool:
        """End the connection of an origin; False if it is none of this plane, or was cut before."""
        return self._subscribers.cut(line) or self._publishers.cut(line)

    def begin_term(self, stale_topics: Iterable[bytes]) -> None:
        """End every connection, and ask publishers for nothing more: a term begins.

        Args:
            stale_topics: What publishers were asked for in the last term.
        """
        self._subscribers.cut_all()
        self._publishers.cut_all()
        for topic in stale_topics:
            multipart.send(self._xsub, b"\x00" + topic)
        self._poller.touch(self._xsub)

    def reintroduce(self) -> None:
        """Find the user of each connection anew; call it when another list is in force."""
        self._subscribers.reintroduce()
        self._publishers.reintroduce()

    def tick(self, now_s: float) -> None:
        """Follow the connections, cut those that must be, release what those that ended held."""
        for lines in (self._subscribers, self._publishers):
            lines.follow(now_s)
            lines.watch(now_s)
        self._release()

    def close(self) -> None:
        """Close both sockets and stop listening. Idempotent."""
        if self._xpub.closed:
            return
        for socket, monitor, endpoint in self._bound:
            options.unbind(socket, monitor, endpoint)
        for each in (self._subscribers, self._publishers, self._xpub, self._xsub):
            each.close()

    def _open(self, line: Hashable) -> None:
        self._engine.subscriptions.opened(line)

    def _end(self, connection: LibzmqConnection) -> None:
        self._engine.subscriptions.closed(connection.line)

    def _release(self) -> None:
        """Take back subscriptions of connections that ended, a bounded number in one turn."""
        for topic in self._engine.subscriptions.release(_BATCH):
            multipart.send(self._xsub, b"\x00" + topic)
            self._poller.touch(self._xsub)

    def _receive_subscriptions(self, now_s: float, events: int, alone: bool) -> None:
        """Receive and handle a batch of subscriptions."""
        for _ in range(_BATCH):
            message = multipart.receive(self._xpub)
            if message is None:
                break
            # 05-broadcast, "Subscriptions at the proxy" 4: a descriptor names another connection
            # after the first one ended, and the monitor says so before the first message of it.
            self._subscribers.follow(now_s)
            frame = message[-1]
            verdict, topic = frame.bytes[:1], frame.bytes[1:]
            origin = self._origin_of(self._subscribers, message, now_s)
            if len(message) != 1 or verdict not in (b"\x00", b"\x01"):
                self._engine.on_dropped("no_subscription")
            elif verdict == b"\x01":
                self._subscribe(topic, origin)
            else:
                self._unsubscribe(topic, origin)
        else:
            self._poller.touch(self._xpub)
        self._release()

    @staticmethod
    def _origin_of(lines: LineTable, message: list[Any], now_s: float) -> Origin:
        """Return where a message comes from, and count what was read of that connection."""
        connection = lines.connection_of(message[-1], now_s)
        if connection is None:
            return UNKNOWN
        connection.read_bytes += sum(map(len, message)) + MESSAGE_OVERHEAD_BYTES
        return connection.origin

    def _subscribe(self, topic: bytes, origin: Origin) -> None:
        decision = self._engine.subscriptions.subscribe(topic, origin)
        if decision == IGNORE:
            return
        self._xpub.set(zmq.SUBSCRIBE, topic)
        if decision == FORWARD:
            self._xsub.send(b"\x01" + topic)
            self._poller.touch(self._xsub)
        elif decision == SYNC:
            _, first, second, body = self._engine.subscriptions.answer(topic)
            self._batcher.add(first, second, body)
        elif decision != ACCEPT:
            raise AssertionError(decision)

    def _unsubscribe(self, topic: bytes, origin: Origin) -> None:
        # libzmq makes up an unsubscription for each topic of a connection that ended, and these say
        # nothing of their connection; the monitor has reported it.
        if origin is UNKNOWN:
            return
        self._xpub.set(zmq.UNSUBSCRIBE, topic)
        if self._engine.subscriptions.unsubscribe(topic, origin.line):
            multipart.send(self._xsub, b"\x00" + topic)
            self._poller.touch(self._xsub)

    def _receive_publications(self, now_s: float, events: int, alone: bool) -> None:
        """Forward a batch of messages that clients publish."""
        for _ in range(_BATCH):
            message = multipart.receive(self._xsub)
            if message is None:
                return
            origin = self._origin_of(self._publishers, message, now_s)
            if self._engine.on_publication(message, now_s, origin):
                self._batcher.add(*message)
        self._poller.touch(self._xsub)
