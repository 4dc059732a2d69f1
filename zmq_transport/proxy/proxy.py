"""Run the proxy: one thread, two planes, one loop around the engine, which decides.

Every send is non-blocking, and each turn of the loop receives a bounded batch from each socket.
So neither a stuck peer nor a flood on one plane can stop the others. What there is to do only where
a proxy was told of others is in `fabric_loop`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Hashable, Sequence
from types import TracebackType
from typing import Self

import attrs
import zmq

from ..access.proxy_keys import ProxyKeys
from ..access.rights import EVERYTHING, Access
from ..sockets import options
from ..sockets.carriers import DEFAULT_CARRIER, LIBZMQ, ZMTP, checked_carrier
from ..sockets.connection_view import ConnectionView
from ..sockets.endpoints import IpcEndpoint, TcpEndpoint
from ..wire.state_messages import ProxyState
from .broadcast_plane import BroadcastPlane
from .counter_names import CUTS
from .descriptor_limit import DescriptorMonitor, raise_descriptor_limit
from .directed_plane import DirectedPlane
from .engine import Engine
from .exchange import Exchange
from .fabric_loop import FabricLoop, OnNews, Planes, ignore_news
from .ipc_lock import IpcLock
from .libzmq_router import LibzmqRouter
from .line_table import WatchContext
from .memory_monitor import MemoryMonitor
from .poller import Poller
from .settings import Settings
from .tables import LostNotice, MessageTap, empty_lost_notice
from .watchdog import BEHIND_S, STRANGER_AHEAD_BYTES, UNREAD_S, WatchBounds
from .zap_handler import ZapHandler
from .zmtp_router import ZmtpRouter

_TICK_S = 0.1
_DRAIN_S = 1.0


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
        ipc: The path to listen at on this machine as well.
        ipc_mode: The mode of the files there: 0o600, or with keys 0o660 to let in the group.
        carrier: What carries the directed plane: `zmtp` or `libzmq`. With keys it is `libzmq`.
        keys: Let in only who has a key, over TCP; over `ipc` the files decide, and each user of
            this machine has the grant of `uid:1000`. The user that runs the proxy may do all there.
        lost_notice: See `Engine`.
        tap: See `Engine`.
        peers: The other proxies of the same fabric, at most 15: it stands by until it has to lead.
        on_news: Is told what changes among them, in the thread of `run`; must not block or raise.

    Attributes:
        on_tick: Is told every 100 ms how late the loop was, in seconds, in the thread of `run`;
            must not block or raise.

    Raises:
        EndpointInUse: Another process listens there, or the address cannot be bound.
        ValueError: There is no such carrier, no such mode without keys, or there are too many
            `peers`.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        ports: Ports | None = None,
        settings: Settings | None = None,
        *,
        ipc: IpcEndpoint | None = None,
        ipc_mode: int = options.ONLY_THIS_USER,
        carrier: str = DEFAULT_CARRIER,
        keys: ProxyKeys | None = None,
        lost_notice: LostNotice = empty_lost_notice,
        tap: MessageTap | None = None,
        peers: Sequence[TcpEndpoint] = (),
        on_news: OnNews = ignore_news,
    ) -> None:
        self.carrier = checked_carrier(carrier) if keys is None else LIBZMQ
        self._ipc_mode = _checked_mode(ipc_mode, keys is not None)
        raise_descriptor_limit()
        settings = settings or Settings()
        self._stop_asked = self._is_stopping = self._closed = False
        self.engine = Engine(
            epoch=os.urandom(16),
            now_s=time.monotonic(),
            settings=settings,
            lost_notice=lost_notice,
            tap=tap,
            reports_ends=self.carrier == ZMTP,
            access=None if keys is None else _with_owner(keys.access),
        )
        self._descriptors = DescriptorMonitor(self._count_no_descriptors)
        self._poller = Poller()
        self._exchange = Exchange(self.engine, time.monotonic)
        self._zap = None if keys is None else ZapHandler(self._access, self._poller)
        self._view = ConnectionView()
        ahead_bytes = min(settings.max_ahead_bytes, STRANGER_AHEAD_BYTES)
        self._memory = MemoryMonitor(ahead_bytes)
        self._sockets: list[zmq.Socket[bytes]] = []
        self._directed, self._broadcast = self._planes(settings)
        self._exchange.send = self._directed.send
        self._exchange.cut = self._cut
        self.on_tick: Callable[[float], None] | None = None
        self._fabric: FabricLoop | None = None
        self._ipc_lock: IpcLock | None = None
        try:
            if ipc is not None:
                self._listen_at(ipc)
            if keys is not None:
                self._require_keys(keys.pair.secret)
            self.ports = self._listen_on(host, ports or Ports())
            if peers:
                self._fabric = self._join(peers, keys, on_news)
        except BaseException:
            self.close()
            raise
        self.engine.use_ports(self.ports.listen, self.ports.publish)

    def _planes(self, settings: Settings) -> tuple[DirectedPlane, BroadcastPlane]:
        """Return the two planes, not listening yet."""
        poller, exchange, engine = self._poller, self._exchange, self.engine
        bounds = options.Bounds(settings.high_water, max(1, int(settings.handshake_s * 1000)))
        own = None if self._zap is None else self._zap.context
        user_of = None if self._zap is None else self._zap.user_of
        shared = WatchContext(engine.counts, self._view, self._memory, user_of)
        most = settings.max_body_bytes
        xpub, xsub = options.xpub(bounds, own), options.xsub(most, bounds, own)
        self._sockets += [xpub, xsub]
        limits = _watch_limits(settings, None)
        broadcast = BroadcastPlane(xpub, xsub, limits, shared, poller, engine, exchange.batcher)
        handlers = exchange.on_message, exchange.on_end, engine.is_admitted
        if self.carrier == ZMTP:
            writable = exchange.on_writable
            return ZmtpRouter(settings, poller, engine.counts, *handlers, writable), broadcast
        router = options.router(most, bounds, own)
        self._sockets.append(router)
        limits = _watch_limits(settings, settings.hello_s)
        return LibzmqRouter(router, limits, shared, poller, *handlers), broadcast

    def _join(
        self, peers: Sequence[TcpEndpoint], keys: ProxyKeys | None, on_news: OnNews
    ) -> FabricLoop:
        """Become one of several proxies."""
        planes = Planes(self._directed, self._broadcast, self._exchange)
        pair = None if keys is None else keys.pair
        return FabricLoop(peers, self.engine, self._poller, planes, pair, on_news)

    @property
    def fabric_ids(self) -> tuple[bytes, ...]:
        """The id of this start, and those of the other proxies of its fabric that were heard.

        Nothing without `peers`. Safe from another thread.
        """
        return () if self._fabric is None else self._fabric.ids

    @property
    def waiting_bytes(self) -> int | None:
        """How many bytes wait for all clients together; None with libzmq, which does not tell."""
        return self._directed.waiting_bytes

    def state(self) -> ProxyState:
        """Return the state of this proxy as those learn it who may inspect.

        Safe from another thread; a RuntimeError there means that a table grew meanwhile: ask again.
        """
        return self.engine.questions.whole_state(self.engine.draining, time.monotonic())

    def _access(self) -> Access | None:
        return self.engine.tables.access

    def _require_keys(self, secret: bytes) -> None:
        """Let in only who has a key, wherever it listens from now on."""
        for each in self._sockets:
            options.require_keys(each, secret)

    def _listen_on(self, host: str, ports: Ports) -> Ports:
        """Listen on the network; return the real ports."""
        directed = self._directed.listen_on(host, ports.directed)
        return Ports(directed, *self._broadcast.listen_on(host, ports.listen, ports.publish))

    def _listen_at(self, ipc: IpcEndpoint) -> None:
        """Listen on this machine."""
        self._ipc_lock = IpcLock(ipc)
        directed, listen, publish = ipc.files
        self._directed.listen_at(directed, self._ipc_mode)
        self._broadcast.listen_at(listen, publish, self._ipc_mode)

    def _cut(self, line: Hashable, reason: str) -> None:
        """End a connection, and count it. One that has ended meanwhile is none of either plane."""
        if self._directed.cut(line) or self._broadcast.cut(line):
            self.engine.counts[CUTS[reason]] += 1

    def _count_no_descriptors(self) -> None:
        self.engine.counts["no_descriptors"] += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def ask_to_stop(self) -> None:
        """Make `run` drain and return; safe from a signal handler and from another thread."""
        self._stop_asked = True

    def use_access(self, access: Access) -> None:
        """Put another list of users in force, in the next tick; safe from another thread.

        A user that loses something is told so, and its connections are ended.

        Raises:
            ValueError: This proxy has no keys.
        """
        self.engine.use_access(_with_owner(access))

    def close(self) -> None:
        """Close the sockets now and remove their files."""
        if self._closed:
            return
        self._closed = True
        self._directed.close()
        if self._fabric is not None:
            self._fabric.end_probes()
        self._poller.close()
        if self._fabric is not None:
            self._fabric.close()
        self._broadcast.close()
        if self._zap is not None:
            self._zap.close()  # the last one: a socket that asks in vain lets in nobody
        if self._ipc_lock is not None:
            self._ipc_lock.release()
        self._view.close()
        self._memory.close()
        self._descriptors.close()

    def run(self) -> None:
        """Route until asked to stop, then drain: until all clients left, at most for 1 s."""
        engine, exchange, wait = self.engine, self._exchange, self._poller.wait
        fabric = self._fabric
        next_s = next_tick_s = time.monotonic() + _TICK_S
        end_s = float("inf")
        while not (self._is_stopping and engine.drained):
            ready = wait(next_s - time.monotonic())
            now_s = time.monotonic()
            if fabric is not None:
                now_s = fabric.begin_turn(now_s)
            alone = len(ready) == 1
            for on_ready, events in ready:
                on_ready(now_s, events, alone)
            if now_s >= next_tick_s:
                due_s = next_tick_s
                next_s = next_tick_s = now_s + _TICK_S
                self._tick(now_s)
                if self.on_tick is not None:
                    self.on_tick(now_s - due_s)
            if self._stop_asked and not self._is_stopping:
                end_s = now_s + _DRAIN_S
                self._begin_to_stop(now_s)
            if fabric is not None:
                next_s = min(next_tick_s, fabric.end_turn(now_s))
            exchange.flush_all()
            if exchange.batcher:
                self._broadcast.publish(exchange.batcher.take())
            if now_s >= end_s:
                break

    def _begin_to_stop(self, now_s: float) -> None:
        """Ask every client to leave, and tell the others."""
        self._is_stopping = True
        if self._fabric is not None:
            self._fabric.on_stop(now_s)
        if not self.engine.draining:
            self._exchange.perform(self.engine.go_away())

    def _tick(self, now_s: float) -> None:
        """Do what depends on time."""
        self._poller.touch_all()
        self._memory.look()
        self._directed.tick(now_s)
        self._broadcast.tick(now_s)
        self._descriptors.look(now_s)
        before = self.engine.tables.access
        self._exchange.perform(self.engine.tick(now_s))
        if self.engine.tables.access is not before:
            # Not every connection is one that the engine has noted.
            self._directed.reintroduce()
            self._broadcast.reintroduce()


def _watch_limits(settings: Settings, hello_s: float | None) -> WatchBounds:
    most = settings.max_ahead_bytes
    return WatchBounds(
        handshake_s=settings.handshake_s,
        hello_s=hello_s,
        ahead_bytes=most + settings.max_body_bytes + options.ENVELOPE_BYTES,
        stranger_ahead_bytes=min(most, STRANGER_AHEAD_BYTES),
        unread_s=min(settings.unread_s, UNREAD_S),
        # Where a HELLO is said, the bytes that wait are counted.
        behind_s=BEHIND_S if hello_s is None else None,
        waiting_bytes=settings.max_waiting_bytes,
    )


def _with_owner(access: Access) -> Access:
    """Let the user that runs this process do everything over a Unix socket."""
    owner = f"uid:{os.getuid()}"
    # What that is in the words of the application, the application says.
    may = access.grants.get(owner, EVERYTHING).may
    grants = {**access.grants, owner: attrs.evolve(EVERYTHING, may=may)}
    return attrs.evolve(access, grants=grants)


def _checked_mode(mode: int, has_keys: bool) -> int:
    if mode == options.ONLY_THIS_USER or (mode == 0o660 and has_keys):
        return mode
    allowed = "0o600 or 0o660" if has_keys else "0o600 without keys"
    raise ValueError(f"the mode of a Unix socket is {allowed}, not {mode:#o}")
