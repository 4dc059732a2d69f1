"""What the loop of a proxy does beside its work where there are others.

Spec: docs/spec/12-failover.md. It reports, cuts connections when a term begins, waits for the
others after a standstill, and tells what changes. `fabric_role` decides.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Final

import attrs

from ..access.curve_keys import KeyPair
from ..access.origin import is_proxy
from ..failover.election import Decision
from ..failover.news import FabricView, RoleNews, news_of
from ..loggers import logger_of
from ..sockets.endpoints import TcpEndpoint, url_of
from .broadcast_plane import BroadcastPlane
from .directed_plane import DirectedPlane
from .engine import Engine
from .exchange import Exchange
from .fabric_role import MAX_OTHERS, FabricRole
from .poller import Poller
from .report_link import ReportKeys
from .report_links import LOOK_S, ReportLinks

_LOG = logger_of(__name__)
STOOD_STILL_S: Final = 0.8
DRAIN_S: Final = 1.0
_TELL_S: Final = 0.2

OnNews = Callable[[RoleNews], None]


def ignore_news(news: RoleNews) -> None:
    """Tell nobody."""


@attrs.frozen
class Planes:
    """What carries the messages of a proxy.

    Args:
        directed: The directed plane.
        broadcast: The broadcast plane.
        exchange: Carries out what the engine decides.
    """

    directed: DirectedPlane
    broadcast: BroadcastPlane
    exchange: Exchange


class FabricLoop:
    """One proxy among others, in the loop of that proxy.

    Args:
        peers: The others, 1 to 15.
        engine: The engine of this proxy.
        poller: Says when to read.
        planes: What carries its messages.
        pair: Its own keys; None without keys.
        on_news: Is told what changes.

    Raises:
        ValueError: There are too many others.
    """

    def __init__(
        self,
        peers: Sequence[TcpEndpoint],
        engine: Engine,
        poller: Poller,
        planes: Planes,
        pair: KeyPair | None,
        on_news: OnNews,
    ) -> None:
        if len(peers) > MAX_OTHERS:
            raise ValueError(f"a proxy knows at most {MAX_OTHERS} others, not {len(peers)}")
        self._engine = engine
        self._planes = planes
        self._tell = on_news
        now_s = self._turned_at_s = time.monotonic()
        urls = [url_of(each) for each in peers]
        self._role = FabricRole(engine, os.urandom(16), urls, _new_epoch, now_s)
        engine.join(self._role)
        keys = None if pair is None else ReportKeys(pair, self._keys_of_others)
        perform = planes.exchange.perform
        self._links = ReportLinks(peers, self._role, poller, perform, engine.on_dropped, keys)
        self._view = FabricView()
        self._tells_at_s = 0.0
        self._drains_until_s = float("inf")
        self._is_stopping = False

    @property
    def ids(self) -> tuple[bytes, ...]:
        """See `FabricRole`."""
        return self._role.ids

    def _keys_of_others(self) -> list[bytes]:
        """Return the public keys of the others, as they are listed now."""
        access = self._engine.tables.access
        return [] if access is None else [key for key, who in access.users.items() if is_proxy(who)]

    # -- turns of the loop -----------------------------------------------------------------------

    def begin_turn(self, now_s: float) -> float:
        """Wait for the others if the loop stood still; call it before a message is handled.

        Returns:
            The time then, up to 1 s later.
        """
        before_s, self._turned_at_s = self._turned_at_s, now_s
        if now_s - before_s < STOOD_STILL_S:
            return now_s
        _LOG.info("the loop stood still for %.1f s", now_s - before_s)
        self._planes.exchange.perform(self._role.on_stood_still(now_s))
        # 12-failover, "Stepping down": no message of a client is read before that is clear.
        while self._role.holds:
            self._links.tick(now_s)
            self._links.wait(LOOK_S)
            now_s = self._turned_at_s = time.monotonic()
            self._links.read(now_s)
            self._planes.exchange.perform(self._role.tick(now_s))
        self._follow(now_s)
        return now_s

    def end_turn(self, now_s: float) -> float:
        """Do what is to be done for the others; return when there is more."""
        if self._role.news:
            self._follow(now_s)
        if now_s >= self._drains_until_s or (
            self._drains_until_s < float("inf") and self._engine.drained
        ):
            self._stand_down(now_s)
        if now_s >= self._links.next_s:
            self._links.tick(now_s)
        if now_s >= self._tells_at_s:
            self._tell_news(now_s)
        return self._links.next_s

    def on_stop(self, now_s: float) -> None:
        """Tell the others that this proxy leaves."""
        self._is_stopping = True
        self._planes.exchange.perform(self._role.on_stop(now_s))
        self._follow(now_s)

    def end_probes(self) -> None:
        """End what waits in the poller; call it before that is closed."""
        self._links.end_probes()

    def close(self) -> None:
        """Close the connections to the others; call it after the poller is closed."""
        self._links.close()

    # -- what was decided ------------------------------------------------------------------------

    def _follow(self, now_s: float) -> None:
        """Do what the engine cannot do itself."""
        news = [*self._role.news]
        self._role.news.clear()
        if Decision.TAKE_OVER in news:
            self._begin_term()
        if Decision.STEP_DOWN in news:
            self._drains_until_s = now_s + DRAIN_S
        if Decision.REPORT in news:
            self._links.report(now_s)
        if {Decision.TAKE_OVER, Decision.STEP_DOWN, Decision.HALF} & set(news):
            self._tell_news(now_s)

    def _begin_term(self) -> None:
        topics, self._role.stale_topics = self._role.stale_topics, []
        self._planes.broadcast.begin_term(topics)

    def _stand_down(self, now_s: float) -> None:
        """End every connection, and stand by."""
        self._drains_until_s = float("inf")
        if self._is_stopping:
            return
        exchange = self._planes.exchange
        exchange.flush_all()
        exchange.perform(self._role.stand_down(now_s))
        self._begin_term()
        self._planes.directed.cut_all()
        self._follow(now_s)

    def _tell_news(self, now_s: float) -> None:
        self._tells_at_s = now_s + _TELL_S
        before, self._view = self._view, self._role.view(now_s)
        for each in news_of(before, self._view):
            self._tell(each)


def _new_epoch() -> bytes:
    return os.urandom(16)
