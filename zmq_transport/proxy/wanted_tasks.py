"""Decide about tasks that a caller listed and no worker has claimed. Pure.

Spec: docs/spec/09-resync.md, "Verdicts". Workers are queried. A task that no worker has goes back
to its caller: as not started when every worker has said so, as unknown when one of them is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ..wire import heads, resync_messages
from ..wire.heads import Reason
from .peers import Namespace, Peer
from .tables import SEND, Output, Tables
from .tasks import Tasks
from .worker_queries import KnownWorkers, Row, WorkerQueries, WorkerQuery, workers_of

MISSING_S: Final = 1.0
"""How long a worker may be missing until its tasks are given up."""
SILENT_S: Final = 10.0
"""How long a connected worker, or the caller of a running task, may give no answer."""
MAX_WANTED: Final = 200_000

Views = dict[tuple[int, int], tuple[float, bool]]
"""(namespace, known workers) by `id` -> the result of `_view` in this tick."""


class WantedTasks:
    """The tasks that workers are queried about."""

    def __init__(self, tables: Tables, tasks: Tasks) -> None:
        self._tables = tables
        self._tasks = tasks
        self._ledger = tables.ledger
        self._by_key: dict[bytes, WorkerQuery] = tables.wanted
        self.queries = WorkerQueries()
        self.misses_workers = False

    def ask_each(self, caller: Peer, rows: dict[Peer, list[Row]], now_s: float) -> list[Output]:
        """Query each worker about the tasks of a caller that it has, as the ledger says."""
        outputs: list[Output] = []
        for worker, of_worker in rows.items():
            for chunk in _chunks(of_worker):
                outputs += self._put(caller, chunk, KnownWorkers(), worker, now_s)
        return outputs

    def ask_all(
        self, caller: Peer, rows: list[Row], known: KnownWorkers, now_s: float
    ) -> list[Output]:
        """Query all workers about tasks of a caller; over the limit they are lost as unknown."""
        if not rows:
            return []
        # 09-resync, "What the proxy does with it" 6: the ledger takes no more of one caller.
        wanted = sum(len(query.tasks) for query in self.queries.of(caller.instance))
        room = min(MAX_WANTED - len(self._by_key), self._ledger.max_tasks_of_caller - wanted)
        room = max(0, room)
        outputs = [
            self._tasks.lost(caller, heads.NOBODY, task, trace, Reason.UNKNOWN)
            for task, trace, _ in rows[room:]
        ]
        outputs += self._mark_workers(caller.namespace, known, now_s)
        for chunk in _chunks(rows[:room]):
            outputs += self._put(caller, chunk, known, None, now_s)
        return outputs

    def _put(
        self,
        caller: Peer,
        rows: list[Row],
        known: KnownWorkers,
        only: Peer | None,
        now_s: float,
    ) -> list[Output]:
        query, outputs = self.queries.put(caller, rows, known, only, now_s)
        if not query.number:
            self._tables.counts["later.query"] += 1
        if only is None:
            self._tables.counts["resync.wanted"] += len(query.tasks)
            for task in query.tasks:
                self._by_key[caller.instance + task] = query
        return outputs

    def _mark_workers(
        self, namespace: Namespace, known: KnownWorkers, now_s: float
    ) -> list[Output]:
        """Treat every peer that a caller listed as a worker as a worker."""
        # After a restart a worker may be back without a seat yet: it has to answer all the same.
        by_instance, worker_news = self._tables.peers.by_instance, self._tables.worker_news
        listed = (by_instance.get(instance) for instance in known.workers)
        return [
            (SEND, *message)
            for peer in listed
            if peer is not None and peer.namespace is namespace and not peer.worker
            for message in worker_news.add_worker(peer, now_s)
        ]

    def withdraw(self, caller: bytes, task: bytes) -> bool:
        """Stop looking for a task; True if it was wanted."""
        query = self._by_key.pop(caller + task, None)
        if query is None:
            return False
        self.remove_task(query, task)
        return True

    def note_addresses(self, caller: bytes, addresses: Mapping[bytes, bytes]) -> None:
        """Record where wanted tasks were sent, by task id."""
        for task, address in addresses.items():
            query = self._by_key.get(caller + task)
            if query is not None:
                query.addresses[task] = address

    def address_of(self, caller: bytes, task: bytes) -> bytes:
        """Return where a wanted task was sent; empty if that is not known."""
        query = self._by_key.get(caller + task)
        return b"" if query is None else query.addresses.get(task, b"")

    def doubt(self, caller: bytes, task: bytes) -> None:
        """Record that a wanted task may run somewhere: without a claim it ends as unknown."""
        query = self._by_key.get(caller + task)
        if query is not None:
            query.known = KnownWorkers()

    def remove_task(self, query: WorkerQuery, task: bytes) -> None:
        """Remove a task from a query: it was found, or its caller needs no answer."""
        query.tasks.pop(task, None)
        if not query.tasks:
            self._close(query)

    def forget(self, caller: bytes) -> None:
        """Close the queries of a caller."""
        for query in self.queries.of(caller):
            self._close(query)

    def _close(self, query: WorkerQuery) -> None:
        if query.only is None:
            for task in query.tasks:
                self._by_key.pop(query.caller + task, None)
        self.queries.close(query)

    # -- verdicts --------------------------------------------------------------------------------

    def tick(self, lists: Iterable[KnownWorkers], now_s: float, has_unknown: bool) -> list[Output]:
        """Decide about the tasks that no worker has claimed.

        Args:
            lists: The workers that callers knew.
            now_s: Monotonic clock.
            has_unknown: True if there are connections that have not said HELLO.
        """
        self.misses_workers = False
        outputs = self.queries.tick(now_s)
        asked = {query.namespace for query in self.queries.open.values()}
        for known in list(lists):
            for namespace in asked:
                outputs += self._mark_workers(namespace, known, now_s)
        for namespace in asked:
            outputs += self.queries.renew(workers_of(namespace), now_s)
        views: Views = {}
        for query in list(self.queries.open.values()):
            if query.only is not None:
                outputs += self._decide_one(query, query.only, now_s)
            else:
                outputs += self._decide(query, views, now_s, has_unknown)
        return outputs

    def _decide(
        self, query: WorkerQuery, views: Views, now_s: float, has_unknown: bool
    ) -> list[Output]:
        """Decide about tasks that any worker may have."""
        caller = self._tables.peers.by_instance.get(query.caller)
        if caller is None:
            self._close(query)
            return []
        if caller.absent_at_s is not None:
            return []  # after its reconnect it lists all of them again
        # Thousands of queries share a few views: a verdict must not cost queries times workers.
        key = id(query.namespace), id(query.known)
        if key not in views:
            views[key] = self._view(query.namespace, query.known)
        upto, is_missing = views[key]
        all_answered = query.number <= upto
        # 09-resync, "Verdicts" row 1: every worker that can have had the task has said no.
        if all_answered and not is_missing and query.known.complete:
            return self._report_lost(query, caller, Reason.NOT_STARTED)
        self.misses_workers = True
        # Row 2: a missing worker has 1 s to return, and 10 s while an unknown connection may be
        # it. Row 3: a connected worker that does not answer has 10 s.
        limit_s = MISSING_S if all_answered and not has_unknown else SILENT_S
        # 12-failover, "Taking over": a worker may notice later than its callers that a proxy hangs.
        if now_s >= max(query.since_s + limit_s, self._tables.patient_until_s):
            return self._report_lost(query, caller, Reason.UNKNOWN)
        return []

    def _decide_one(self, query: WorkerQuery, worker: Peer, now_s: float) -> list[Output]:
        """Decide about tasks that only one worker can have."""
        if worker.gone or now_s - query.since_s >= SILENT_S:
            # Its tasks stay in the ledger, where the loss of the worker or `overdue_s` ends them.
            self._close(query)
            return []
        if self.queries.upto(worker) < query.number:
            return []
        outputs: list[Output] = []
        # 09-resync, "Verdicts": it answered that it never had them, and no other can have had them.
        for task in query.tasks:
            entry = self._ledger.find(query.caller, task)
            if entry is not None and entry.seat.peer is worker:
                self._ledger.settle(entry)
                outputs += self._tasks.report_lost(entry, Reason.NOT_STARTED)
        self._close(query)
        return outputs

    def _view(self, namespace: Namespace, known: KnownWorkers) -> tuple[float, bool]:
        """Return the last query that all workers here answered, and whether one is missing."""
        here = workers_of(namespace)
        upto = min((self.queries.upto(worker) for worker in here), default=float("inf"))
        return upto, not known.workers <= {worker.instance for worker in here}

    def _report_lost(self, query: WorkerQuery, caller: Peer, reason: Reason) -> list[Output]:
        outputs = [
            self._tasks.lost(caller, heads.NOBODY, task, trace, reason)
            for task, trace in query.tasks.items()
        ]
        self._close(query)
        return outputs


def _chunks(rows: list[Row]) -> list[list[Row]]:
    """Split rows into the 63 of one query each: an answer needs room for the mark of its end."""
    size = resync_messages.MAX_ASKED
    return [rows[at : at + size] for at in range(0, len(rows), size)]
