"""Run the proxy: one thread, two planes, one loop around the engine, which decides.

Every send is non-blocking, and each turn of the loop receives a bounded batch from each socket.
So neither a stuck peer nor a flood on one plane can stop the others.
"""

from __future__ import annotations

import os
import time
from types import TracebackType
from typing import Self

import attrs

from ..sockets import options
from ..sockets.carriers import DEFAULT_CARRIER, LIBZMQ, ZMTP, checked_carrier
from ..sockets.endpoints import IpcEndpoint
from .broadcast_plane import BroadcastPlane
from .descriptor_limit import DescriptorMonitor, raise_descriptor_limit
from .directed_plane import DirectedPlane
from .engine import Engine
from .exchange import Exchange
from .ipc_lock import IpcLock
from .libzmq_router import LibzmqRouter
from .poller import Poller
from .settings import Settings
from .tables import LostNotice, MessageTap, empty_lost_notice
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
        ipc: The path to listen at on this machine as well, with files of mode 0600.
        carrier: What carries the directed plane: `zmtp` or `libzmq`.
        lost_notice: See `Engine`.
        tap: See `Engine`.

    Raises:
        EndpointInUse: Another process listens there, or the address cannot be bound.
        ValueError: There is no such carrier.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        ports: Ports | None = None,
        settings: Settings | None = None,
        *,
        ipc: IpcEndpoint | None = None,
        carrier: str = DEFAULT_CARRIER,
        lost_notice: LostNotice = empty_lost_notice,
        tap: MessageTap | None = None,
    ) -> None:
        self.carrier = checked_carrier(carrier)
        raise_descriptor_limit()
        settings = settings or Settings()
        self._stop_asked = self._closed = False
        self.engine = Engine(
            epoch=os.urandom(16),
            now_s=time.monotonic(),
            settings=settings,
            lost_notice=lost_notice,
            tap=tap,
            reports_ends=carrier == ZMTP,
        )
        self._descriptors = DescriptorMonitor(self._count_no_descriptors)
        self._poller = Poller()
        self._exchange = Exchange(self.engine)
        bounds = options.Bounds(settings.high_water, max(1, int(settings.handshake_s * 1000)))
        self._directed = self._directed_plane(settings, bounds)
        self._exchange.send = self._directed.send
        self._broadcast = BroadcastPlane(
            settings.max_body_bytes, bounds, self._poller, self.engine, self._exchange.batcher
        )
        self._ipc_lock: IpcLock | None = None
        try:
            self.ports = self._listen_on(host, ports or Ports())
            if ipc is not None:
                self._listen_at(ipc)
        except BaseException:
            self.close()
            raise
        self.engine.use_ports(self.ports.listen, self.ports.publish)

    def _directed_plane(self, settings: Settings, bounds: options.Bounds) -> DirectedPlane:
        """Return the directed plane of the carrier, not listening yet."""
        poller, exchange, engine = self._poller, self._exchange, self.engine
        if self.carrier == LIBZMQ:
            limit = settings.max_body_bytes
            return LibzmqRouter(limit, bounds, poller, engine.counts, exchange.on_message)
        return ZmtpRouter(
            settings,
            poller,
            engine.counts,
            exchange.on_message,
            exchange.on_end,
            engine.is_admitted,
        )

    def _listen_on(self, host: str, ports: Ports) -> Ports:
        """Listen on the network; return the real ports."""
        directed = self._directed.listen_on(host, ports.directed)
        return Ports(directed, *self._broadcast.listen_on(host, ports.listen, ports.publish))

    def _listen_at(self, ipc: IpcEndpoint) -> None:
        """Listen on this machine."""
        self._ipc_lock = IpcLock(ipc)
        directed, listen, publish = ipc.files
        self._directed.listen_at(directed)
        self._broadcast.listen_at(listen, publish)

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

    def close(self) -> None:
        """Close the sockets now and remove their files."""
        if self._closed:
            return
        self._closed = True
        self._directed.close()
        self._poller.close()
        self._broadcast.close()
        if self._ipc_lock is not None:
            self._ipc_lock.release()
        self._descriptors.close()

    def run(self) -> None:
        """Route until asked to stop, then drain: until all clients left, at most for 1 s."""
        engine, exchange, wait = self.engine, self._exchange, self._poller.wait
        next_tick_s = time.monotonic() + _TICK_S
        end_s = float("inf")
        while not engine.drained:
            ready = wait(next_tick_s - time.monotonic())
            now_s = time.monotonic()
            alone = len(ready) == 1
            for on_ready, events in ready:
                on_ready(now_s, events, alone)
            if now_s >= next_tick_s:
                next_tick_s = now_s + _TICK_S
                self._tick(now_s)
            if self._stop_asked and not engine.draining:
                end_s = now_s + _DRAIN_S
                exchange.perform(engine.go_away())
            exchange.flush_all()
            if exchange.batcher:
                self._broadcast.publish(exchange.batcher.take())
            if now_s >= end_s:
                break

    def _tick(self, now_s: float) -> None:
        """Do what depends on time."""
        self._poller.touch_all()
        self._directed.tick(now_s)
        self._broadcast.tick()
        self._descriptors.look(now_s)
        self._exchange.perform(self.engine.tick(now_s))
