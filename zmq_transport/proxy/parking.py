"""Hold tasks for workers that are not back yet. Spec: docs/spec/03-routing.md. Pure.

Only for a moment after the start of the proxy, and only for callers that knew an earlier one: their
workers are on the way back too. A task of any other caller is bounced at once.
"""

from __future__ import annotations

from collections import Counter

import attrs


@attrs.frozen
class Parked:
    """One parked task.

    Args:
        caller: Instance id of its caller.
        task: Task id.
        head: As it came.
        body: As it came.
        parked_at_s: Since when it is parked, on the monotonic clock; its time goes on running.
    """

    caller: bytes
    task: bytes
    head: bytes
    body: bytes
    parked_at_s: float


class Parking:
    """The parked tasks, bounded; none is added after `until_s`.

    Args:
        until_s: When parking ends, on the monotonic clock.
        max_tasks: Limit of tasks.
        max_bytes: Limit of the bytes of their bodies.

    One caller may have as much of both as it leaves for the others.
    """

    def __init__(
        self, until_s: float, max_tasks: int = 8192, max_bytes: int = 128 * 1024 * 1024
    ) -> None:
        self.until_s = until_s
        self._max_tasks = max_tasks
        self._max_bytes = max_bytes
        self._room_bytes = max_bytes
        self._tasks_of: Counter[bytes] = Counter()
        self._bytes_of: Counter[bytes] = Counter()
        self.by_key: dict[bytes, Parked] = {}  # public for the hot path, which only looks

    def __len__(self) -> int:
        """Return the number of parked tasks."""
        return len(self.by_key)

    def park(self, parked: Parked) -> bool:
        """Park a task that is not parked yet; False when parking is over or full."""
        if parked.parked_at_s >= self.until_s or not self._has_room(parked):
            return False
        self._charge(parked, 1)
        self.by_key[parked.caller + parked.task] = parked
        return True

    def _has_room(self, parked: Parked) -> bool:
        size, caller = len(parked.body), parked.caller
        return (
            len(self.by_key) < self._max_tasks
            and size <= self._room_bytes
            and self._tasks_of[caller] < self._max_tasks - len(self.by_key)
            and self._bytes_of[caller] <= self._room_bytes - size
        )

    def _charge(self, parked: Parked, sign: int) -> None:
        self._room_bytes -= sign * len(parked.body)
        self._bytes_of[parked.caller] += sign * len(parked.body)
        self._tasks_of[parked.caller] += sign

    def pop_all(self) -> list[Parked]:
        """Remove and return all tasks in the order they came; a task may be parked again."""
        taken, self.by_key = list(self.by_key.values()), {}
        self._room_bytes = self._max_bytes
        self._tasks_of.clear()
        self._bytes_of.clear()
        return taken

    def holds(self, caller: bytes, task: bytes) -> bool:
        """Return whether a task is parked."""
        return caller + task in self.by_key

    def withdraw(self, caller: bytes, task: bytes) -> bool:
        """Remove one task; True if it was parked."""
        parked = self.by_key.pop(caller + task, None)
        if parked is None:
            return False
        self._charge(parked, -1)
        return True

    def withdraw_all(self, caller: bytes) -> None:
        """Remove every task of one caller."""
        for parked in [each for each in self.by_key.values() if each.caller == caller]:
            self.withdraw(caller, parked.task)
