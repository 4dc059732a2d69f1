"""Questions of the proxy to its workers: who has these tasks? Spec: docs/spec/09-resync.md. Pure.

A question goes to every worker, and each answers in the order in which it was asked. So what a
worker has answered is one number, however many questions there are, and nothing is kept for a pair
of worker and task.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from ..wire import resync_messages
from ..wire.resync_messages import Asked
from .peers import Namespace, Peer
from .tables import SEND, Output

_AGAIN_S = 0.5


@attrs.frozen
class KnownWorkers:
    """Which workers a caller knew of.

    Args:
        workers: Their instance ids.
        complete: False if there may have been others.
    """

    workers: frozenset[bytes] = frozenset()
    complete: bool = False


class WorkerQuery:
    """At most 63 tasks of one caller that somebody may have.

    Attributes:
        number: Grows with every question.
        caller: Instance id of who waits.
        realm: Whose workers are asked.
        only: The one worker that is asked, or None for all of them.
        known: The workers whose answers matter.
        tasks: Trace ids by task id, without those that were found.
        since_s: When it was put.
        head: What is sent; the name of the question goes behind it.
    """

    __slots__ = ("caller", "head", "known", "namespace", "number", "only", "since_s", "tasks")

    def __init__(
        self,
        number: int,
        caller: bytes,
        namespace: Namespace,
        only: Peer | None,
        known: KnownWorkers,
        rows: Sequence[tuple[bytes, bytes, int]],
        since_s: float,
    ) -> None:
        self.number = number
        self.caller = caller
        self.namespace = namespace
        self.only = only
        self.known = known
        self.tasks = {task: trace for task, trace, _ in rows}
        self.since_s = since_s
        asked: list[Asked] = [Asked(task, index) for task, _, index in rows]
        self.head = resync_messages.question_head(caller, asked)


class WorkerProgress:
    """How far one worker has answered over one connection.

    Attributes:
        connection: Over which it was asked.
        turn: Changes whenever it is asked everything anew; 0 while a question could not be sent.
        upto: It has answered every question up to this number.
        again_at_s: When it may be asked again.
    """

    __slots__ = ("again_at_s", "connection", "turn", "upto")

    def __init__(self, connection: bytes, turn: int) -> None:
        self.connection = connection
        self.turn = turn
        self.upto = 0
        self.again_at_s = 0.0


class WorkerQueries:
    """The questions that are open, and how far each worker has answered."""

    def __init__(self) -> None:
        self.open: dict[int, WorkerQuery] = {}
        self._progress: dict[Peer, WorkerProgress] = {}
        self._count = 0
        self._turns = 0

    def put(
        self,
        caller: Peer,
        rows: Sequence[tuple[bytes, bytes, int]],
        known: KnownWorkers,
        only: Peer | None,
        now_s: float,
    ) -> tuple[WorkerQuery, list[Output]]:
        """Ask all workers, or only one, about tasks of a caller.

        Args:
            caller: Whose tasks.
            rows: (task, trace, index of the first reply that is wanted), at most 63.
            known: The workers whose answers matter.
            only: The only one to be asked.
            now_s: Monotonic clock.
        """
        self._count += 1
        question = WorkerQuery(
            self._count, caller.instance, caller.namespace, only, known, rows, now_s
        )
        workers = workers_of(caller.namespace) if only is None else [only]
        outputs = self.renew(workers, now_s)
        self.open[question.number] = question
        for worker in workers:
            progress = self._progress.get(worker)
            if progress is not None and progress.turn and _is_over(worker, progress):
                outputs.append(_asked(question, worker, progress))
        return question, outputs

    def renew(self, workers: Iterable[Peer], now_s: float) -> list[Output]:
        """Ask everything of those who are new, came back, or had no room."""
        outputs: list[Output] = []
        for worker in workers:
            progress = self._progress.get(worker)
            if worker.absent_at_s is not None:
                continue
            is_asked = progress is not None and _is_over(worker, progress)
            if progress and is_asked and (progress.turn or now_s < progress.again_at_s):
                continue
            self._turns += 1
            progress = self._progress[worker] = WorkerProgress(worker.connection, self._turns)
            outputs += [
                _asked(question, worker, progress)
                for question in self.open.values()
                if question.namespace is worker.namespace and question.only in (None, worker)
            ]
        return outputs

    def upto(self, worker: Peer) -> int:
        """Return the number of the last question that a worker has answered."""
        progress = self._progress.get(worker)
        if progress is None or not progress.turn or not _is_over(worker, progress):
            return 0
        return progress.upto

    def named(self, name: bytes, worker: Peer) -> WorkerQuery | None:
        """Return the question that an answer names, if it was put to that worker."""
        turn, _, number = name.partition(b".")
        progress = self._progress.get(worker)
        if progress is None or turn != b"%d" % progress.turn or not number.isdigit():
            return None
        return self.open.get(int(number[:12]))

    def answered(self, name: bytes, worker: Peer) -> None:
        """Note that a worker has answered a question, and so all before it."""
        turn, _, number = name.partition(b".")
        progress = self._progress.get(worker)
        if progress is not None and turn == b"%d" % progress.turn and number.isdigit():
            progress.upto = min(max(progress.upto, int(number[:12])), self._count)

    def unsent(self, worker: Peer, now_s: float) -> None:
        """Note that a question found no room; what comes behind it answers nothing."""
        progress = self._progress.get(worker)
        if progress is not None:
            progress.turn = 0
            progress.again_at_s = now_s + _AGAIN_S

    def close(self, question: WorkerQuery) -> None:
        """Wait for no more answers."""
        self.open.pop(question.number, None)
        if not self.open:
            self._progress.clear()


def workers_of(namespace: Namespace) -> list[Peer]:
    """Return the workers of a namespace that are here."""
    return [peer for peer in namespace.peers if peer.worker and peer.absent_at_s is None]


def _is_over(worker: Peer, progress: WorkerProgress) -> bool:
    return progress.connection == worker.connection


def _asked(question: WorkerQuery, worker: Peer, progress: WorkerProgress) -> Output:
    name = b"%d.%d" % (progress.turn, question.number)
    return SEND, worker.connection, question.head + name, b""
