"""The proxy as one of several: who leads, what is reported, whom a standby refuses. Pure.

Spec: docs/spec/12-failover.md. `failover.election` decides who leads; this is its part at the
engine, which exists only where a proxy was told of others.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from ..access.digest import digest_of
from ..access.origin import Origin, is_proxy
from ..access.rights import Access
from ..errors import WireError
from ..failover.election import Decision, Election
from ..failover.news import FabricView
from ..failover.others import Standing
from ..wire import greetings, heads, role_messages
from ..wire.access_messages import MAX_FABRIC
from ..wire.heads import Verb
from ..wire.role_messages import ProxyRole, RoleReport
from ..wire.state_messages import FabricState
from .admission import Admission
from .tables import SEND, Output, Tables

MAX_OTHERS: Final = MAX_FABRIC - 1
MAX_HELD: Final = 4096
"""How many clients may wait for a standby to take over; the next one is refused."""
ANSWER_AGAIN_S: Final = 0.05
MAX_REPORTING: Final = 64
PATIENT_S: Final = 5.0
"""How long a leader waits for workers that may not have noticed yet that a proxy hangs, or hung."""
UNKNOWN_URL: Final = "?"
"""A leader that is heard, at a URL that is not known."""


class TermEngine(Protocol):
    """What of the engine it needs."""

    counts: Counter[str]
    admission: Admission
    tables: Tables

    def begin_term(self, epoch: bytes, now_s: float) -> list[bytes]:
        """See `Engine`."""

    def go_away(self) -> list[Output]:
        """See `Engine`."""


class FabricRole:
    """One proxy among those that it was told of.

    Args:
        engine: The engine of this proxy.
        id: 16 random bytes, of this start.
        urls: The others, 1 to 15.
        new_epoch: Returns 16 random bytes.
        now_s: Monotonic clock, at the start.

    Attributes:
        news: What the shell has to do; it takes it from here.
        stale_topics: What publishers were asked for in the terms before; the shell takes it.
    """

    def __init__(
        self,
        engine: TermEngine,
        id: bytes,
        urls: Sequence[str],
        new_epoch: Callable[[], bytes],
        now_s: float,
    ) -> None:
        self._engine = engine
        self._urls = tuple(urls)
        self._new_epoch = new_epoch
        self._election = Election(id, len(urls), now_s)
        self._held: dict[bytes, None] = {}
        self._reporting: OrderedDict[bytes, float] = OrderedDict()
        self._number = 0
        engine.tables.has_others = True
        self._digested: tuple[Access | None, bytes] = None, b""
        self.news: dict[Decision, None] = {}
        self.stale_topics: list[bytes] = []

    @property
    def role(self) -> ProxyRole:
        """What this proxy is."""
        return self._election.role

    @property
    def ids(self) -> tuple[bytes, ...]:
        """The own id, and those of the others that were heard; safe from another thread."""
        return self._election.id, *self._election.others.ids

    @property
    def holds(self) -> bool:
        """Whether no message of a client may be handled."""
        return self._election.holds

    def reports(self, connection: bytes) -> bool:
        """Tell whether a connection is one of another proxy."""
        return connection in self._reporting

    # -- reports ---------------------------------------------------------------------------------

    def next_report(self) -> tuple[bytes, bytes]:
        """Return the next report, head and body, for all others."""
        self._number = (self._number + 1) & heads.MAX_NUMBER
        return self._report(self._number, is_answer=False)

    def _report(self, number: int, *, is_answer: bool) -> tuple[bytes, bytes]:
        election, tables = self._election, self._engine.tables
        report = RoleReport(
            id=election.id,
            term=election.term,
            role=election.role,
            asked=election.is_asked,
            answer=is_answer,
            clients=len(tables.peers),
            users=self._users(),
        )
        body = role_messages.pack_report(report)
        return heads.pack(Verb.ROLE, len(body), number=number), body

    def _users(self) -> bytes:
        """Return the digest of who may do what; empty without keys."""
        access = self._engine.tables.access
        if access is not self._digested[0]:
            self._digested = access, b"" if access is None else digest_of(access)
        return self._digested[1]

    def on_answer(self, place: int, head: bytes, body: bytes, now_s: float) -> list[Output]:
        """Handle what came back over the own connection to another proxy.

        Raises:
            WireError: It is malformed.
        """
        single = heads.unpack_single(head)
        if single is None or single[1] != Verb.ROLE:
            return []  # a WHO, as from one that was told of no other
        _, _, _, _, number, *_ = single
        report = role_messages.unpack_report(body)
        return self._follow(self._election.on_report(report, now_s, place, number), now_s)

    def on_message(
        self, connection: bytes, head: bytes, body: Any, now_s: float, origin: Origin
    ) -> list[Output] | None:
        """Handle a message of a connection that has not said HELLO; None for one like any other.

        Raises:
            WireError: It is malformed.
        """
        single = heads.unpack_single(head) if head else None
        if single is None:
            return None
        _, verb, _, _, number, *_ = single
        if verb == Verb.ROLE:
            return self._on_role(connection, number, bytes(body), now_s, origin)
        if verb == Verb.HELLO and self.role is ProxyRole.STANDBY and not self._election.stops:
            return self._on_hello(connection, bytes(body), now_s, origin)
        return None

    def _on_role(
        self, connection: bytes, number: int, body: bytes, now_s: float, origin: Origin
    ) -> list[Output]:
        counts = self._engine.counts
        if self._engine.tables.access is not None and not is_proxy(origin.user):
            raise WireError("foreign_role", "its key is none of another proxy")
        report = role_messages.unpack_report(body)
        if origin.user:
            self._engine.admission.remember(connection, origin)
        if report.id == self._election.id:
            counts["drop.own_role"] += 1  # the answer tells which of the URLs leads to itself
            outputs: list[Output] = []
        else:
            outputs = self._follow(self._election.on_report(report, now_s), now_s)
        if report.answer:
            return outputs
        if now_s < self._reporting.get(connection, -ANSWER_AGAIN_S) + ANSWER_AGAIN_S:
            counts["drop.role_flood"] += 1
            return outputs
        self._reporting[connection] = now_s
        self._reporting.move_to_end(connection)
        if len(self._reporting) > MAX_REPORTING:
            self._reporting.popitem(last=False)
        return [*outputs, (SEND, connection, *self._report(number, is_answer=True))]

    # -- clients of a standby --------------------------------------------------------------------

    def _on_hello(
        self, connection: bytes, body: bytes, now_s: float, origin: Origin
    ) -> list[Output] | None:
        try:
            hello = greetings.unpack_hello(body)
        except WireError:
            return None  # it is refused as anywhere
        admission = self._engine.admission
        is_full = len(self._held) >= MAX_HELD and connection not in self._held
        if is_full or not hello.alone or not admission.may_enter(hello, origin):
            outputs = self.forget(connection, now_s)
            if self.role is ProxyRole.STANDBY:
                return [*outputs, self._refusal(connection, now_s)]
            return [*outputs, admission.who(connection)]  # it has taken over in this moment
        # Taking over: a refused client would try the hanging leader once more.
        self._held[connection] = None
        if origin.user:
            admission.remember(connection, origin)
        return self._follow(self._election.on_asked(True, now_s), now_s)

    def forget(self, connection: bytes, now_s: float) -> list[Output]:
        """Forget a connection that is gone."""
        self._reporting.pop(connection, None)
        if connection not in self._held:
            return []
        del self._held[connection]
        return [] if self._held else self._follow(self._election.on_asked(False, now_s), now_s)

    def _refusal(self, connection: bytes, now_s: float) -> Output:
        leader = self._leader(now_s)
        known = [leader] if leader in self._urls else []
        others = [url for place, url in enumerate(self._urls) if not self._is_own(place, now_s)]
        fabric = list(dict.fromkeys([*known, *others]))[:MAX_FABRIC]
        if known:
            text = f"it stands by for {leader}, which leads: give clients the URLs of both"
        elif leader:
            text = f"it stands by for a leader that it hears, one of {', '.join(fabric)}"
        else:
            text = f"it stands by, and hears no leader; the others are {', '.join(fabric)}"
        return self._engine.admission.refused_by_standby(connection, text, fabric)

    def _leader(self, now_s: float) -> str:
        """Return the URL of the leader that is heard; empty if none is."""
        for _, place in self._election.others.leaders(now_s):
            return UNKNOWN_URL if place is None else self._urls[place]
        return ""

    def _is_own(self, place: int, now_s: float) -> bool:
        return self._election.others.standing(place, now_s) is Standing.OWN

    # -- the role --------------------------------------------------------------------------------

    def on_closed(self, place: int, now_s: float) -> list[Output]:
        """Handle that the port of another proxy refuses connections."""
        return self._follow(self._election.on_closed(place, now_s), now_s)

    def on_not_closed(self, place: int, now_s: float) -> list[Output]:
        """Handle that an attempt to connect to another proxy was not refused, and failed."""
        return self._follow(self._election.on_not_closed(place, now_s), now_s)

    def on_stood_still(self, now_s: float) -> list[Output]:
        """Handle that the loop stood still for 0.8 s or longer."""
        self._engine.tables.be_patient(now_s + PATIENT_S)
        return self._follow(self._election.on_stood_still(now_s, self._number + 1), now_s)

    def on_stop(self, now_s: float) -> list[Output]:
        """Handle that this proxy is asked to stop."""
        return self._follow(self._election.on_stop(now_s), now_s)

    def stand_down(self, now_s: float) -> list[Output]:
        """Stand by, once the clients have left or their time is over."""
        self._begin_term(now_s)
        return self._follow(self._election.on_stood_down(now_s), now_s)

    def tick(self, now_s: float) -> list[Output]:
        """Decide what follows from the time; call it every 100 ms."""
        return self._follow(self._election.tick(now_s), now_s)

    def _begin_term(self, now_s: float) -> None:
        self.stale_topics += self._engine.begin_term(self._new_epoch(), now_s)
        tables = self._engine.tables
        tables.has_others, tables.half = True, self._election.half
        if tables.half:
            tables.be_patient(now_s + PATIENT_S)

    def _follow(self, decisions: Iterable[Decision], now_s: float) -> list[Output]:
        """Carry out what was decided, as far as the engine does it."""
        outputs: list[Output] = []
        for decision in decisions:
            self.news[decision] = None
            outputs += self._done(decision, now_s)
        return outputs

    def _done(self, decision: Decision, now_s: float) -> list[Output]:
        engine = self._engine
        if decision is Decision.TAKE_OVER:
            engine.counts["failover.taken_over"] += 1
            self._begin_term(now_s)
            return [engine.admission.who(each) for each in self._released(now_s)]
        if decision is Decision.STEP_DOWN:
            engine.counts["failover.stepped_down"] += 1
            return engine.go_away()
        if decision is Decision.HALF:
            engine.tables.half = self._election.half
            here = [each for each in engine.tables.peers if each.absent_at_s is None]
            return [engine.admission.welcome(each) for each in here]
        if decision is Decision.LEADER_HEARD:
            return [self._refusal(each, now_s) for each in self._released(now_s)]
        return []

    def _released(self, now_s: float) -> list[bytes]:
        """Return the connections that are held, and hold them no longer."""
        released = [*self._held]
        self._held.clear()
        self.news |= dict.fromkeys(self._election.on_asked(False, now_s))
        return released

    # -- what is told ----------------------------------------------------------------------------

    def state(self, now_s: float) -> FabricState:
        """Return the part of this proxy in the fabric."""
        peers = tuple(self._facts_of(place, now_s) for place in range(len(self._urls)))
        return FabricState(self.role.value, self._election.term, peers)

    def _facts_of(self, place: int, now_s: float) -> Mapping[str, Any]:
        others = self._election.others
        standing, found = others.standing(place, now_s), others.report_of(place)
        facts: dict[str, Any] = {"url": self._urls[place], "role": standing.name.lower()}
        if found is None or standing in (Standing.OWN, Standing.CLOSED):
            return facts
        report, came_s = found
        if standing is Standing.HEARD:
            facts["role"] = report.role.value
        facts |= {"term": report.term, "clients": report.clients, "heard_s": now_s - came_s}
        if self._engine.tables.access is not None:
            facts["same_users"] = self._has_same_users(report)
        return facts

    def _has_same_users(self, report: RoleReport) -> bool:
        return report.users == self._users()

    def view(self, now_s: float) -> FabricView:
        """Return what there is to tell of."""
        election, others = self._election, self._election.others
        by_place = dict(enumerate(self._urls))
        at = {place: others.standing(place, now_s) for place in by_place}
        heard = others.heard(now_s)
        absent = [each for each in at if at[each] in (Standing.SILENT, Standing.CLOSED)]
        silent = [each for each in absent if at[each] is Standing.SILENT and election.half]
        differing = [
            place
            for report, place in heard
            if place is not None and not self._has_same_users(report)
        ]
        return FabricView(
            leads=self.role is ProxyRole.LEADER,
            steps_down=self.role is ProxyRole.LEAVING and not election.stops,
            term=election.term,
            leader=self._leader(now_s),
            silent=self._named(silent),
            absent=self._named(absent),
            heard=bool(heard),
            other_users=self._named(differing),
            own=self._named(each for each in at if at[each] is Standing.OWN),
            settled=others.are_settled(now_s),
        )

    def _named(self, places: Iterable[int]) -> tuple[str, ...]:
        return tuple(self._urls[each] for each in sorted(places))
