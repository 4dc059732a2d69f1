"""Run the proxy: one thread, three sockets, one loop around the engine, which decides.

Every send is non-blocking, and each turn of the loop receives a bounded batch from each socket.
So neither a stuck peer nor a flood on one plane can stop the others.
"""

from __future__ import annotations

import functools
import ipaddress
import logging
import os
import resource
import time
from collections.abc import Iterable
from struct import Struct
from types import TracebackType
from typing import Any, Self

import attrs
import zmq

from ..sockets import multipart, options
from ..sockets.endpoints import IpcEndpoint
from ..sockets.sent import Sent
from ..wire import heads
from ..wire.batch import Batcher
from ..wire.bundle import Bundler, split_bundle
from .engine import Engine
from .ipc_lock import IpcLock
from .poller import Poller, readable
from .settings import Settings
from .subscriptions import ACCEPT, FORWARD, IGNORE, SYNC
from .tables import SEND, LostNotice, MessageTap, Output, empty_lost_notice

_LOG = logging.getLogger(__name__)
_BATCH = 256
_TICK_S = 0.1
_DRAIN_S = 1.0
_DESCRIPTORS = 65_536
_WARN_AGAIN_S = 60.0
_EVENT = Struct("=HI")


@attrs.frozen
class Ports:
    """The ports of the proxy; 0 lets the system choose.

    Args:
        directed: The port that clients connect to.
        listen: The port that they subscribe at.
        publish: The port that they publish at.
    """

    directed: int = 0
    listen: int = 0
    publish: int = 0


