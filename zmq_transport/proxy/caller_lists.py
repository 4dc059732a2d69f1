"""What callers list after a reconnect, while they list it. Spec: docs/spec/09-resync.md. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Final

import attrs

from ..wire.resync_messages import WorkersFlag
from .peers import Peer
from .worker_queries import KnownWorkers

MAX_NOTED: Final = 1_000_000
"""Tasks and workers of lists that are not complete yet."""
MAX_KNOWN: Final = 500_000
"""Workers of different lists."""


@attrs.define
class CallerList:
    """What a caller has listed so far.

    Args:
        ids: The workers that it says it knew.
        complete: True once it has said that these were all.
        known: The same, once its tasks come; None while workers come.
        tasks: The ledger keys of its open tasks.
        is_cut: True if there was no room for all that it listed.
    """

    ids: set[bytes] = attrs.field(factory=set)
    complete: bool = False
    known: KnownWorkers | None = None
    tasks: set[bytes] = attrs.field(factory=set)
    is_cut: bool = False


class CallerLists:
    """The lists of all callers; their sum is bounded.

    Args:
        counts: Where drops are counted.
    """

    def __init__(self, counts: Counter[str]) -> None:
        self.known: dict[KnownWorkers, KnownWorkers] = {}
        self._counts = counts
        self._of: dict[Peer, CallerList] = {}
        self._noted = 0

    def workers(self, peer: Peer, kind: int, ids: Collection[bytes]) -> None:
        """Take a page of the workers that a caller knew."""
        listing = self._of.setdefault(peer, CallerList())
        if kind & WorkersFlag.FIRST:
            self._noted -= len(listing.ids)
            listing.ids.clear()
        listing.known = None
        if self._has_room(listing, len(ids)):
            self._noted -= len(listing.ids)
            listing.ids.update(ids)
            self._noted += len(listing.ids)
        listing.complete = bool(kind & WorkersFlag.LAST) and not listing.is_cut

    def task(self, peer: Peer, task: bytes) -> None:
        """Take a task that a caller has open."""
        listing = self._of.setdefault(peer, CallerList())
        if self._has_room(listing, 1):
            self._noted -= len(listing.tasks)
            listing.tasks.add(peer.instance + task)
            self._noted += len(listing.tasks)

    def _has_room(self, listing: CallerList, count: int) -> bool:
        """Tell whether so much more may be listed; if not, what depends on all of it is off."""
        if self._noted + count <= MAX_NOTED:
            return True
        self._counts["drop.listed"] += count
        listing.is_cut = True
        return False

    def known_by(self, peer: Peer) -> KnownWorkers:
        """Return which workers a caller knew; equal sets are kept once."""
        listing = self._of.get(peer)
        if listing is None:
            return KnownWorkers()
        if listing.known is None:
            known = KnownWorkers(frozenset(listing.ids), listing.complete)
            if known not in self.known:
                total = sum(len(each.workers) for each in self.known)
                if total + len(known.workers) > MAX_KNOWN:
                    self._counts["drop.listed"] += len(known.workers)
                    known = KnownWorkers()
                self.known[known] = known
            listing.known = self.known[known]
        return listing.known

    def forget(self, peer: Peer) -> CallerList:
        """Return what a caller has listed, and forget it."""
        listing = self._of.pop(peer, None) or CallerList()
        self._noted -= len(listing.ids) + len(listing.tasks)
        return listing

    def forget_gone(self) -> None:
        """Forget the lists of those who are gone."""
        for peer in [each for each in self._of if each.gone]:
            self.forget(peer)
