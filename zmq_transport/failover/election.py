"""Who leads: when a standby takes over, and when a leader steps down. Pure.

Spec: docs/spec/12-failover.md, "Taking over" and "Stepping down". No socket and no clock: the
caller passes `now_s` from its monotonic clock, and carries out what is decided. What is known of
the others is in `others`.
"""

from __future__ import annotations

import enum
from typing import Final

import attrs

from ..wire.role_messages import MAX_TERM, ProxyRole, RoleReport
from .others import Others, Standing

ASKED_S: Final = 1.0
"""How long a client counts that asked, and has left."""
YIELD_S: Final = 0.3
"""How long one waits for a standby with a lower id that was asked as well."""
ANSWER_S: Final = 1.0
"""How long a leader that stood still waits for answers."""


class Decision(enum.Enum):
    """What is to be done."""

    TAKE_OVER = enum.auto()
    """Begin a term: with a new epoch and empty tables."""
    STEP_DOWN = enum.auto()
    """Drain, cut every connection, and then call `on_stood_down`."""
    REPORT = enum.auto()
    """Report to the others now."""
    HALF = enum.auto()
    """Tell every client: `half` has changed."""
    LEADER_HEARD = enum.auto()
    """Tell those who wait that another one leads."""


@attrs.define
class _AnswersWanted:
    """What a leader waits for that stood still.

    Args:
        number: Answers to reports from this number on count.
        until_s: When it waits no more.
        places: Those that have not answered.
    """

    number: int
    until_s: float
    places: set[int]