class Proxy:
    """A ROUTER, an XSUB and an XPUB around one `Engine`. Construct and `run` in one thread.

    Args:
        host: The address to bind to.
        ports: The ports to bind to; the attribute `ports` holds the real ones.
        settings: Timeouts and limits.
        ipc: The path to listen at on this machine as well, with files of mode 0600.
        lost_notice: See `Engine`.
        tap: See `Engine`.

    Raises:
        EndpointInUse: Another process listens there, or the address cannot be bound.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        ports: Ports | None = None,
        settings: Settings | None = None,
        *,
        ipc: IpcEndpoint | None = None,
        lost_notice: LostNotice = empty_lost_notice,
        tap: MessageTap | None = None,
    ) -> None:
        raise_descriptor_limit()
        self._settings = settings or Settings()
        self._stop_asked = False
        self._silent_until_s = 0.0
        self._bundler = Bundler()
        self._batcher = Batcher()
        self.engine = Engine(
            epoch=os.urandom(16),
            now_s=time.monotonic(),
            settings=self._settings,
            lost_notice=lost_notice,
            tap=tap,
        )
        limit = self._settings.max_body_bytes
        bounds = options.Bounds(
            self._settings.high_water, max(1, int(self._settings.handshake_s * 1000))
        )
        self._router = options.router(limit, bounds)
        self._xpub = options.xpub(bounds)
        self._xsub = options.xsub(limit, bounds)
        self._monitors = [options.watched(each) for each in self._sockets]
        self._xpub_monitor = self._monitors[self._sockets.index(self._xpub)]
        self._poller = Poller(self._sockets)
        self._bound: list[tuple[int, str]] = []
        self._ipc_lock: IpcLock | None = None
        try:
            self.ports = self._listen_on(host, ports or Ports())
            if ipc is not None:
                self._listen_at(ipc)
        except BaseException:
            self.close()
            raise
        self._descriptor = int(self._router.get(zmq.FD))
        self.engine.use_ports(self.ports.listen, self.ports.publish)

    def _listen_on(self, host: str, ports: Ports) -> Ports:
        """Listen on the network; return the real ports."""
        asked = (ports.directed, ports.listen, ports.publish)
        for number, (socket, port) in enumerate(zip(self._sockets, asked, strict=True)):
            self._bound.append((number, options.bind(socket, host, port)))
        return Ports(*(options.port_of(endpoint) for _, endpoint in self._bound))

    def _listen_at(self, ipc: IpcEndpoint) -> None:
        """Listen on this machine."""
        self._ipc_lock = IpcLock(ipc)
        for number, (socket, file) in enumerate(zip(self._sockets, ipc.files, strict=True)):
            self._bound.append((number, options.bind_private(socket, file)))

    @property
    def _sockets(self) -> tuple[zmq.Socket[bytes], ...]:
        return self._router, self._xpub, self._xsub

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def ask_to_stop(self) -> None:
        """Make `run` drain and return; safe from a signal handler and from another thread."""
        self._stop_asked = True

    def close(self) -> None:
        """Close the sockets now and remove their files."""
        if self._router.closed:
            return
        self._poller.close()
        for number, endpoint in self._bound:
            options.unbind(self._sockets[number], self._monitors[number], endpoint)
        if self._ipc_lock is not None:
            self._ipc_lock.release()
        for socket in (*self._monitors, *self._sockets):
            socket.close()

    def run(self) -> None:
        """Route until asked to stop, then drain: until all clients left, at most for 1 s."""
        turns = {
            self._router: self._route,
            self._xpub: self._receive_subscriptions,
            self._xsub: self._receive_publications,
        }
        next_tick_s = time.monotonic() + _TICK_S
        end_s = float("inf")
        while not self.engine.drained:
            ready = self._poller.wait(next_tick_s - time.monotonic())
            now_s = time.monotonic()
            for socket in ready:
                turns[socket](now_s)
            if now_s >= next_tick_s:
                next_tick_s = now_s + _TICK_S
                self._poller.touch_all()
                self._count_connections()
                self._release()
                self._check_descriptors(now_s)
                self._perform(self.engine.tick(now_s))
            if self._stop_asked and not self.engine.draining:
                end_s = now_s + _DRAIN_S
                self._perform(self.engine.go_away())
            self._flush_all()
            if self._batcher:
                self._publish_all()
            if now_s >= end_s:
                break

    def _count_connections(self) -> None:
        """Count connections that opened, closed or failed the handshake."""
        for monitor in self._monitors:
            if monitor is self._xpub_monitor:
                self._watch_subscribers()
                continue
            while (message := multipart.receive(monitor)) is not None:
                event, _ = _EVENT.unpack_from(message[0])
                self.engine.counts[options.EVENTS[event]] += 1

    def _watch_subscribers(self) -> None:
        """Count the same of those who subscribe, and record which connections there are."""
        subscriptions = self.engine.subscriptions
        while (message := multipart.receive(self._xpub_monitor)) is not None:
            event, descriptor = _EVENT.unpack_from(message[0])
            self.engine.counts[options.EVENTS[event]] += 1
            if event == zmq.EVENT_ACCEPTED:
                subscriptions.opened(descriptor)
            elif event == zmq.EVENT_DISCONNECTED:
                subscriptions.closed(descriptor)

    def _release(self) -> None:
        """Take back subscriptions of connections that ended, a bounded number in one turn."""
        for topic in self.engine.subscriptions.release(_BATCH):
            multipart.send(self._xsub, b"\x00" + topic)
            self._poller.touch(self._xsub)

    def _check_descriptors(self, now_s: float) -> None:
        """Warn at most once a minute that no client more can connect."""
        try:
            os.close(os.dup(self._descriptor))
        except OSError:
            self.engine.counts["no_descriptors"] += 1
            if now_s >= self._silent_until_s:
                self._silent_until_s = now_s + _WARN_AGAIN_S
                most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
                _LOG.warning(
                    "all %d file descriptors are in use: no client more can connect, connected ones"
                    " go on; raise the limit of open files (ulimit -n)",
                    most,
                )

    def _route(self, now_s: float) -> None:
        """Receive and handle a batch of directed messages."""
        router = self._router
        message = multipart.receive(router)
        if message is None:
            return
        outputs = self._decide(message, now_s)
        # Mostly there is one message, and its outputs need no bundle. This look decides between the
        # two ways; the one before the next wait is for arrivals whose edge the send consumed.
        if not readable(router):
            for output in outputs:
                self._perform_now(*output)
            return
        self._perform(outputs)
        for _ in range(_BATCH):
            message = multipart.receive(router)
            if message is None:
                return
            self._perform(self._decide(message, now_s))
        self._poller.touch(router)

    def _decide(self, message: list[Any], now_s: float) -> list[Output]:
        """Return the outputs of the engine for a message."""
        if len(message) == 3:
            connection, head, body = message
        elif len(message) == 2 and not len(message[1]):
            connection, head, body = message[0], b"", b""
        else:
            return self.engine.on_misframed(message[0], bytes(message[1]))
        if len(head) > heads.MAX_HEAD_BYTES:
            self.engine.on_dropped("long_head")
            return []
        try:
            return self.engine.on_message(connection, head, body, now_s)
        except Exception:  # noqa: BLE001  # the last handler: no message may end the proxy
            self.engine.on_dropped("engine_fault")
            _LOG.exception("a message could not be handled and is dropped")
            return []

    def _perform(self, outputs: Iterable[Output]) -> None:
        """Perform outputs of the engine; those that may be bundled wait for the end of the turn."""
        for output in outputs:
            code, first, second, body = output
            if code == SEND and heads.is_single(second) and self._bundler.takes(second, body):
                self._bundler.add(first, second, body)
            else:
                self._perform_now(*output)

    def _perform_now(self, code: int, first: bytes, second: bytes, body: Any) -> None:
        """Perform one output, after those gathered before it for the same receiver."""
        if code == SEND:
            if self._bundler:
                self._flush(first)
            self._send(first, second, body)
        else:
            self._batcher.add(first, second, body)

    def _publish_all(self) -> None:
        """Publish the copies of this turn, in order."""
        for message in self._batcher.take():
            multipart.send(self._xpub, *message)
        self._poller.touch(self._xpub)

    def _flush_all(self) -> None:
        """Send every bundle, including those that result from unsent messages."""
        while self._bundler:
            for connection in self._bundler.connections():
                self._flush(connection)

    def _flush(self, connection: bytes) -> None:
        for message in self._bundler.take(connection):
            self._send(connection, *message)

    def _send(self, connection: bytes, head: bytes, body: Any) -> None:
        sent = multipart.send(self._router, connection, head, body)
        self._poller.touch(self._router)
        if sent is Sent.OK:
            return
        now_s, busy = time.monotonic(), sent is Sent.BUSY
        for each_head, each_body in split_bundle(head, body):
            self._perform(self.engine.on_unsent(connection, each_head, each_body, busy, now_s))

    def _receive_subscriptions(self, now_s: float) -> None:
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
                self.engine.on_dropped("no_subscription")
            elif verdict == b"\x01":
                self._subscribe(topic, *_sender_of(frame))
            else:
                self._unsubscribe(topic, *_sender_of(frame))
        else:
            self._poller.touch(self._xpub)
        self._release()

    def _subscribe(self, topic: bytes, connection: int | None, host: str) -> None:
        decision = self.engine.subscriptions.subscribe(topic, connection, host)
        if decision == IGNORE:
            return
        self._xpub.set(zmq.SUBSCRIBE, topic)
        if decision == FORWARD:
            self._xsub.send(b"\x01" + topic)
            self._poller.touch(self._xsub)
        elif decision == SYNC:
            _, first, second, body = self.engine.subscriptions.answer(topic)
            self._batcher.add(first, second, body)
        elif decision != ACCEPT:
            raise AssertionError(decision)

    def _unsubscribe(self, topic: bytes, connection: int | None, _: str) -> None:
        # libzmq makes up an unsubscription for each topic of a connection that ended, and these say
        # nothing of their connection; the monitor has reported it.
        if connection is None:
            return
        self._xpub.set(zmq.UNSUBSCRIBE, topic)
        if self.engine.subscriptions.unsubscribe(topic, connection):
            multipart.send(self._xsub, b"\x00" + topic)
            self._poller.touch(self._xsub)

    def _receive_publications(self, now_s: float) -> None:
        """Forward a batch of messages that clients publish."""
        for _ in range(_BATCH):
            message = multipart.receive(self._xsub)
            if message is None:
                return
            if self.engine.subscriptions.published(message):
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


def raise_descriptor_limit() -> None:
    """Raise the soft limit of open files towards 65,536: each client needs up to three."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        except (OSError, ValueError) as error:
            _LOG.warning(
                "the limit is %d open files, enough for about %d clients (%s)",
                soft,
                soft // 3,
                error,
            )
