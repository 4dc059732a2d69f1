"""Who has which task, after a connection or the proxy was lost. Spec: docs/spec/09-resync.md. Pure.

Callers list what they have open, workers what they hold; what does not meet is asked for. A
task that nobody has goes back to its caller: as not started when every worker has said so, as
unknown when one of them is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..wire import heads, resync_messages
from ..wire.heads import Reason, Verb
from ..wire.resync_messages import Claim, Held, Opened, ResendKind, WorkersFlag
from .caller_lists import CallerLists
from .ledger import Entry
from .peers import Namespace, Peer
from .routing import Seat
from .tables import SEND, Output, Tables
from .tasks import Tasks
from .worker_queries import KnownWorkers, WorkerQueries, WorkerQuery, workers_of

MISSING_S: Final = 1.0
"""How long a worker may be missing until its tasks are given up."""
SILENT_S: Final = 10.0
"""How long one that is connected, or a caller of a task that runs, may say nothing."""
MAX_WANTED: Final = 200_000
MAX_OPEN: Final = 500_000

Row = tuple[bytes, bytes, int]
"""task, trace, index of the first reply that is wanted."""


class Resync:
    """Rebuilds the ledger, and finds out what became of the tasks that are in nobody's hands."""

    def __init__(self, tables: Tables, tasks: Tasks) -> None:
        self._tables = tables
        self._tasks = tasks
        self._ledger = tables.ledger
        self._wanted: dict[bytes, WorkerQuery] = tables.wanted
        self._questions = WorkerQueries()
        self._listings = CallerLists(tables.counts)
        self._half_since_s: dict[bytes, float] = {}
        self.misses_workers = False

    # -- what callers say ------------------------------------------------------------------------

    def workers(self, peer: Peer, kind: int, body: bytes) -> list[Output]:
        """Take the workers that a caller knew, or its wish to be told of them.

        Raises:
            WireError: It is no list of instances.
        """
        ids = resync_messages.read_workers(body)
        if not ids and not kind:
            return [(SEND, *letter) for letter in self._tables.worker_news.subscribe(peer)]
        if kind & WorkersFlag.UNCONFIRMED:
            ids = [each for each in ids if self._tables.worker_news.has_met(each)]
        self._listings.workers(peer, kind, ids)
        return []

    def listed(
        self, peer: Peer, items: Sequence[heads.Item], body: bytes, now_s: float
    ) -> list[Output]:
        """Take a page of the tasks that a caller has open.

        Raises:
            WireError: An item is malformed.
        """
        outputs: list[Output] = []
        rows: list[Row] = []
        asked: dict[Peer, list[Row]] = {}
        for item, part in zip(items, heads.split_body(items, body), strict=True):
            if item[2] == ResendKind.END:
                outputs += self._end_of_list(peer, now_s)
                continue
            opened = resync_messages.read_opened(item, part)
            if item[2] == ResendKind.OPEN:
                self._listings.task(peer, opened[0])
            worker = self._hands(peer, opened)
            if worker is not None:
                asked.setdefault(worker, []).append(opened[:3])
            elif not self._is_waiting(peer, opened[0]):
                rows.append(opened[:3])
        known = self._listings.known_by(peer) if items[0][2] == ResendKind.OPEN else KnownWorkers()
        outputs += self._ask_each(peer, asked, now_s)
        return outputs + self._ask(peer, rows, known, None, now_s)

    def _hands(self, peer: Peer, opened: Opened) -> Peer | None:
        """Return the worker that has a task; a claim from another namespace is none."""
        task, _, _, _, keep = opened
        entry = self._ledger.find(peer.instance, task)
        if entry is None:
            return None
        if entry.seat.peer.namespace is not peer.namespace:
            self._ledger.settle(entry)
            return None
        entry.keep = keep
        worker: Peer = entry.seat.peer
        return worker

    def _is_waiting(self, peer: Peer, task: bytes) -> bool:
        parking = self._tables.parking
        return peer.instance + task in self._wanted or parking.holds(peer.instance, task)

    def _ask_each(self, caller: Peer, asked: dict[Peer, list[Row]], now_s: float) -> list[Output]:
        """Ask each worker for what is in its hands."""
        outputs: list[Output] = []
        for worker, rows in asked.items():
            outputs += self._ask(caller, rows, KnownWorkers(), worker, now_s)
        return outputs

    def _ask(
        self, caller: Peer, rows: list[Row], known: KnownWorkers, only: Peer | None, now_s: float
    ) -> list[Output]:
        if not rows:
            return []
        outputs: list[Output] = []
        if only is None:
            room = max(0, MAX_WANTED - len(self._wanted))
            for task, trace, _ in rows[room:]:
                outputs.append(self._tasks.lost(caller, heads.NOBODY, task, trace, Reason.UNKNOWN))
            rows = rows[:room]
            outputs += self._meet(caller.namespace, known, now_s)
        for at in range(0, len(rows), resync_messages.MAX_ASKED):
            chunk = rows[at : at + resync_messages.MAX_ASKED]
            question, sent = self._questions.put(caller, chunk, known, only, now_s)
            outputs += sent
            if only is None:
                self._tables.counts["resync.wanted"] += len(question.tasks)
                for task in question.tasks:
                    self._wanted[caller.instance + task] = question
        return outputs

    def _meet(self, namespace: Namespace, known: KnownWorkers, now_s: float) -> list[Output]:
        """Take everyone for a worker whom a caller took for one."""
        by_instance, worker_news = self._tables.peers.by_instance, self._tables.worker_news
        met = (by_instance.get(instance) for instance in known.workers)
        return [
            (SEND, *letter)
            for peer in met
            if peer is not None and peer.namespace is namespace and not peer.worker
            for letter in worker_news.came(peer, now_s)
        ]

    def _end_of_list(self, peer: Peer, now_s: float) -> list[Output]:
        """Cancel the tasks of a caller that it did not list, and ask whether they ever arrived."""
        peer.listed = True
        listing = self._listings.forget(peer)
        self._half_since_s.pop(peer.instance, None)
        if listing.is_cut:
            return []
        caller, tasks = peer.instance, listing.tasks
        left = [each for each in self._ledger if each.caller == caller and each.key not in tasks]
        asked: dict[Peer, list[Row]] = {}
        for entry in left:
            asked.setdefault(entry.seat.peer, []).append((entry.task, entry.trace, 0))
        return self._tasks.cancel_orphans(left) + self._ask_each(peer, asked, now_s)

    def withdraw(self, caller: bytes, task: bytes) -> None:
        """Look no longer for a task that its caller took back."""
        question = self._wanted.pop(caller + task, None)
        if question is not None:
            self._drop(question, task)

    # -- what workers say ------------------------------------------------------------------------

    def claimed(
        self, peer: Peer, items: Sequence[heads.Item], name: bytes, body: bytes, now_s: float
    ) -> list[Output]:
        """Take what a worker has: unasked, or the answer to the question of that name.

        Raises:
            WireError: An item is malformed.
        """
        outputs: list[Output] = [
            (SEND, *letter) for letter in self._tables.worker_news.came(peer, now_s)
        ]
        question = self._questions.named(name, peer) if name else None
        for item, part in zip(items, heads.split_body(items, body), strict=True):
            if item[2] == Claim.END:
                self._questions.answered(name, peer)
                continue
            held = resync_messages.read_claim(item, part)
            if question is not None and question.only is peer and question.caller == held[0]:
                self._drop(question, held[1])
            outputs += self._claim(peer, held, now_s)
        return outputs

    def _claim(self, peer: Peer, held: Held, now_s: float) -> list[Output]:
        caller_id, task, _, _, state, _, _ = held
        entry = self._ledger.find(caller_id, task)
        if entry is not None and entry.seat.peer is not peer:
            self._tables.counts["drop.claim_taken"] += 1
            return []
        caller = self._tables.peers.by_instance.get(caller_id)
        if caller is not None and caller.namespace is not peer.namespace:
            self._tables.counts["drop.claim_foreign"] += 1
            return []
        question = self._wanted.pop(caller_id + task, None)
        if question is not None:
            self._drop(question, task)
        if state == Claim.FORGOTTEN:
            return self._forgotten(peer, held, caller, question is not None)
        if entry is not None:
            return []
        if question is None and (state != Claim.RUNNING or (caller and caller.listed)):
            return self._unwanted(peer, held)
        self._enter(peer, held, question is None, now_s)
        return []

    def _forgotten(
        self, peer: Peer, held: Held, caller: Peer | None, was_asked: bool
    ) -> list[Output]:
        """Tell a caller that its task has ended, and that nobody can say how."""
        caller_id, task, trace, *_ = held
        entry = self._ledger.find(caller_id, task)
        if entry is not None:
            self._ledger.settle(entry)
        if caller is None or (entry is None and not was_asked):
            return []
        return [self._tasks.lost(caller, peer.instance, task, trace, Reason.REPLY_LOST)]

    def _unwanted(self, peer: Peer, held: Held) -> list[Output]:
        """Stop what runs although its caller does not wait for it."""
        caller_id, task, trace, _, state, _, keep = held
        if state != Claim.RUNNING or keep:
            return []
        self._tables.counts["orphaned"] += 1
        head = heads.pack(Verb.CANCEL, peer=caller_id, task=task, trace=trace)
        return [(SEND, peer.connection, head, b"")]

    def _enter(self, peer: Peer, held: Held, is_half: bool, now_s: float) -> None:
        """Put a task into the hands of who has it; half while its caller has not said so too."""
        caller_id, task, trace, name, _, left_ms, keep = held
        if len(self._ledger) >= MAX_OPEN:
            self._tables.counts["drop.claims_full"] += 1
            return
        seat = peer.seats.get(name) or Seat(peer, name, frozenset(), {})
        expires_at_s = now_s + left_ms / 1000 + self._tables.settings.overdue_s
        self._ledger.enter(Entry(caller_id, task, trace, seat.address, seat, expires_at_s, keep))
        self._tables.counts["resync.found"] += 1
        if is_half:
            self._half_since_s.setdefault(caller_id, now_s)

    # -- connections come and go -----------------------------------------------------------------

    def greeted(self, peer: Peer) -> None:
        """Forget what a peer said over its former connection: it says all of it again."""
        self._listings.forget(peer)
        self._tables.notices.forget(peer)
        for question in list(self._questions.open.values()):
            if question.caller == peer.instance:
                self._close(question)

    def returned(self, peer: Peer, now_s: float) -> list[Output]:
        """Ask a worker that is back for what was on its way to it, or from it."""
        outputs: list[Output] = []
        by_caller: dict[bytes, list[Row]] = {}
        by_instance = self._tables.peers.by_instance
        for entry in [each for each in self._ledger if each.seat.peer is peer]:
            if entry.caller in by_instance:
                by_caller.setdefault(entry.caller, []).append((entry.task, entry.trace, 0))
            else:
                self._ledger.settle(entry)  # if it runs, the worker will claim it
        for caller_id, rows in by_caller.items():
            outputs += self._ask(by_instance[caller_id], rows, KnownWorkers(), peer, now_s)
        return outputs

    def unsent(self, worker: Peer, now_s: float) -> None:
        """Note that a question found no room."""
        self._questions.unsent(worker, now_s)

    # -- what time decides -----------------------------------------------------------------------

    def tick(self, now_s: float, has_strangers: bool) -> list[Output]:
        """Decide about the tasks that nobody has claimed.

        Args:
            now_s: Monotonic clock.
            has_strangers: True if connections are there that have not said who they are.
        """
        outputs = self._orphan_halves(now_s)
        self.misses_workers = False
        self._listings.forget_gone()
        if not self._questions.open:
            self._listings.known.clear()
            return outputs
        asked = {question.namespace for question in self._questions.open.values()}
        for known in list(self._listings.known):
            for namespace in asked:
                outputs += self._meet(namespace, known, now_s)
        for namespace in asked:
            outputs += self._questions.renew(workers_of(namespace), now_s)
        views: dict[tuple[int, int], tuple[float, bool]] = {}
        for question in list(self._questions.open.values()):
            outputs += self._judge(question, views, now_s, has_strangers)
        return outputs

    def _judge(
        self,
        question: WorkerQuery,
        views: dict[tuple[int, int], tuple[float, bool]],
        now_s: float,
        has_strangers: bool,
    ) -> list[Output]:
        age_s = now_s - question.since_s
        if question.only is not None:
            return self._judge_one(question, question.only, age_s)
        caller = self._tables.peers.by_instance.get(question.caller)
        if caller is None:
            self._close(question)
            return []
        if caller.absent_at_s is not None:
            return []  # it says all of it again when it is back
        key = id(question.namespace), id(question.known)
        if key not in views:
            views[key] = self._view(question.namespace, question.known)
        floor, is_missing = views[key]
        all_here_say_no = question.number <= floor
        if all_here_say_no and not is_missing and question.known.complete:
            return self._give_back(question, caller, Reason.NOT_STARTED)
        self.misses_workers = True
        patience_s = MISSING_S if all_here_say_no and not has_strangers else SILENT_S
        if age_s >= patience_s:
            return self._give_back(question, caller, Reason.UNKNOWN)
        return []

    def _judge_one(self, question: WorkerQuery, worker: Peer, age_s: float) -> list[Output]:
        """Decide about tasks that only one worker can have."""
        if worker.gone or age_s >= SILENT_S:
            self._close(question)
            return []
        if self._questions.upto(worker) < question.number:
            return []
        outputs: list[Output] = []
        for task in question.tasks:
            entry = self._ledger.find(question.caller, task)
            if entry is not None and entry.seat.peer is worker:
                self._ledger.settle(entry)
                outputs += self._tasks.report_lost(entry, Reason.NOT_STARTED)
        self._close(question)
        return outputs

    def _view(self, namespace: Namespace, known: KnownWorkers) -> tuple[float, bool]:
        """Return which question all who are here have answered, and whether anybody is missing."""
        here = workers_of(namespace)
        floor = min((self._questions.upto(worker) for worker in here), default=float("inf"))
        return floor, not known.workers <= {worker.instance for worker in here}

    def _give_back(self, question: WorkerQuery, caller: Peer, reason: Reason) -> list[Output]:
        outputs = [
            self._tasks.lost(caller, heads.NOBODY, task, trace, reason)
            for task, trace in question.tasks.items()
        ]
        self._close(question)
        return outputs

    def _drop(self, question: WorkerQuery, task: bytes) -> None:
        question.tasks.pop(task, None)
        if not question.tasks:
            self._close(question)

    def _close(self, question: WorkerQuery) -> None:
        if question.only is None:
            for task in question.tasks:
                self._wanted.pop(question.caller + task, None)
        self._questions.close(question)

    def _orphan_halves(self, now_s: float) -> list[Output]:
        """Cancel what runs for callers that did not come back."""
        outputs: list[Output] = []
        overdue = [c for c, at_s in self._half_since_s.items() if now_s - at_s >= SILENT_S]
        for caller_id in overdue:
            del self._half_since_s[caller_id]
            if caller_id not in self._tables.peers.by_instance:
                outputs += self._tasks.cancel_all_of(caller_id)
        return outputs
