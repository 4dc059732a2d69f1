"""What a proxy knows, and those who decide about it: made anew when a term begins. Pure.

Spec: docs/spec/12-failover.md, "Roles". A proxy that was told of no other has one term. What stays
from one term to the next is handed on here: counters, users, ports, connections without a HELLO.
"""

from __future__ import annotations

from collections import Counter

from ..access.rights import Access
from .admission import Admission
from .parking import Parking
from .plain_messages import PlainMessages
from .presence import Presence
from .publications import Publications
from .questions import Questions
from .recent_counts import RecentCounts
from .resync import Resync
from .revocation import Revocation
from .settings import Settings
from .subscriptions import Subscriptions
from .tables import LostNotice, MessageTap, Tables
from .task_bundles import TaskBundles
from .tasks import Tasks


class Term:
    """The tables, and one of each that decides about them.

    Args:
        tables: Empty ones.
        recent: The growth of the counters.
        started_s: When the proxy started, on the monotonic clock.
        fast: See `Engine`.
        before: The term before this one.
    """

    def __init__(
        self,
        tables: Tables,
        recent: RecentCounts,
        started_s: float,
        *,
        fast: bool,
        before: Term | None = None,
    ) -> None:
        self.tables = tables
        self.subscriptions = Subscriptions(tables)
        self.tasks = Tasks(tables)
        self.bundles = TaskBundles(tables, self.tasks)
        self.plain = PlainMessages(tables) if fast else None
        self.presence = Presence(tables, self.tasks)
        self.publications = Publications(tables)
        self.resync = Resync(tables, self.tasks)
        self.admission = Admission(tables, self.presence, self.resync)
        self.revocation = Revocation(
            tables, self.presence, self.admission, self.subscriptions, self.publications
        )
        self.questions = Questions(
            tables, self.subscriptions, self.resync.wanted_of, recent, started_s
        )
        if before is not None:
            tables.access = before.tables.access
            self.admission.go_on(before.admission)
            self.revocation.go_on(before.revocation)


Shell = tuple[LostNotice, MessageTap | None, bool, Access | None]
"""What the shell gives to the tables, see `Tables`."""


class Terms:
    """Begins the terms of one proxy.

    Args:
        settings: Timeouts and limits.
        shell: What the shell gives.
        now_s: Monotonic clock, at the start of the proxy.
        fast: See `Engine`.

    Attributes:
        counts: The counters, which go on from term to term.
    """

    def __init__(self, settings: Settings, shell: Shell, now_s: float, *, fast: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._settings = settings
        self._shell = shell
        self._started_s = now_s
        self._recent = RecentCounts(self.counts, now_s)
        self._fast = fast

    def begin(self, epoch: bytes, now_s: float, before: Term | None = None) -> Term:
        """Return a new term.

        Args:
            epoch: 16 bytes, never used before.
            now_s: Monotonic clock.
            before: The term before it.
        """
        parking = Parking(until_s=now_s + self._settings.parking_s)
        tables = Tables(epoch, now_s, self._settings, parking, *self._shell, self.counts)
        return Term(tables, self._recent, self._started_s, fast=self._fast, before=before)