class Election:
    """The role of one proxy among the others.

    Args:
        id: 16 random bytes, of this start.
        places: How many others it was told of.
        now_s: Monotonic clock, at the start.

    Attributes:
        role: What it is.
        term: Of a leader the term that it leads, else the highest that it knows.
        half: True while it leads and one of the others is silent.
        others: What it knows of them.
        is_asked: True if a client asks it to lead, or did so in the last second.
        stops: True once it was asked to stop.
    """

    def __init__(self, id: bytes, places: int, now_s: float) -> None:
        self.id = id
        self.role = ProxyRole.STANDBY
        self.term = 0
        self.half = False
        self.is_asked = False
        self.others = Others(places, now_s)
        self._places = places
        self._highest = 0
        self._asks = False
        self._asked_at_s = float("-inf")
        self._yields: dict[bytes, float] = {}
        self._awaited: _AnswersWanted | None = None
        self.stops = False

    @property
    def holds(self) -> bool:
        """Whether it must handle no message of a client: it may have been replaced meanwhile."""
        return self._awaited is not None

    # -- what happens ----------------------------------------------------------------------------

    def on_report(
        self, report: RoleReport, now_s: float, place: int | None = None, number: int = 0
    ) -> list[Decision]:
        """Handle the report of another proxy.

        Args:
            report: The report.
            now_s: Monotonic clock.
            place: Where it answers from; None if it came in by itself.
            number: The number of the own report that it answers.
        """
        if report.id == self.id:
            if place is not None:
                self.others.on_own(place)
            return self.tick(now_s)
        self._highest = max(self._highest, report.term)
        if self.role is ProxyRole.STANDBY:
            self.term = self._highest
        counts = self.others.on_report(report, place, now_s)
        if self._awaited is not None and place is not None and number >= self._awaited.number:
            self._awaited.places.discard(place)
        made = self.tick(now_s)
        # Not one that was heard before: it may have ended since then.
        leads = counts and report.role is ProxyRole.LEADER
        if leads and self._asks and self.role is ProxyRole.STANDBY:
            made.append(Decision.LEADER_HEARD)
        return made

    def on_closed(self, place: int, now_s: float) -> list[Decision]:
        """Handle that the port of another proxy refuses connections."""
        self.others.on_closed(place, now_s)
        return self.tick(now_s)

    def on_not_closed(self, place: int, now_s: float) -> list[Decision]:
        """Handle that an attempt to connect to another proxy was not refused, and failed."""
        self.others.on_not_closed(place, now_s)
        return self.tick(now_s)

    def on_asked(self, asks: bool, now_s: float) -> list[Decision]:
        """Handle that a client asks it to lead, or that none does so any more.

        Args:
            asks: True while a client waits for it.
            now_s: Monotonic clock.
        """
        if asks or self._asks:
            self._asked_at_s = now_s
        self._asks = asks
        return self.tick(now_s)

    def on_stood_still(self, now_s: float, next_number: int) -> list[Decision]:
        """Handle that the own loop stood still for so long that others may have taken over.

        Args:
            now_s: Monotonic clock.
            next_number: The number of the next own report.
        """
        self.others.begin_anew(now_s)
        self._yields.clear()
        if self.role is not ProxyRole.LEADER:
            return self.tick(now_s)
        self._awaited = _AnswersWanted(next_number, now_s + ANSWER_S, set(range(self._places)))
        return [Decision.REPORT, *self.tick(now_s)]

    def on_stop(self, now_s: float) -> list[Decision]:
        """Handle that it is asked to stop."""
        self.stops = True
        if self.role is not ProxyRole.LEADER:
            return []
        self._leave()
        return [Decision.REPORT]

    def on_stood_down(self, now_s: float) -> list[Decision]:
        """Handle that it has stepped down: it stands by from now on."""
        self.role, self.term = ProxyRole.STANDBY, self._highest
        self._asks, self._asked_at_s = False, float("-inf")
        return [Decision.REPORT, *self.tick(now_s)]

    def tick(self, now_s: float) -> list[Decision]:
        """Decide what follows from the time; call it every 100 ms."""
        if self.role is ProxyRole.LEADER:
            return self._lead(now_s)
        if self.role is ProxyRole.STANDBY:
            return self._stand_by(now_s)
        return []

    # -- decisions -------------------------------------------------------------------------------

    def _stand_by(self, now_s: float) -> list[Decision]:
        made: list[Decision] = []
        if self._is_asked(now_s) is not self.is_asked:
            self.is_asked = not self.is_asked
            made.append(Decision.REPORT)
        may = self.is_asked and not self.stops and not self.others.leaders(now_s)
        if not (may and self.others.are_settled(now_s)):
            self._yields.clear()
            return made
        if not self._is_first(now_s):
            return made
        self.role, self.is_asked = ProxyRole.LEADER, False
        self.term = self._highest = min(self._highest + 1, MAX_TERM)
        self.half = self.others.is_one_silent(now_s)
        self._yields.clear()
        return [Decision.TAKE_OVER, Decision.REPORT]

    def _is_asked(self, now_s: float) -> bool:
        return self._asks or now_s - self._asked_at_s < ASKED_S

    def _is_first(self, now_s: float) -> bool:
        """Tell whether no other standby goes ahead: one that was asked too, with a lower id."""
        lower = {
            report.id
            for report, _ in self.others.heard(now_s)
            if report.role is ProxyRole.STANDBY and report.asked and report.id < self.id
        }
        self._yields = {each: self._yields.get(each, now_s) for each in lower}
        return all(now_s - since_s >= YIELD_S for since_s in self._yields.values())

    def _lead(self, now_s: float) -> list[Decision]:
        above = [
            report
            for report, _ in self.others.leaders(now_s)
            if (report.term, self.id) > (self.term, report.id)
        ]
        if above:
            self._leave()
            return [Decision.STEP_DOWN, Decision.REPORT]
        if self._awaited is not None and self._has_answers(self._awaited, now_s):
            self._awaited = None
        if self.half is self.others.is_one_silent(now_s):
            return []
        self.half = not self.half
        return [Decision.HALF]

    def _has_answers(self, awaited: _AnswersWanted, now_s: float) -> bool:
        settled = (Standing.CLOSED, Standing.OWN)
        return now_s >= awaited.until_s or all(
            self.others.standing(place, now_s) in settled for place in awaited.places
        )

    def _leave(self) -> None:
        self.role, self.half, self._awaited = ProxyRole.LEAVING, False, None
