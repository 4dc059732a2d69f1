"""Answer questions: for the roster, for open tasks, and for the state of the proxy. Pure.

Spec: docs/spec/04-liveness.md, "Roster", "Open tasks" and "State"; docs/spec/11-access.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from ..wire import greetings, heads, open_task_messages, roster_messages, state_messages
from ..wire.heads import Verb
from ..wire.state_messages import NO_FABRIC, FabricState, ProxyState
from .open_task_pages import OpenTaskPages, WantedOf
from .peers import Namespace, Peer
from .recent_counts import RecentCounts
from .roster import clients_page, roster_page
from .subscriptions import Subscriptions
from .tables import SEND, Output, Tables

_FEW_CLIENTS: Final = 500
_COUNT_AGAIN_S: Final = 1.0


class Questions:
    """Answers what clients ask of the tables.

    Args:
        tables: The state of the proxy.
        subscriptions: Those of the broadcast plane.
        wanted_of: Returns the queries about the tasks of a caller.
        recent: The growth of the counters.
        started_s: When the proxy started, on the monotonic clock.

    Attributes:
        fabric: Tells the role of the proxy, and what it knows of others; None without others.
        whole: Tells the state of a process of which this is a part, instead of `whole_state`: it
            is given whether that leaves, and the monotonic clock. None for a proxy.
    """

    def __init__(
        self,
        tables: Tables,
        subscriptions: Subscriptions,
        wanted_of: WantedOf,
        recent: RecentCounts,
        started_s: float,
    ) -> None:
        self._tables = tables
        self._open_tasks = OpenTaskPages(tables, wanted_of)
        self._subscriptions = subscriptions
        self._recent = recent
        self._started_s = started_s
        self.fabric: Callable[[float], FabricState] | None = None
        self.whole: Callable[[bool, float], ProxyState] | None = None

    def tick(self, now_s: float) -> None:
        """Keep the values of the counters; call it every 100 ms."""
        self._recent.tick(now_s)

    def answer(
        self, peer: Peer, question: bytes, body: bytes, draining: bool, now_s: float
    ) -> list[Output]:
        """Return the answer to a ROSTER.

        Args:
            peer: Who asks.
            question: The task id of the question, which names the answer.
            body: The question.
            draining: True after the request to stop.
            now_s: Monotonic clock.

        Raises:
            WireError: The question is malformed.
        """
        if body == state_messages.QUESTION:
            state = self._with_release(self._state_for(peer, draining, now_s))
            page = state_messages.pack(state)
        else:
            page = self._page(peer, greetings.unpack_map(body), now_s)
        head = heads.pack(Verb.ROSTER, len(page), task=question)
        return [(SEND, peer.connection, head, page)]

    def _page(self, peer: Peer, fields: Mapping[str, Any], now_s: float) -> bytes:
        if open_task_messages.asks_for_tasks(fields):
            query = open_task_messages.tasks_query_of(fields)
            return self._open_tasks.page(peer, query, now_s)
        return self._roster_page(peer, roster_messages.question_of(fields), now_s)

    def _roster_page(self, peer: Peer, query: roster_messages.RosterQuery, now_s: float) -> bytes:
        if not query.clients:
            return roster_page(query, peer.namespace.routes)
        # 11-access, "What is checked" 5: who calls, and how much, is told to those who may watch.
        here = peer.namespace.numbered.after(query.after)
        if not peer.grant.watches:
            here = iter([peer] if peer.number > query.after else [])
        return clients_page(query, here, self._tables.ledger, now_s)

    def _state_for(self, peer: Peer, draining: bool, now_s: float) -> ProxyState:
        """Return the state of the proxy, or of the namespace of one that may see no more."""
        if peer.grant.inspects:
            return (self.whole or self.whole_state)(draining, now_s)
        uptime_s = now_s - self._started_s
        fabric = NO_FABRIC if self.fabric is None else self.fabric(now_s)
        state = self._of_namespace(peer.namespace, uptime_s, draining, now_s)
        return attrs.evolve(state, role=fabric.role, term=fabric.term)

    def whole_state(self, draining: bool, now_s: float) -> ProxyState:
        """Return the state of the proxy, all namespaces together."""
        tables = self._tables
        fabric = NO_FABRIC if self.fabric is None else self.fabric(now_s)
        recent_s, grown = self._recent.since(now_s)
        return ProxyState(
            uptime_s=now_s - self._started_s,
            draining=draining,
            clients=len(tables.peers),
            away=len(tables.peers.absent),
            seats=tables.peers.seat_count,
            open=len(tables.ledger),
            parked=len(tables.parking),
            topics=len(self._subscriptions),
            counts=dict(tables.counts),
            recent_s=recent_s,
            recent=grown,
            role=fabric.role,
            term=fabric.term,
            peers=fabric.peers,
        )

    def _with_release(self, state: ProxyState) -> ProxyState:
        """Return a state with what the application tells of itself."""
        settings = self._tables.settings
        ts = 0.0 if settings.wall_clock is None else settings.wall_clock()
        return attrs.evolve(state, release=settings.release, ts=ts)

    def _of_namespace(
        self, namespace: Namespace, uptime_s: float, draining: bool, now_s: float
    ) -> ProxyState:
        away, open_count = self._counted(namespace, now_s)
        # 11-access, "What is checked" 5: counters and what is parked belong to all namespaces.
        return ProxyState(
            uptime_s=uptime_s,
            draining=draining,
            clients=len(namespace.peers),
            away=away,
            seats=len(namespace.routes),
            open=open_count,
            parked=0,
            topics=len(namespace.subscribed),
            counts={},
            namespace=namespace.name,
        )

    def _counted(self, namespace: Namespace, now_s: float) -> tuple[int, int]:
        """Return how many clients are away and how many tasks open, in a large one of a second ago.

        A question of 77 bytes must not cost a look at tens of thousands of clients each time.
        """
        here = namespace.peers
        if len(here) > _FEW_CLIENTS:
            at_s, *counted = namespace.counted
            if now_s - at_s < _COUNT_AGAIN_S:
                return counted[0], counted[1]
        away = sum(each.absent_at_s is not None for each in here)
        open_count = sum(each.open_count for each in here)
        namespace.counted = now_s, away, open_count
        return away, open_count
