"""Questions of the proxy to its workers: who has these tasks? Spec: docs/spec/09-resync.md. Pure.

A question goes to every worker, and each answers in the order in which it was asked. So what a
worker has answered is one number, however many questions there are, and nothing is kept for a pair
of worker and task.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from . import pages
from .pages import Asked
from .peers import Peer, Realm
from .tables import SEND, Output

_AGAIN_S = 0.5


@attrs.frozen
class Known:
    """Which workers a caller knew of.

    Args:
        workers: Their instance ids.
        complete: False if there may have been others.
    """

    workers: frozenset[bytes] = frozenset()
    complete: bool = False


class Question:
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

    __slots__ = ("caller", "head", "known", "number", "only", "realm", "since_s", "tasks")

    def __init__(
        self,
        number: int,
        caller: bytes,
        realm: Realm,
        only: Peer | None,
        known: Known,
        rows: Sequence[tuple[bytes, bytes, int]],
        since_s: float,
    ) -> None:
        self.number = number
        self.caller = caller
        self.realm = realm
        self.only = only
        self.known = known
        self.tasks = {task: trace for task, trace, _ in rows}
        self.since_s = since_s
        asked: list[Asked] = [(task, index) for task, _, index in rows]
        self.head = pages.question_head(caller, asked)


class Standing:
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


class Questions:
    """The questions that are open, and how far each worker has answered."""

    def __init__(self) -> None:
        self.open: dict[int, Question] = {}
        self._standings: dict[Peer, Standing] = {}
        self._count = 0
        self._turns = 0

    def put(
        self,
        caller: Peer,
        rows: Sequence[tuple[bytes, bytes, int]],
        known: Known,
        only: Peer | None,
        now_s: float,
    ) -> tuple[Question, list[Output]]:
        """Ask all workers, or only one, about tasks of a caller.

        Args:
            caller: Whose tasks.
            rows: (task, trace, index of the first reply that is wanted), at most 63.
            known: The workers whose answers matter.
            only: The only one to be asked.
            now_s: Monotonic clock.
        """
        self._count += 1
        question = Question(self._count, caller.instance, caller.realm, only, known, rows, now_s)
        workers = workers_of(caller.realm) if only is None else [only]
        outputs = self.renew(workers, now_s)
        self.open[question.number] = question
        for worker in workers:
            standing = self._standings.get(worker)
            if standing is not None and standing.turn and _is_over(worker, standing):
                outputs.append(_asked(question, worker, standing))
        return question, outputs

    def renew(self, workers: Iterable[Peer], now_s: float) -> list[Output]:
        """Ask everything of those who are new, came back, or had no room."""
        outputs: list[Output] = []
        for worker in workers:
            standing = self._standings.get(worker)
            if worker.absent_at_s is not None:
                continue
            is_asked = standing is not None and _is_over(worker, standing)
            if standing and is_asked and (standing.turn or now_s < standing.again_at_s):
                continue
            self._turns += 1
            standing = self._standings[worker] = Standing(worker.connection, self._turns)
            outputs += [
                _asked(question, worker, standing)
                for question in self.open.values()
                if question.realm is worker.realm and question.only in (None, worker)
            ]
        return outputs

    def upto(self, worker: Peer) -> int:
        """Return the number of the last question that a worker has answered."""
        standing = self._standings.get(worker)
        if standing is None or not standing.turn or not _is_over(worker, standing):
            return 0
        return standing.upto

    def named(self, name: bytes, worker: Peer) -> Question | None:
        """Return the question that an answer names, if it was put to that worker."""
        turn, _, number = name.partition(b".")
        standing = self._standings.get(worker)
        if standing is None or turn != b"%d" % standing.turn or not number.isdigit():
            return None
        return self.open.get(int(number[:12]))

    def answered(self, name: bytes, worker: Peer) -> None:
        """Note that a worker has answered a question, and so all before it."""
        turn, _, number = name.partition(b".")
        standing = self._standings.get(worker)
        if standing is not None and turn == b"%d" % standing.turn and number.isdigit():
            standing.upto = min(max(standing.upto, int(number[:12])), self._count)

    def unsent(self, worker: Peer, now_s: float) -> None:
        """Note that a question found no room; what comes behind it answers nothing."""
        standing = self._standings.get(worker)
        if standing is not None:
            standing.turn = 0
            standing.again_at_s = now_s + _AGAIN_S

    def close(self, question: Question) -> None:
        """Wait for no more answers."""
        self.open.pop(question.number, None)
        if not self.open:
            self._standings.clear()


def workers_of(realm: Realm) -> list[Peer]:
    """Return the workers of a namespace that are here."""
    return [peer for peer in realm.peers if peer.worker and peer.absent_at_s is None]


def _is_over(worker: Peer, standing: Standing) -> bool:
    return standing.connection == worker.connection


def _asked(question: Question, worker: Peer, standing: Standing) -> Output:
    name = b"%d.%d" % (standing.turn, question.number)
    return SEND, worker.connection, question.head + name, b""
