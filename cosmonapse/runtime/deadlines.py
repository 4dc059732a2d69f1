"""Many deadlines, one timer. Pure.

A deadline is rounded up to a slot of 5 ms. Setting and dropping one costs a dict operation and
leaves nothing behind, however long it was, so that a million tasks which are answered at once do
not pile up until their deadlines.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
SLOT_S = 0.005
_SLACK = 64


class Deadlines(Generic[K]):
    """Keys with the instant at which each falls due, on the monotonic clock."""

    def __init__(self) -> None:
        self._slots: dict[int, set[K]] = {}
        self._order: list[int] = []

    def __len__(self) -> int:
        """Return how many are set."""
        return sum(len(keys) for keys in self._slots.values())

    def set(self, key: K, at_s: float) -> int:
        """Let `key` fall due at `at_s`; `drop` wants the slot that this returns."""
        slot = int(at_s / SLOT_S) + 1
        keys = self._slots.get(slot)
        if keys is None:
            self._slots[slot] = {key}
            heapq.heappush(self._order, slot)
        else:
            keys.add(key)
        return slot

    def drop(self, key: K, slot: int) -> None:
        """Take `key` out; nothing happens if it has fallen due already."""
        keys = self._slots.get(slot)
        if keys is not None:
            keys.discard(key)
            if not keys:
                self._leave(slot)

    def due(self, now_s: float) -> list[K]:
        """Take out and return what has fallen due."""
        fallen: list[K] = []
        while self._order and self._order[0] * SLOT_S <= now_s:
            fallen += self._slots.pop(heapq.heappop(self._order), ())
        return fallen

    def next_at_s(self) -> float | None:
        """Return when `due` is to be asked next, or None while nothing is set."""
        while self._order and self._order[0] not in self._slots:
            heapq.heappop(self._order)
        return self._order[0] * SLOT_S if self._order else None

    def _leave(self, slot: int) -> None:
        """Forget an empty slot; its number leaves the heap when such numbers are the majority."""
        del self._slots[slot]
        if len(self._order) > 2 * len(self._slots) + _SLACK:
            self._order = sorted(self._slots)
