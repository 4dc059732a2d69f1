"""The broadcast plane of the proxy: an XPUB and an XSUB. Spec: docs/spec/05-broadcast.md."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterable
from struct import Struct
from typing import Any

import zmq

from ..sockets import multipart, options
from ..wire.batch import Batcher
from ..wire.heads import Publication
from .engine import Engine
from .poller import Poller
from .subscriptions import ACCEPT, FORWARD, IGNORE, SYNC

_BATCH = 256
_EVENT = Struct("=HI")


class BroadcastPlane:
    """Moves subscriptions and publications. Used from the thread of its proxy only.

    Args:
        max_body_bytes: Size limit of a body.
        bounds: The other limits of its sockets.
        poller: Says when to read.
        engine: Decides on subscriptions.
        batcher: Gathers what is published in one turn.
    """

    def __init__(
        self,
        max_body_bytes: int,
        bounds: options.Bounds,
        poller: Poller,
        engine: Engine,
        batcher: Batcher,
    ) -> None:
        self._poller = poller
        self._engine = engine
        self._batcher = batcher
        self._xpub = options.xpub(bounds)
        self._xsub = options.xsub(max_body_bytes, bounds)
        self._xpub_monitor = options.watched(self._xpub)
        self._xsub_monitor = options.watched(self._xsub)
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

    def listen_at(self, listen_file: str, publish_file: str) -> None:
        """Listen at two Unix sockets that only this user may open.

        Raises:
            EndpointInUse: A socket cannot be made.
        """
        for socket, file in ((self._xpub, listen_file), (self._xsub, publish_file)):
            self._remember(socket, options.bind_private(socket, file))

    def _bind(self, socket: zmq.Socket[bytes], endpoint: str) -> int:
        self._remember(socket, endpoint)
        return options.port_of(endpoint)

    def _remember(self, socket: zmq.Socket[bytes], endpoint: str) -> None:
        monitor = self._xpub_monitor if socket is self._xpub else self._xsub_monitor
        self._bound.append((socket, monitor, endpoint))

    def publish(self, publications: Iterable[Publication]) -> None:
        """Publish messages, in order."""
        for message in publications:
            multipart.send(self._xpub, *message)
        self._poller.touch(self._xpub)

    def tick(self) -> None:
        """Count connections, and release what those that ended held."""
        self._watch_subscribers()
        while (message := multipart.receive(self._xsub_monitor)) is not None:
            event, _ = _EVENT.unpack_from(message[0])
            self._engine.counts[options.EVENTS[event]] += 1
        self._release()

    def close(self) -> None:
        """Close both sockets and stop listening. Idempotent."""
        if self._xpub.closed:
            return
        for socket, monitor, endpoint in self._bound:
            options.unbind(socket, monitor, endpoint)
        for socket in (self._xpub_monitor, self._xsub_monitor, self._xpub, self._xsub):
            socket.close()

    def _watch_subscribers(self) -> None:
        """Count connections of those who subscribe, and record which there are."""
        subscriptions = self._engine.subscriptions
        while (message := multipart.receive(self._xpub_monitor)) is not None:
            event, descriptor = _EVENT.unpack_from(message[0])
            self._engine.counts[options.EVENTS[event]] += 1
            if event == zmq.EVENT_ACCEPTED:
                subscriptions.opened(descriptor)
            elif event == zmq.EVENT_DISCONNECTED:
                subscriptions.closed(descriptor)

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
            self._watch_subscribers()
            frame = message[-1]
            verdict, topic = frame.bytes[:1], frame.bytes[1:]
            if len(message) != 1 or verdict not in (b"\x00", b"\x01"):
                self._engine.on_dropped("no_subscription")
            elif verdict == b"\x01":
                self._subscribe(topic, *_sender_of(frame))
            else:
                self._unsubscribe(topic, *_sender_of(frame))
        else:
            self._poller.touch(self._xpub)
        self._release()

    def _subscribe(self, topic: bytes, connection: int | None, host: str) -> None:
        decision = self._engine.subscriptions.subscribe(topic, connection, host)
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

    def _unsubscribe(self, topic: bytes, connection: int | None, _: str) -> None:
        # libzmq makes up an unsubscription for each topic of a connection that ended, and these say
        # nothing of their connection; the monitor has reported it.
        if connection is None:
            return
        self._xpub.set(zmq.UNSUBSCRIBE, topic)
        if self._engine.subscriptions.unsubscribe(topic, connection):
            multipart.send(self._xsub, b"\x00" + topic)
            self._poller.touch(self._xsub)

    def _receive_publications(self, now_s: float, events: int, alone: bool) -> None:
        """Forward a batch of messages that clients publish."""
        for _ in range(_BATCH):
            message = multipart.receive(self._xsub)
            if message is None:
                return
            if self._engine.on_publication(message, now_s):
                self._batcher.add(*message)
        self._poller.touch(self._xsub)


def _sender_of(frame: Any) -> tuple[int | None, str]:
    """Return the descriptor and the network address of the connection that a frame came over.

    The address is `ipc` for all of this machine, which have none. A frame that libzmq made up has
    neither, nor has one of a peer that speaks a ZMTP older than 3.0: None and an empty text.
    """
    try:
        return int(frame.get(zmq.SRCFD)), _host_of(str(frame.get("Peer-Address")))
    except zmq.ZMQError:
        return None, ""


@functools.lru_cache(maxsize=1024)
def _host_of(address: str) -> str:
    """Return a network address in one form; `ipc` for a process of this machine."""
    try:
        network = ipaddress.ip_address(address)
    except ValueError:
        return "ipc"
    return str(getattr(network, "ipv4_mapped", None) or network)
