"""What a client says of its tasks after a reconnect. Spec: docs/spec/09-resync.md. Pure.

The tasks themselves are with whoever uses the client, behind the `Keeper` port; here is who may
have had them: the workers that the proxy told us of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final, Protocol

from ..wire import resync_messages
from ..wire.resync_messages import Claim, Held, Message, Opened, WorkersFlag

FORMER_S: Final = 10.0
"""How long after a restart a worker counts that has not come back."""
MAX_KNOWN: Final = 65_536

_Named = tuple[frozenset[bytes], bool]
"""Who may have a task, and whether that is everybody."""
_NOBODY: Final[_Named] = (frozenset(), True)


class ResyncSource(Protocol):
    """Who knows the tasks of a client: the open ones, and those that are in its hands."""

    def open_tasks(self) -> Iterable[Opened]:
        """Return every task of ours that is open, oldest first.

        Each is (task, trace, index of the next reply, remaining ms, keep).
        """

    def held_tasks(self) -> Iterable[Held]:
        """Return every task that we run, or that waits here to run.

        Each is (caller, task, trace, name of the seat, `Claim`, remaining ms, keep).
        """

    def claim_of(self, caller: bytes, task: bytes) -> Held | None:
        """Return what we have of a task; None if we never had it."""

    def send_again(self, caller: bytes, task: bytes, index: int) -> None:
        """Send again the replies of a task from number `index` on, as far as they are kept."""


class ResyncPages:
    """Makes the pages of a client, and remembers the workers that it was told of."""

    def __init__(self) -> None:
        self.source: ResyncSource | None = None
        self.counts: Counter[str] = Counter()
        self._known: set[bytes] = set()
        self._is_complete = False
        self._era = 0
        self._former: dict[bytes, tuple[float, int]] = {}
        self._named: dict[bytes, _Named] = {}

    def on_workers(self, kind: int, instances: Collection[bytes], now_s: float) -> None:
        """Learn who came or left, or who is here.

        A worker that was here before a restart and has not come back yet counts for some seconds
        more: another restart may be close behind the first.
        """
        if kind & WorkersFlag.LEFT:
            self._known.difference_update(instances)
            for instance in instances:  # it came back, and we were told of what it took along
                self._former.pop(instance, None)
            return
        if kind & WorkersFlag.FIRST:
            self._former = self._recent(now_s) | dict.fromkeys(self._known, (now_s, self._era))
            self._known, self._is_complete = set(), False
        if len(self._known) + len(instances) > MAX_KNOWN:
            self.counts["drop.known_workers"] += len(instances)
            self._is_complete = False
            return
        self._known.update(instances)
        if kind & WorkersFlag.LAST:
            self._is_complete = True

    def _recent(self, now_s: float) -> dict[bytes, tuple[float, int]]:
        return {who: since for who, since in self._former.items() if since[0] + FORMER_S > now_s}

    def listing(
        self, unsent: Collection[bytes], now_s: float, *, is_new_proxy: bool
    ) -> list[Message]:
        """Return the pages that list our open tasks, with the workers that may have them.

        Args:
            unsent: Ids of tasks that wait here: nobody can have them.
            now_s: Monotonic clock.
            is_new_proxy: False if it is the proxy that we sent them to since the last list.
        """
        if self.source is None:
            return []
        recent = self._recent(now_s)
        former = {who for who, (_, era) in recent.items() if is_new_proxy or era == self._era}
        unconfirmed = recent.keys() - former - self._known
        self._era += is_new_proxy
        groups = self._grouped(unsent, frozenset(self._known | former))
        self._named = {task[0]: named for named, tasks in groups.items() for task in tasks}
        messages: list[Message] = []
        for (workers, is_complete), tasks in groups.items():
            messages += resync_messages.workers_pages(
                workers, complete=is_complete, unconfirmed=unconfirmed
            )
            messages += resync_messages.opened_pages(tasks)
        return [*messages, resync_messages.END_OF_LIST]

    def _grouped(
        self, unsent: Collection[bytes], workers: frozenset[bytes]
    ) -> dict[_Named, list[Opened]]:
        """Return our open tasks by who may have them; who may have had one still may."""
        groups: dict[_Named, list[Opened]] = {}
        wider: dict[_Named, _Named] = {}
        for each in self.source.open_tasks() if self.source is not None else ():
            if each[0] in unsent:
                continue
            earlier = self._named.get(each[0], _NOBODY)
            if earlier not in wider:
                wider[earlier] = earlier[0] | workers, earlier[1] and self._is_complete
            groups.setdefault(wider[earlier], []).append(each)
        return groups

    def claims(self) -> list[Message]:
        """Return the pages that say what is in our hands."""
        return (
            resync_messages.claim_pages(self.source.held_tasks()) if self.source is not None else []
        )

    def send_again(self, caller: bytes, task: bytes, index: int) -> None:
        """Send replies again, see `Keeper.send_again`."""
        if self.source is not None:
            self.source.send_again(caller, task, index)

    def answer(self, head: bytes) -> tuple[list[Message], list[tuple[bytes, bytes, int]]]:
        """Return the answer to a question, and what is to be sent again behind it.

        The latter are (caller, task, index of the first reply that is wanted).

        Raises:
            WireError: `head` is none of ours.
        """
        caller, name, asked = resync_messages.read_question(head)
        if self.source is None:
            self.counts["drop.question"] += 1
            return [], []
        held, again = [], []
        for task, index in asked[: resync_messages.MAX_ASKED]:
            claim = self.source.claim_of(caller, task)
            if claim is not None:
                held.append(claim)
                if claim[4] != Claim.FORGOTTEN:
                    again.append((caller, task, index))
        return [resync_messages.answer(held, name)], again
