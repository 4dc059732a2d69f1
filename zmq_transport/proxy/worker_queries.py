"""Query the workers which of them has a task. Spec: docs/spec/09-resync.md. Pure.

A query goes to every worker, and each answers in the order in which the queries came. So the
answers of a worker are one number, however many queries there are, and nothing is stored for a pair
of worker and task. So many go out in a tick, in turn for each caller, and the others wait.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from ..wire import resync_messages
from ..wire.resync_messages import Asked
from .peers import Namespace, Peer
from .tables import SEND, Output

MAX_OF_CALLER: Final = 8
"""Queries about tasks of one caller that go out in a tick of 100 ms."""
MAX_IN_TICK: Final = 100
"""All of them."""
_AGAIN_S: Final = 0.5
Row = tuple[bytes, bytes, int]
"""task, trace, index of the next reply that the caller expects."""


@attrs.frozen
class KnownWorkers:
    """The workers that a caller knew.

    Args:
        workers: Their instance ids.
        complete: False if there may have been others.
    """

    workers: frozenset[bytes] = frozenset()
    complete: bool = False


class WorkerQuery:
    """At most 63 tasks of one caller that some worker may have.

    Attributes:
        number: Grows with every query that goes out; 0 while it waits.
        caller: Instance id of the caller that waits.
        namespace: The namespace whose workers are asked.
        only: The one worker that is asked, or None for all of them.
        known: The workers whose answers matter.
        tasks: Trace ids by task id, without the tasks that were found.
        addresses: By task id, where they were sent, as far as their caller says so.
        since_s: When it went out, on the monotonic clock.
        head: The head of the message; the name of the query is appended to it.
        is_closed: True once nobody waits for an answer.
    """

    __slots__ = (
        *("addresses", "caller", "head", "is_closed", "known", "namespace", "number", "only"),
        *("rows", "since_s", "tasks"),
    )

    def __init__(
        self,
        caller: bytes,
        namespace: Namespace,
        only: Peer | None,
        known: KnownWorkers,
        rows: Sequence[Row],
    ) -> None:
        self.number = 0
        self.caller = caller
        self.namespace = namespace
        self.only = only
        self.known = known
        self.rows = rows
        self.tasks = {task: trace for task, trace, _ in rows}
        self.addresses: dict[bytes, bytes] = {}
        self.since_s = 0.0
        self.head = b""
        self.is_closed = False

    def go_out(self, number: int, now_s: float) -> None:
        """Name it, and make its head of the tasks that were not found while it waited."""
        self.number, self.since_s = number, now_s
        asked = [Asked(task, index) for task, _, index in self.rows if task in self.tasks]
        self.head = resync_messages.question_head(self.caller, asked)
        self.rows = ()


class WorkerProgress:
    """How far one worker has answered over one connection.

    Attributes:
        connection: The connection over which it was asked.
        turn: Changes whenever it is asked everything again; 0 while a query could not be sent.
        upto: It has answered every query up to this number.
        again_at_s: When it may be asked again, on the monotonic clock.
    """

    __slots__ = ("again_at_s", "connection", "turn", "upto")

    def __init__(self, connection: bytes, turn: int) -> None:
        self.connection = connection
        self.turn = turn
        self.upto = 0
        self.again_at_s = 0.0


class WorkerQueries:
    """The open queries, and how far each worker has answered."""

    def __init__(self) -> None:
        self.open: dict[int, WorkerQuery] = {}
        self._waiting: dict[bytes, deque[WorkerQuery]] = {}
        self._of_caller: dict[bytes, dict[WorkerQuery, None]] = {}
        self._progress: dict[Peer, WorkerProgress] = {}
        self._count = 0
        self._turns = 0
        self._sent: Counter[bytes] = Counter()
        self._left = MAX_IN_TICK

    @property
    def is_idle(self) -> bool:
        """Tell whether no query is open or waits."""
        return not self.open and not self._waiting

    def put(
        self,
        caller: Peer,
        rows: Sequence[Row],
        known: KnownWorkers,
        only: Peer | None,
        now_s: float,
    ) -> tuple[WorkerQuery, list[Output]]:
        """Ask all workers, or only one, about tasks of a caller, now or when it is its turn.

        Args:
            caller: The caller of the tasks.
            rows: At most 63 tasks.
            known: The workers whose answers matter.
            only: The only worker to ask, or None for all.
            now_s: Monotonic clock.
        """
        query = WorkerQuery(caller.instance, caller.namespace, only, known, rows)
        self._of_caller.setdefault(query.caller, {})[query] = None
        self._waiting.setdefault(query.caller, deque()).append(query)
        return query, self._send_next(query.caller, now_s)

    def tick(self, now_s: float) -> list[Output]:
        """Send what waits: one for each caller in turn, as many as may go out in a tick."""
        self._left = MAX_IN_TICK
        self._sent.clear()
        outputs: list[Output] = []
        for _ in range(MAX_OF_CALLER):
            for caller in list(self._waiting):
                outputs += self._send_next(caller, now_s)
        return outputs

    def _send_next(self, caller: bytes, now_s: float) -> list[Output]:
        """Send the first query of a caller that waits, if one more may go out."""
        if not self._left or self._sent[caller] >= MAX_OF_CALLER:
            return []
        waiting = self._waiting.pop(caller)
        query = waiting.popleft()
        while query.is_closed and waiting:
            query = waiting.popleft()
        if waiting:
            self._waiting[caller] = waiting  # behind all others
        if query.is_closed:
            return []
        self._left -= 1
        self._sent[caller] += 1
        workers = workers_of(query.namespace) if query.only is None else [query.only]
        # First the older queries to workers that lack some: answers come in the order of queries.
        outputs = self.renew(workers, now_s)
        self._count += 1
        query.go_out(self._count, now_s)
        self.open[query.number] = query
        for worker in workers:
            progress = self._progress.get(worker)
            if progress is not None and progress.turn and _is_current(worker, progress):
                outputs.append(_message(query, worker, progress))
        return outputs

    def renew(self, workers: Iterable[Peer], now_s: float) -> list[Output]:
        """Ask everything of workers that are new, reconnected, or had no room."""
        outputs: list[Output] = []
        for worker in workers:
            progress = self._progress.get(worker)
            if worker.absent_at_s is not None:
                continue
            is_asked = progress is not None and _is_current(worker, progress)
            if progress and is_asked and (progress.turn or now_s < progress.again_at_s):
                continue
            # 09-resync, "What the proxy does with it" 2: under other names, so that a late answer
            # to a query of before does not count for one that the worker never read.
            self._turns += 1
            progress = self._progress[worker] = WorkerProgress(worker.connection, self._turns)
            outputs += [
                _message(query, worker, progress)
                for query in self.open.values()
                if query.namespace is worker.namespace and query.only in (None, worker)
            ]
        return outputs

    def upto(self, worker: Peer) -> int:
        """Return the number of the last query that a worker has answered, or 0."""
        progress = self._progress.get(worker)
        # 09-resync, "What the proxy does with it" 1: END answers all before it over that connection
        # only; a query under way on another one may be lost, and the worker is asked again.
        if progress is None or not progress.turn or not _is_current(worker, progress):
            return 0
        return progress.upto

    def named(self, name: bytes, worker: Peer) -> WorkerQuery | None:
        """Return the open query that an answer names, if it was put to that worker."""
        turn, _, number = name.partition(b".")
        progress = self._progress.get(worker)
        if progress is None or turn != b"%d" % progress.turn or not number.isdigit():
            return None
        return self.open.get(int(number[:12]))  # 12 digits: `int` of a long text is slow

    def on_answered(self, name: bytes, worker: Peer) -> None:
        """Record that a worker has answered a query, and so all queries before it."""
        turn, _, number = name.partition(b".")
        progress = self._progress.get(worker)
        if progress is not None and turn == b"%d" % progress.turn and number.isdigit():
            progress.upto = min(max(progress.upto, int(number[:12])), self._count)

    def on_unsent(self, worker: Peer, now_s: float) -> None:
        """Record that a query found no room: later answers of this turn prove nothing."""
        progress = self._progress.get(worker)
        # Without this, an answer to a later query would count for the one that was never sent.
        if progress is not None:
            progress.turn = 0
            progress.again_at_s = now_s + _AGAIN_S

    def of(self, caller: bytes) -> list[WorkerQuery]:
        """Return the queries about tasks of a caller, those that wait included."""
        return list(self._of_caller.get(caller, ()))

    def close(self, query: WorkerQuery) -> None:
        """Stop waiting for answers to a query."""
        query.is_closed = True
        self.open.pop(query.number, None)
        of_caller = self._of_caller.get(query.caller, {})
        of_caller.pop(query, None)
        if not of_caller:
            self._of_caller.pop(query.caller, None)
        if self.is_idle:
            self._progress.clear()


def workers_of(namespace: Namespace) -> list[Peer]:
    """Return the workers of a namespace that are connected."""
    return [peer for peer in namespace.peers if peer.worker and peer.absent_at_s is None]


def _is_current(worker: Peer, progress: WorkerProgress) -> bool:
    return progress.connection == worker.connection


def _message(query: WorkerQuery, worker: Peer, progress: WorkerProgress) -> Output:
    name = b"%d.%d" % (progress.turn, query.number)
    return SEND, worker.connection, query.head + name, b""
