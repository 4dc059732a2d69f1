"""The state of a router: that of all its engines together. Pure.

Spec: docs/spec/04-liveness.md, "State". An engine begins when its slot gets a first client, so what
it knows of time and counts would be of no use to whoever asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from zmq_transport.proxy.engine import Engine
from zmq_transport.proxy.recent_counts import RecentCounts
from zmq_transport.wire.state_messages import ProxyState


class RouterFigures:
    """What a router tells of itself.

    Args:
        counts: The counters of the router and of all its engines, which only grow.
        now_s: Monotonic clock, at its start.
    """

    def __init__(self, counts: Counter[str], now_s: float) -> None:
        self._counts = counts
        self._started_s = now_s
        self._recent = RecentCounts(counts, now_s)

    def tick(self, now_s: float) -> None:
        """Keep the values of the counters; call it every 100 ms."""
        self._recent.tick(now_s)

    def state(self, engines: Collection[Engine], draining: bool, now_s: float) -> ProxyState:
        """Return the state of the router.

        Args:
            engines: Those that it has now.
            draining: Whether it was asked to stop.
            now_s: Monotonic clock.
        """
        recent_s, grown = self._recent.since(now_s)
        tables = [each.tables for each in engines]
        return ProxyState(
            uptime_s=now_s - self._started_s,
            draining=draining,
            clients=sum(len(each.peers) for each in tables),
            away=sum(len(each.peers.absent) for each in tables),
            seats=sum(each.peers.seat_count for each in tables),
            open=sum(len(each.ledger) for each in tables),
            parked=sum(len(each.parking) for each in tables),
            topics=sum(len(each.subscriptions) for each in engines),
            counts=dict(self._counts),
            recent_s=recent_s,
            recent=grown,
        )
