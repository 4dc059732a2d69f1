"""Collect the tasks and workers that callers list after a reconnect. Pure.

Spec: docs/spec/09-resync.md, "After WELCOME".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Final

import attrs

from ..wire.resync_messages import WorkersFlag
from .peers import Peer
from .worker_queries import KnownWorkers

MAX_LISTED: Final = 1_000_000
"""Tasks and workers of lists that are not complete yet."""
MAX_LISTED_OF_CALLER: Final = 100_000
"""The same of one caller."""
MAX_KNOWN: Final = 500_000
"""Workers in all different lists."""


@attrs.define
class CallerList:
    """The list of one caller so far.

    Args:
        ids: The workers that it knew.
        complete: True after the page that marks the list as complete.
        known: The same as a value, once tasks come; None while workers come.
        tasks: The ids of its open tasks.
        is_cut: True if a part of the list found no room.
    """

    ids: set[bytes] = attrs.field(factory=set)
    complete: bool = False
    known: KnownWorkers | None = None
    tasks: set[bytes] = attrs.field(factory=set)
    is_cut: bool = False


class CallerLists:
    """The lists of all callers; their sum is bounded.

    Args:
        counts: Counters by name.
    """

    def __init__(self, counts: Counter[str]) -> None:
        self.known: dict[KnownWorkers, KnownWorkers] = {}
        self._counts = counts
        self._of: dict[Peer, CallerList] = {}
        self._size = 0

    def add_workers(self, peer: Peer, kind: int, ids: Collection[bytes]) -> None:
        """Add a page of the workers that a caller knew."""
        listing = self._of.setdefault(peer, CallerList())
        if kind & WorkersFlag.FIRST:
            self._size -= len(listing.ids)
            listing.ids.clear()
        listing.known = None
        if self._has_room(listing, len(ids)):
            self._size -= len(listing.ids)
            listing.ids.update(ids)
            self._size += len(listing.ids)
        # 09-resync, "Who may have had a task" 4: without LAST the caller does not know every
        # worker. A cut list is as good as one without LAST: nothing is called not started for it.
        listing.complete = bool(kind & WorkersFlag.LAST) and not listing.is_cut

    def add_task(self, peer: Peer, task: bytes) -> None:
        """Add a task that a caller has open."""
        listing = self._of.setdefault(peer, CallerList())
        if self._has_room(listing, 1):
            self._size -= len(listing.tasks)
            listing.tasks.add(task)
            self._size += len(listing.tasks)

    def _has_room(self, listing: CallerList, count: int) -> bool:
        """Return whether `count` more may be listed; if not, mark the list as cut."""
        mine = len(listing.ids) + len(listing.tasks) + count
        if self._size + count <= MAX_LISTED and mine <= MAX_LISTED_OF_CALLER:
            return True
        self._counts["drop.listed"] += count
        listing.is_cut = True
        return False

    def known_by(self, peer: Peer) -> KnownWorkers:
        """Return the workers that a caller knew; equal sets are stored once."""
        listing = self._of.get(peer)
        if listing is None:
            return KnownWorkers()
        if listing.known is None:
            known = KnownWorkers(frozenset(listing.ids), listing.complete)
            # Thousands of callers know the same thousand workers: one set serves them all.
            if known not in self.known:
                total = sum(len(each.workers) for each in self.known)
                if total + len(known.workers) > MAX_KNOWN:
                    self._counts["drop.listed"] += len(known.workers)
                    known = KnownWorkers()
                self.known[known] = known
            listing.known = self.known[known]
        return listing.known

    def forget(self, peer: Peer) -> CallerList:
        """Forget the list of a caller, and return it."""
        listing = self._of.pop(peer, None) or CallerList()
        self._size -= len(listing.ids) + len(listing.tasks)
        return listing

    def forget_gone(self) -> None:
        """Forget the lists of callers that are gone."""
        for peer in [each for each in self._of if each.gone]:
            self.forget(peer)

    def forget_unused(self) -> None:
        """Forget what callers knew, except for lists that still grow: no query is open."""
        # A page of such a list may come at any time, and what its caller knew is needed then.
        in_use = (each.known for each in self._of.values())
        self.known = {known: known for known in in_use if known is not None}
