"""Make the pages that a client sends after a reconnect. Spec: docs/spec/09-resync.md. Pure.

The user of the client has the tasks, see the port `ResyncSource`. This module has the workers that
may have them, from the news of the proxy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final, NamedTuple, Protocol

from ..wire import resync_messages
from ..wire.resync_messages import Claim, Held, Message, Opened, WorkersFlag

FORMER_S: Final = 10.0
"""Seconds after a restart for which a worker still counts that has not come back."""
MAX_KNOWN: Final = 65_536


class Candidates(NamedTuple):
    """The workers that may have a task.

    Attributes:
        workers: Their instance ids, 16 bytes each.
        is_complete: False if there may be others.
    """

    workers: frozenset[bytes]
    is_complete: bool


class FormerWorker(NamedTuple):
    """A worker that was known before the last restart of the proxy and has not come back.

    Attributes:
        since_s: Time of that restart, monotonic clock.
        era: Number of the proxy that it was known from, counted from 0.
    """

    since_s: float
    era: int


class Resend(NamedTuple):
    """Replies that the proxy requests again.

    Attributes:
        caller: Instance id of the caller, 16 bytes.
        task: Task id, 16 bytes.
        next_index: Index of the first reply.
    """

    caller: bytes
    task: bytes
    next_index: int


_NONE: Final = Candidates(frozenset(), is_complete=True)


class ResyncSource(Protocol):
    """Knows the tasks of a client: the open ones, and those that it works on."""

    def open_tasks(self) -> Iterable[Opened]:
        """Return every open task of this client, oldest first."""

    def held_tasks(self) -> Iterable[Held]:
        """Return every task that runs here, or that waits here to run."""

    def claim_of(self, caller: bytes, task: bytes) -> Held | None:
        """Return the state of a task; None if it never was here."""

    def send_again(self, caller: bytes, task: bytes, index: int) -> None:
        """Send the stored replies of a task again, from number `index` on."""


class ResyncPages:
    """Makes the pages of a client, and records the workers that the proxy reports."""

    def __init__(self) -> None:
        self.source: ResyncSource | None = None
        self.counts: Counter[str] = Counter()
        self._known: set[bytes] = set()
        self._is_complete = False
        self._is_cut = False
        self._era = 0
        self._former: dict[bytes, FormerWorker] = {}
        self._candidates: dict[bytes, Candidates] = {}

    def on_workers(self, kind: int, instances: Collection[bytes], now_s: float) -> None:
        """Record workers that came or left, or a page of the complete list.

        Args:
            kind: Bits of `WorkersFlag`.
            instances: Instance ids, 16 bytes each.
            now_s: Monotonic clock.
        """
        if kind & WorkersFlag.LEFT:
            self._known.difference_update(instances)
            # 09, Who may have had a task 3: it came back, and its tasks were reported when it left.
            for instance in instances:
                self._former.pop(instance, None)
            return
        if kind & WorkersFlag.FIRST:
            # A complete list begins: workers missing in it may still be on their way back. Those of
            # an earlier restart count on, as another one may follow the first closely.
            missing = dict.fromkeys(self._known, FormerWorker(now_s, self._era))
            self._former = self._recent(now_s) | missing
            self._known, self._is_complete, self._is_cut = set(), False, False
        if len(self._known) + len(instances) > MAX_KNOWN:
            self.counts["drop.known_workers"] += len(instances)
            # 09, same section 4: LAST is left out, the verdict is softer, whatever page follows
            self._is_complete, self._is_cut = False, True
            return
        self._known.update(instances)
        if kind & WorkersFlag.LAST:
            self._is_complete = not self._is_cut

    def _recent(self, now_s: float) -> dict[bytes, FormerWorker]:
        return {
            instance: former
            for instance, former in self._former.items()
            if former.since_s + FORMER_S > now_s
        }

    def listing(
        self, unsent: Collection[bytes], now_s: float, *, is_new_proxy: bool
    ) -> list[Message]:
        """Return the pages that list the open tasks, with the workers that may have them.

        Args:
            unsent: Ids of tasks that wait in the outbox: no worker can have them.
            now_s: Monotonic clock.
            is_new_proxy: False if the proxy is the one of the last list.
        """
        if self.source is None:
            return []
        recent = self._recent(now_s)
        # 09, Who may have had a task 3.1: at the same proxy, a worker known only from an earlier
        # one counts only if this proxy has met it. So it goes on a page of its own.
        former = {who for who, each in recent.items() if is_new_proxy or each.era == self._era}
        unconfirmed = recent.keys() - former - self._known
        self._era += is_new_proxy
        groups = self._groups(unsent, frozenset(self._known | former))
        self._candidates = {
            opened.task: candidates for candidates, tasks in groups.items() for opened in tasks
        }
        messages: list[Message] = []
        for candidates, tasks in groups.items():
            messages += resync_messages.workers_pages(
                candidates.workers,
                complete=candidates.is_complete,
                unconfirmed=unconfirmed - candidates.workers,
            )
            messages += resync_messages.opened_pages(tasks)
        # 09, After WELCOME 2: without END the proxy does not know which tasks are no longer open.
        return [*messages, resync_messages.END_OF_LIST]

    def _groups(
        self, unsent: Collection[bytes], workers: frozenset[bytes]
    ) -> dict[Candidates, list[Opened]]:
        """Return the open tasks by their candidates."""
        groups: dict[Candidates, list[Opened]] = {}
        # 09, Who may have had a task 3: a worker named for a task once is named for it again.
        wider: dict[Candidates, Candidates] = {}
        for opened in self.source.open_tasks() if self.source is not None else ():
            if opened.task in unsent:
                continue
            earlier = self._candidates.get(opened.task, _NONE)
            if earlier not in wider:
                wider[earlier] = Candidates(
                    earlier.workers | workers, earlier.is_complete and self._is_complete
                )
            groups.setdefault(wider[earlier], []).append(opened)
        return groups

    def claims(self) -> list[Message]:
        """Return the pages that list the tasks of this worker."""
        return (
            resync_messages.claim_pages(self.source.held_tasks()) if self.source is not None else []
        )

    def send_again(self, caller: bytes, task: bytes, index: int) -> None:
        """Send replies again, see `ResyncSource.send_again`."""
        if self.source is not None:
            self.source.send_again(caller, task, index)

    def answer(self, head: bytes) -> tuple[list[Message], list[Resend]]:
        """Return the answer to a question, and the replies to send again after it.

        Raises:
            WireError: `head` is invalid.
        """
        caller, name, asked = resync_messages.read_question(head)
        if self.source is None:
            self.counts["drop.question"] += 1
            return [], []
        held, resends = [], []
        for task, index in asked[: resync_messages.MAX_ASKED]:
            claim = self.source.claim_of(caller, task)
            if claim is None:
                continue  # absence is the answer: END says that the worker never had it
            held.append(claim)
            # 09, What the proxy does with it 3: a forgotten task has no stored replies.
            if claim.claim != Claim.FORGOTTEN:
                resends.append(Resend(caller, task, index))
        return [resync_messages.answer(held, name)], resends
