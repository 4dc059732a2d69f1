"""A table of deadlines for one timer. Pure.

A deadline is rounded up to a slot of 5 ms; the keys of one slot are due in the order in which they
were set. Setting and dropping one costs a dict operation and leaves no entry: a million tasks with
early answers do not stay in memory until their deadlines.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
SLOT_S = 0.005
_MIN_STALE_SLOTS = 64


class Deadlines(Generic[K]):
    """Keys with the deadline of each, on the monotonic clock."""

    def __init__(self) -> None:
        self._slots: dict[int, dict[K, None]] = {}
        self._order: list[int] = []

    def __len__(self) -> int:
        """Return the number of deadlines."""
        return sum(len(keys) for keys in self._slots.values())

    def set(self, key: K, at_s: float) -> int:
        """Set the deadline of `key`; return the slot, which `drop` needs."""
        slot = int(at_s / SLOT_S) + 1
        keys = self._slots.get(slot)
        if keys is None:
            self._slots[slot] = {key: None}
            heapq.heappush(self._order, slot)
        else:
            keys[key] = None
        return slot

    def drop(self, key: K, slot: int) -> None:
        """Remove `key`; do nothing if its deadline has passed."""
        keys = self._slots.get(slot)
        if keys is not None:
            keys.pop(key, None)
            if not keys:
                self._remove_slot(slot)

    def due(self, now_s: float) -> list[K]:
        """Remove and return the keys whose deadline has passed, in the order of their slots."""
        passed: list[K] = []
        while self._order and self._order[0] * SLOT_S <= now_s:
            passed += self._slots.pop(heapq.heappop(self._order), ())
        return passed

    def next_at_s(self) -> float | None:
        """Return the time of the next call of `due`, or None without a deadline."""
        while self._order and self._order[0] not in self._slots:
            heapq.heappop(self._order)
        return self._order[0] * SLOT_S if self._order else None

    def _remove_slot(self, slot: int) -> None:
        """Remove an empty slot; clean up the heap when most of its numbers are of empty slots."""
        del self._slots[slot]
        if len(self._order) > 2 * len(self._slots) + _MIN_STALE_SLOTS:
            self._order = sorted(self._slots)
