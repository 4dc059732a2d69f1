"""What one proxy knows of the others: who is heard, closed or silent. Pure.

Spec: docs/spec/12-failover.md, "Reports". The caller passes `now_s` from its monotonic clock. A
place is one of the URLs that a proxy was told, by its number. An id is one start of a process. The
answer to a report tells which id is at a place; a report that comes in does not.
"""

from __future__ import annotations

import enum
from typing import Final

import attrs

from ..wire.role_messages import ProxyRole, RoleReport

HEARD_S: Final = 1.0
"""How long a report counts."""
LATE_S: Final = 0.1
"""How long after the end of a process its last report may still come in."""
MAX_IDS: Final = 64


class Standing(enum.Enum):
    """What is known of a place."""

    HEARD = enum.auto()
    CLOSED = enum.auto()
    """Nobody listens there."""
    SILENT = enum.auto()
    UNKNOWN = enum.auto()
    """It is looked at since less than a second."""
    OWN = enum.auto()
    """It is this proxy itself."""


_UNHEARD: Final = frozenset({Standing.SILENT, Standing.UNKNOWN})


@attrs.define
class _Place:
    """One place.

    Attributes:
        since_s: Its last report, or since when it is looked at.
        id: Who answered there last.
        is_own: True if that is this proxy itself.
        closed_at_s: Since when nobody listens there; None if that is not so.
        ended: The id that was there before.
        lives: The id that reports although its port refuses connections: something in between does.
    """

    since_s: float
    id: bytes = b""
    is_own: bool = False
    closed_at_s: float | None = None
    ended: bytes = b""
    lives: bytes = b""


class Others:
    """The places that a proxy was told, and the reports from there.

    Args:
        count: How many places.
        now_s: Monotonic clock, at the start.
    """

    def __init__(self, count: int, now_s: float) -> None:
        self._places = [_Place(now_s) for _ in range(count)]
        self._reports: dict[bytes, tuple[RoleReport, float]] = {}

    # -- what happens ----------------------------------------------------------------------------

    def on_report(self, report: RoleReport, place: int | None, now_s: float) -> bool:
        """Record a report.

        Args:
            report: The report.
            place: Where it answers from; None if it came in by itself.
            now_s: Monotonic clock.

        Returns:
            False if it does not count: its process has ended.
        """
        if place is not None:
            self._settle(self._places[place], report.id)
        for each in self._places:
            if each.ended == report.id and each.closed_at_s is not None and place is None:
                if now_s - each.closed_at_s < LATE_S:
                    return False  # the last words of a process that has ended
                each.lives, each.id = report.id, report.id
            if each.id == report.id:
                each.since_s, each.closed_at_s = now_s, None
        self._reports.pop(report.id, None)
        self._reports[report.id] = report, now_s
        if len(self._reports) > MAX_IDS:
            del self._reports[next(iter(self._reports))]
        return True

    def _settle(self, place: _Place, found: bytes) -> None:
        """Record who is at a place now."""
        if place.id and place.id != found and self._places_of(place.id) == 1:
            self._reports.pop(place.id, None)  # that process has ended
        place.id, place.is_own, place.lives = found, False, b""

    def on_own(self, place: int) -> None:
        """Record that a place is this proxy itself."""
        self._places[place].is_own = True

    def on_closed(self, place: int, now_s: float) -> None:
        """Record that the port of a place refuses connections."""
        at = self._places[place]
        if at.lives and self._is_heard(at.lives, now_s):
            return
        at.is_own = False
        if at.closed_at_s is not None:
            return
        if at.id and self._places_of(at.id) == 1:
            self._reports.pop(at.id, None)
        at.closed_at_s, at.ended, at.id, at.lives = now_s, at.id, b"", b""

    def on_not_closed(self, place: int, now_s: float) -> None:
        """Record that the port of a place did not refuse the last attempt."""
        at = self._places[place]
        if at.closed_at_s is not None:
            at.closed_at_s, at.since_s = None, now_s

    def begin_anew(self, now_s: float) -> None:
        """Look at every place anew: the own loop stood still, and heard nothing."""
        for each in self._places:
            each.since_s, each.closed_at_s = now_s, None

    # -- what is known ---------------------------------------------------------------------------

    def standing(self, place: int, now_s: float) -> Standing:
        """Return what is known of a place."""
        at = self._places[place]
        if at.is_own:
            return Standing.OWN
        if at.closed_at_s is not None:
            return Standing.CLOSED
        if at.id and self._is_heard(at.id, now_s):
            return Standing.HEARD
        return Standing.SILENT if now_s - at.since_s >= HEARD_S else Standing.UNKNOWN

    def report_of(self, place: int) -> tuple[RoleReport, float] | None:
        """Return the last report from a place and when it came; None if there is none."""
        return self._reports.get(self._places[place].id)

    def heard(self, now_s: float) -> list[tuple[RoleReport, int | None]]:
        """Return each report that counts, with its place; None where that is not known."""
        at = {each.id: number for number, each in enumerate(self._places) if each.id}
        return [
            (report, at.get(who))
            for who, (report, came_s) in self._reports.items()
            if now_s - came_s < HEARD_S
        ]

    @property
    def ids(self) -> tuple[bytes, ...]:
        """The ids of those that were heard and have not ended; safe from another thread."""
        return tuple(self._reports)

    def are_settled(self, now_s: float) -> bool:
        """Tell whether each place is heard, closed, or silent for long enough."""
        return Standing.UNKNOWN not in self._unheard(now_s)

    def is_one_silent(self, now_s: float) -> bool:
        """Tell whether a place is silent: there may be another leader."""
        return Standing.SILENT in self._unheard(now_s)

    def leaders(self, now_s: float) -> list[tuple[RoleReport, int | None]]:
        """Return the reports of those that lead, the highest term first."""
        found = [each for each in self.heard(now_s) if each[0].role is ProxyRole.LEADER]
        return sorted(found, key=lambda each: (-each[0].term, each[0].id))

    def _unheard(self, now_s: float) -> list[Standing]:
        """Return what is known of the places that are neither heard nor closed."""
        found = [self.standing(place, now_s) for place in range(len(self._places))]
        unheard = [each for each in found if each in _UNHEARD]
        # Their reports may come in although they do not answer: who is where is not known then,
        # but if as many are heard as there are places left, each of these is.
        elsewhere = sum(place is None for _, place in self.heard(now_s))
        return [] if elsewhere >= len(unheard) else unheard

    def _is_heard(self, who: bytes, now_s: float) -> bool:
        report = self._reports.get(who)
        return report is not None and now_s - report[1] < HEARD_S

    def _places_of(self, who: bytes) -> int:
        return sum(each.id == who for each in self._places)
