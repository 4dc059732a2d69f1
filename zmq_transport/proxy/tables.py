"""The state that the parts of the engine share: tables, counters, the copies. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import attrs

from ..access.rights import EVERYTHING, Access, Grant
from ..wire import heads
from ..wire.heads import Reason
from .copy_budget import CopyBudget
from .counter_names import BOUNCED
from .deferred_notices import DeferredNotices
from .ledger import Ledger
from .liveness import Liveness
from .parking import Parking
from .peers import Namespace, Peers
from .settings import Settings
from .worker_news import WorkerNews

SEND: Final = 0
PUBLISH: Final = 1
CUT: Final = 2
_START_BYTES: Final = 512

Output = tuple[int, Any, bytes, Any]
"""(SEND, connection, head, body), (PUBLISH, topic, header, body) or (CUT, line, b"", reason).

A line is what the shell put into an `Origin`; the end of its connection is reported as any other.
"""

LostNotice = Callable[[str, frozenset[str], bytes, str], tuple[int, bytes]]
"""(name, capabilities, instance, reason) -> (kind, body) of the broadcast about a lost seat."""

MessageTap = Callable[[str, int, int, bytes, str, bytes], None]
"""(namespace, verb, kind, trace, name or address or reason, body) of a message."""


def empty_lost_notice(
    name: str, capabilities: frozenset[str], instance: bytes, reason: str
) -> tuple[int, bytes]:
    """Return kind 0 and an empty body: the default, which an application replaces."""
    return 0, b""


@attrs.define
class Tables:
    """The state of the proxy: soft state that the messages of its clients rebuild.

    Args:
        epoch: 16 bytes, new at every start.
        now_s: Monotonic clock, at the start.
        settings: How the proxy behaves.
        parking: Tasks that wait for workers after the start.
        lost_notice: Makes the broadcast that announces a lost seat.
        tap: Receives the facts of each message, for a log.
        reports_ends: True when the end of every connection is reported at once.
        access: Who may do what; None without keys.
        counts: Counters by name, see `zmq_transport.counters`; they go on from term to term.

    Attributes:
        wanted: By ledger key, the query about each task that no worker has claimed yet.
        has_others: True if the proxy was told of others.
        half: True while one of these is silent, so that there may be two leaders.
        patient_until_s: Until when no task is given up because a worker is missing.
    """

    epoch: bytes
    now_s: float
    settings: Settings
    parking: Parking
    lost_notice: LostNotice = empty_lost_notice
    tap: MessageTap | None = None
    reports_ends: bool = False
    access: Access | None = None
    counts: Counter[str] = attrs.field(factory=Counter)
    peers: Peers = attrs.field(init=False)
    ledger: Ledger = attrs.field(init=False)
    worker_news: WorkerNews = attrs.field(factory=WorkerNews, init=False)
    notices: DeferredNotices = attrs.field(factory=DeferredNotices, init=False)
    wanted: dict[bytes, Any] = attrs.field(factory=dict, init=False)
    has_others: bool = attrs.field(default=False, init=False)
    half: bool = attrs.field(default=False, init=False)
    liveness: Liveness = attrs.field(init=False)
    budget: CopyBudget = attrs.field(init=False)
    patient_until_s: float = attrs.field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self.peers = Peers(self.epoch)
        self.ledger = Ledger(self.settings.max_tasks, self.settings.max_tasks_per_caller)
        self.liveness = Liveness(self.settings.silent_after_s)
        self.budget = CopyBudget(self.settings.copy_bytes_per_s, self.now_s)

    def be_patient(self, until_s: float) -> None:
        """Wait for workers until then: they notice later than others that a proxy hangs.

        Spec: docs/spec/12-failover.md, "Taking over".
        """
        self.patient_until_s = until_s
        self.parking.until_s = max(self.parking.until_s, until_s)

    @property
    def max_open_bytes(self) -> float:
        """Limit of the bytes of the open tasks of one client's seats."""
        # 03-routing, "Bounds" 3: a shell that reports ends holds what waits for a client itself,
        # and bounds it; libzmq holds it without a bound in bytes.
        return float("inf") if self.reports_ends else self.settings.max_open_bytes

    def grant_of(self, user: str) -> Grant | None:
        """Return what a user may do, everything without keys; None if it is not listed."""
        return EVERYTHING if self.access is None else self.access.grant_of(user)

    def fix_for(self, refusal: str, user: str, what: str = "") -> str:
        """Return what to do about a refusal; empty if the application did not say."""
        return "" if self.access is None else self.access.fix_for(refusal, user, what)

    def copies(
        self,
        namespace: Namespace,
        kind: int,
        trace: bytes,
        caller: bytes,
        worker: bytes,
        body: Any,
        *,
        is_task: bool = False,
    ) -> list[Output]:
        """Return the copies of a TASK, a REPLY or presence: one for each subscribed topic."""
        # 11-access, "What is checked" 8: a copy of what only a publication may be would be one, and
        # by the kind listeners tell whether it comes from the caller or from the worker.
        if self.access is not None and not self._is_copied(kind, body, is_task):
            self.counts["drop.reserved_kind"] += 1
            return []
        return self.made_copies(namespace, kind, trace, caller, worker, body)

    def _is_copied(self, kind: int, body: Any, is_task: bool) -> bool:
        settings = self.settings
        if kind in settings.published_kinds:
            return False
        if settings.task_kinds and is_task is not (kind in settings.task_kinds):
            return False
        return self.kinds_said(body, (len(body),)) in ((), (kind,))

    def kinds_said(self, body: Any, sizes: Sequence[int]) -> Collection[int]:
        """Return the kinds that the bodies in a message say themselves, as far as they say one."""
        read = self.settings.read_kind
        if read is None:
            return ()
        view = memoryview(body)
        if len(sizes) == 1:  # hot: most publications are no batch
            said = read(bytes(view[:_START_BYTES]))
            return () if said is None else (said,)
        at, kinds = 0, set[int]()
        for size in sizes:
            said = read(bytes(view[at : at + min(size, _START_BYTES)]))
            at += size
            if said is not None:
                kinds.add(said)
        return kinds

    def made_copies(
        self, namespace: Namespace, kind: int, trace: bytes, caller: bytes, worker: bytes, body: Any
    ) -> list[Output]:
        """Return the broadcast messages of one body: one for each subscribed topic."""
        made = namespace.subscribed.publications(kind, trace, caller, worker, body)
        if not made:
            return []
        self.counts["copies"] += len(made)
        return [(PUBLISH, *each) for each in made if self.may_publish(namespace.name, len(body))]

    def may_publish(self, namespace: str, size: int) -> bool:
        """Return whether a message of `size` bytes may go out to subscribers; count it if not.

        It has its sequence number already, so a subscriber detects the gap.
        """
        if self.budget.spend(namespace, size):
            return True
        self.counts["drop.copy_budget"] += 1
        return False

    def returned(self, connection: bytes, head: bytes, body: Any, reason: Reason) -> Output:
        """Return a message whole to its sender, which sends it again to a proxy that is ready.

        Raises:
            WireError: `head` is malformed, or is full.
        """
        self.counts[BOUNCED[reason]] += 1
        return SEND, connection, heads.bounced_whole(head, reason), reason.encode() + bytes(body)

    def tap_message(
        self, namespace: Namespace, verb: int, kind: int, trace: bytes, where: Any, body: Any
    ) -> None:
        """Pass the facts of a message to the tap, if one is set."""
        if self.tap is not None:
            text = where.decode(errors="replace") if isinstance(where, bytes) else str(where)
            self.tap(namespace.name, verb, kind, trace, text, bytes(body))
