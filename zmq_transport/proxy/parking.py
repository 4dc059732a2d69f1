"""Tasks that wait for workers which are not back yet. Spec: docs/spec/03-routing.md. Pure.

Only in the first moments after the proxy's own start, and only for callers that knew an earlier
one: their workers are on the way back too. Everyone else is told at once that nobody is there.
"""

from __future__ import annotations

import attrs


@attrs.frozen
class Parked:
    """One task that waits.

    Args:
        caller: Instance id of who sent it.
        task: Task id.
        head: As it came.
        body: As it came.
        parked_at_s: Since when it waits; its remaining time goes on running.
    """

    caller: bytes
    task: bytes
    head: bytes
    body: bytes
    parked_at_s: float


class Parking:
    """A bounded waiting room, open until `until_s`.

    Args:
        until_s: When it closes, on the monotonic clock.
        max_tasks: How many may wait.
        max_bytes: How many bytes of bodies may wait.
    """

    def __init__(
        self, until_s: float, max_tasks: int = 4096, max_bytes: int = 64 * 1024 * 1024
    ) -> None:
        self.until_s = until_s
        self._max_tasks = max_tasks
        self._room_bytes = max_bytes
        self.by_key: dict[bytes, Parked] = {}

    def __len__(self) -> int:
        """Return how many tasks wait."""
        return len(self.by_key)

    def park(self, parked: Parked) -> bool:
        """Let a task wait that `holds` does not know; False when the room is closed or full."""
        room = self._room_bytes - len(parked.body)
        if parked.parked_at_s >= self.until_s or len(self.by_key) >= self._max_tasks or room < 0:
            return False
        self._room_bytes = room
        self.by_key[parked.caller + parked.task] = parked
        return True

    def pop_all(self) -> list[Parked]:
        """Return everything that waits, in the order it came; the caller may park it again."""
        taken, self.by_key = list(self.by_key.values()), {}
        self._room_bytes += sum(len(each.body) for each in taken)
        return taken

    def holds(self, caller: bytes, task: bytes) -> bool:
        """Tell whether that task waits."""
        return caller + task in self.by_key

    def withdraw(self, caller: bytes, task: bytes) -> bool:
        """Take one task out; True if it was waiting."""
        parked = self.by_key.pop(caller + task, None)
        if parked is None:
            return False
        self._room_bytes += len(parked.body)
        return True

    def withdraw_all(self, caller: bytes) -> None:
        """Take out every task of one caller."""
        for parked in [each for each in self.by_key.values() if each.caller == caller]:
            self.withdraw(caller, parked.task)
