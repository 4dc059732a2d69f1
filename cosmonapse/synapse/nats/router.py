"""The router on NATS: a line to nats-server, and a term for as long as it holds.

Spec: docs/spec/14-nats.md, "Routers". It runs on one event loop; `RouterTerm` decides.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from types import MappingProxyType
from typing import Final

from nats.aio.msg import Msg

from zmq_transport.proxy.engine import Engine
from zmq_transport.proxy.settings import Settings
from zmq_transport.proxy.tables import MessageTap
from zmq_transport.wire.state_messages import ProxyState

from ..peers import OnNotice, log_notice
from . import router_news
from .errors_of import Fault
from .line import NatsLine
from .pacer import Pacer
from .place import NatsPlace
from .post import HandOver, RouterContext
from .router_line import MakeLine
from .router_state import RouterFigures
from .router_term import OnHeard, RouterTerm
from .shares import BEAT_S
from .topic_line import TopicLine

_LOG = logging.getLogger(__name__)
_TICK_S: Final = 0.1
_DRAIN_S: Final = 1.0
_LATE_S: Final = 0.5
_TELL_AFTER_S: Final = 2.0
_TOPICS_S: Final = 1.0
"""For so long a term waits for the second line: who listens waits for what goes over it. A break of
it is told so much later."""
_NAME: Final = "cosmo-synapse"
_SLOW: Final = "drop.nats_slow"


class NatsRouter:
    """The counterpart of a proxy on a network of nats-servers.

    Args:
        place: Where these are.
        settings: Timeouts and limits.
        tap: Receives the facts of each message, for a log.
        always_publish: True to publish what happens in a namespace though no Dendrite listens.
        dead_after_s: After how many seconds without a word a Dendrite counts as gone; it says a
            word every 2 s.
        here_s: The time between two beats, in seconds.
        on_news: Is told what changes among the routers, on the loop of `run`; must not block.
        make_line: Makes a line.

    Attributes:
        ready: Is set while it is connected and serves; safe from every thread.
        has_served: Whether it ever was.
        has_told: Whether it said at its end that it leaves.
        on_tick: Is told every 100 ms how late the loop was, in seconds, on the loop of `run`.
    """

    def __init__(
        self,
        place: NatsPlace,
        settings: Settings,
        *,
        tap: MessageTap | None = None,
        always_publish: bool = False,
        dead_after_s: float = 15.0,
        here_s: float = BEAT_S,
        on_news: OnNotice = log_notice,
        make_line: MakeLine = NatsLine,
    ) -> None:
        self._place, self._settings, self._tap = place, settings, tap
        self._always_publish, self._dead_after_s = always_publish, dead_after_s
        self._here_s, self._on_news = here_s, on_news
        self._counts: Counter[str] = Counter()
        self._figures = RouterFigures(self._counts, time.monotonic())
        self._line = make_line(place, _NAME, self)
        self._pacer = Pacer(self._line.flush)
        self._topics = TopicLine(make_line, self._counts, self)
        self._term: RouterTerm | None = None
        self._term_by_s: float | None = None
        self._ends: list[Callable[[], None]] = []
        self._is_turn_due = self._stop_asked = self._was_up = self._told_unreachable = False
        self._farewell = True
        self._faults: set[str] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.has_served = self.has_told = False
        self.ready = threading.Event()
        self.on_tick: Callable[[float], None] | None = None

    @property
    def engines(self) -> Mapping[int, Engine]:
        """The engines by slot; safe from another thread."""
        term = self._term
        if term is None:
            return MappingProxyType({})
        return MappingProxyType({number: each.engine for number, each in list(term.slots.items())})

    @property
    def counts(self) -> Counter[str]:
        """Every counter, of all engines together since the start; safe from another thread."""
        counts = Counter(dict(self._counts))
        if self._line.slow:
            counts[_SLOW] = self._line.slow
        return counts

    def state(self, now_s: float) -> ProxyState:
        """Return its state, of all namespaces.

        Args:
            now_s: Monotonic clock.

        Raises:
            RuntimeError: It was called in another thread, and a table grew meanwhile.
        """
        return self._whole_state(self._stop_asked, now_s)

    def _whole_state(self, draining: bool, now_s: float) -> ProxyState:
        return self._figures.state(self.engines.values(), draining, now_s)

    # -- the thread of others --------------------------------------------------------------------

    def ask_to_stop(self, farewell: bool = True) -> None:
        """Make `run` return; safe from a signal handler and from another thread.

        Args:
            farewell: False to end without a word, as a process does that is killed.
        """
        self._farewell = farewell
        self._stop_asked = True

    # -- the loop --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Route until asked to stop; then drain for at most 1 s, and close the lines."""
        self._loop = asyncio.get_running_loop()
        pacings = [
            asyncio.create_task(self._pacer.run(), name="router pacer"),
            asyncio.create_task(self._topics.run(), name="router pacer of topics"),
        ]
        self._line.start()
        try:
            await self._turns()
            if self._farewell:
                await self._drain()
        finally:
            self.ready.clear()
            for each in pacings:
                each.cancel()
            self._end_term()
            self._topics.close()
            self._line.close()
            await self._line.closed()
            await self._topics.closed()

    async def _turns(self) -> None:
        started_s = due_s = time.monotonic()
        while not self._stop_asked:
            due_s += _TICK_S
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            now_s = time.monotonic()
            late_s = now_s - due_s
            if late_s > _LATE_S:
                self._stand_still(late_s, now_s)
                due_s = now_s
            self._tick(now_s)
            if self.on_tick is not None:
                self.on_tick(late_s)
            if not self._was_up and now_s - started_s > _TELL_AFTER_S:
                self._tell_unreachable()

    async def _drain(self) -> None:
        """Tell everybody, and wait until the clients have left, at most for 1 s."""
        term = self._term
        if term is None:
            return
        now_s = time.monotonic()
        until_s = now_s + _DRAIN_S
        term.leave(now_s)
        while self._term is term and not term.has_drained and now_s < until_s:
            await asyncio.sleep(0.01)
            now_s = time.monotonic()
            self._flush()
        self.has_told = await self._line.flush()

    def _tick(self, now_s: float) -> None:
        if self._line.slow:
            self._counts[_SLOW] = self._line.slow
        self._figures.tick(now_s)
        if self._term_by_s is not None and now_s >= self._term_by_s:
            self._on_news(router_news.no_topics(self._place.text))
            self._begin_term(now_s)
        if self._term is not None and not self._began_anew(now_s):
            self._guard(lambda term: term.tick(now_s))
            if self._term.shares.has_claimed:
                self.has_served = True
                self.ready.set()

    def _stand_still(self, late_s: float, now_s: float) -> None:
        if self._term is not None and not self._began_anew(now_s):
            self._guard(lambda term: term.stood_still(late_s, now_s))

    def _began_anew(self, now_s: float) -> bool:
        """Begin a new term if others may have taken the place of this router; True if so."""
        term = self._term
        stood_s = 0.0 if term is None else term.stood_s(now_s)
        if not stood_s:
            return False
        self._counts["began_anew"] += 1
        self._on_news(router_news.stood_still(stood_s))
        self._end_term()
        self._begin_term(now_s)
        return True

    def _guard(self, action: Callable[[RouterTerm], None]) -> None:
        """Call a term; an error of ours is logged and counted, and does not end the router."""
        if self._term is None:
            return
        try:
            action(self._term)
        except Exception:  # noqa: BLE001  # the last door: the router goes on
            self._on_own_fault()

    def _on_own_fault(self) -> None:
        self._counts["router_fault"] += 1
        _LOG.exception("a message could not be handled and is dropped")

    def _turn_soon(self) -> None:
        if self._loop is not None:
            self._is_turn_due = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._is_turn_due = False
        self._flush()
        term = self._term
        if term is not None and term.answer_at_s is not None and self._loop is not None:
            wait_s = max(0.0, term.answer_at_s - time.monotonic())
            self._loop.call_later(wait_s, self._guard, _answer)

    def _flush(self) -> None:
        self._guard(RouterTerm.flush)

    # -- the line --------------------------------------------------------------------------------

    def on_up(self) -> None:
        """See `LineEvents`."""
        self._was_up = True
        self._faults.clear()
        self._topics.open(self._place, self._line.address)
        self._term_by_s = time.monotonic() + _TOPICS_S

    def on_topics_up(self) -> None:
        """See `TopicEvents`."""
        if self._term_by_s is not None:
            self._begin_term(time.monotonic())

    def on_topics_down(self, why: str) -> None:
        """See `TopicEvents`."""
        self._counts["topics_broken"] += 1
        self._guard(RouterTerm.forget_publications)
        if self._loop is not None and self._term is not None:
            # Unless the first one breaks too: nats-server is gone, and that is told.
            self._loop.call_later(_TOPICS_S, self._tell_topics_broken, self._term, why)

    def _tell_topics_broken(self, term: RouterTerm, why: str) -> None:
        if self._term is term:
            self._on_news(router_news.topics_broken(self._place.text, why))

    def on_down(self, why: str) -> None:
        """See `LineEvents`."""
        self._topics.close()
        self._term_by_s = None
        if self._term is None:
            return
        self._counts["line_broken"] += 1
        self._on_news(router_news.disconnected(self._place.text, why))
        self._end_term()

    def on_fault(self, fault: Fault) -> None:
        """See `LineEvents`."""
        text = f"{fault.text} {fault.subject}".strip()
        if text not in self._faults and len(self._faults) < 100:
            self._faults.add(text)
            self._on_news(router_news.refused(self._place.text, fault.text))

    def _tell_unreachable(self) -> None:
        if not self._told_unreachable and not self._faults:
            self._told_unreachable = True
            why = self._line.last_error or "no answer"
            self._on_news(router_news.unreachable(self._place.text, why))

    def _begin_term(self, now_s: float) -> None:
        self._term_by_s = None
        context = RouterContext(
            router=os.urandom(16),
            post=self,
            topics=self._topics,
            settings=self._settings,
            counts=self._counts,
            tap=self._tap,
            always_publish=self._always_publish,
            dead_after_s=self._dead_after_s,
            whole_state=self._whole_state,
        )
        term = self._term = RouterTerm(context, now_s, self._on_news, self._here_s)
        self._ends = [
            self._line.subscribe(subject, self._taking(term, on_heard))
            for subject, on_heard in term.subscriptions()
        ]
        term.ask_for_others()

    def _taking(self, term: RouterTerm, on_heard: OnHeard) -> Callable[[Msg], None]:
        def take(message: Msg) -> None:
            if self._term is not term:
                self._counts["drop.stale"] += 1
                return
            now_s = time.monotonic()
            if term.stood_s(now_s):
                self._began_anew(now_s)
                self._counts["drop.stale"] += 1
                return
            try:
                on_heard(message, now_s)
            except Exception:  # noqa: BLE001  # the last door: no message may end the router
                self._on_own_fault()
            if not self._is_turn_due:
                self._turn_soon()

        return take

    def _end_term(self) -> None:
        """Forget everything of this term, and tell nobody."""
        self.ready.clear()
        self._pacer.forget_all()
        self._topics.forget_all()
        self._guard(RouterTerm.end)
        self._term = None
        for end in self._ends:
            end()
        self._ends = []

    # -- the post --------------------------------------------------------------------------------

    @property
    def is_connected(self) -> bool:
        """See `Post`."""
        return self._line.is_connected

    @property
    def max_payload(self) -> int:
        """See `Post`."""
        return self._line.max_payload

    @property
    def waiting_bytes(self) -> int:
        """See `Post`."""
        return self._line.waiting_bytes

    @property
    def queued_bytes(self) -> int:
        """How many bytes wait for all clients together."""
        term = self._term
        return self.waiting_bytes if term is None else term.context.waiting_bytes

    def publish(self, subject: str, data: bytes, reply: str = "") -> None:
        """See `Post`."""
        if not self._line.publish(subject, data, reply):
            self._counts["drop.no_line"] += 1

    def pace(self, key: Hashable, hand_over: HandOver) -> None:
        """See `Post`."""
        self._pacer.add(key, hand_over)


def _answer(term: RouterTerm) -> None:
    term.answer(time.monotonic())
