"""What callers must still be told, because it found no room on its way. Pure.

Spec: docs/spec/03-routing.md. What ends a task must not be lost in silence: a BOUNCE or LOST that
found the queue of its caller full goes out again at a later tick; for a reply the caller is told
that one waits, and asks for it.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from .peers import Peer

Directed = tuple[bytes, bytes, bytes]
"""connection, head, body"""

MAX_NOTICES: Final = 100_000


class _Waiting:
    """What one caller must be told, by task, and how much of it is tried at the next tick."""

    __slots__ = ("came_back", "messages", "room")

    def __init__(self) -> None:
        self.messages: dict[bytes, tuple[bytes, bytes]] = {}
        self.room = 1
        self.came_back = False


class DeferredNotices:
    """A bounded waiting room for what ends tasks.

    Args:
        max_count: How many may wait, for all callers together.
    """

    def __init__(self, max_count: int = MAX_NOTICES) -> None:
        self._waiting: dict[Peer, _Waiting] = {}
        self._max_count = max_count
        self._count = 0

    def __len__(self) -> int:
        """Return how many wait."""
        return self._count

    def defer(self, caller: Peer, task: bytes, head: bytes, body: bytes) -> bool:
        """Keep what found no room at `caller`; False when too much waits already.

        A later one about the same task takes the place of the earlier.
        """
        waiting = self._waiting.get(caller)
        if waiting is None:
            waiting = self._waiting[caller] = _Waiting()
        waiting.came_back = True
        if task not in waiting.messages:
            if self._count >= self._max_count:
                return False
            self._count += 1
        waiting.messages[task] = head, body
        return True

    def withdraw(self, caller: Peer, task: bytes) -> None:
        """Forget what was to be said about a task that its caller took back."""
        waiting = self._waiting.get(caller)
        if waiting is not None and waiting.messages.pop(task, None) is not None:
            self._count -= 1

    def forget(self, caller: Peer) -> None:
        """Forget all that a caller was to be told: it is gone, or says anew what it has open."""
        waiting = self._waiting.pop(caller, None)
        if waiting is not None:
            self._count -= len(waiting.messages)

    def tick(self) -> list[Directed]:
        """Return what to try now.

        One letter for each caller at first; twice as many each time while nothing comes back, half
        as many when something did. So a caller that stands still costs next to nothing.
        """
        messages: list[Directed] = []
        for caller, waiting in list(self._waiting.items()):
            if caller.gone or not waiting.messages:
                self.forget(caller)
            elif caller.absent_at_s is None:
                messages += self._next_of(caller, waiting)
        return messages

    def _next_of(self, caller: Peer, waiting: _Waiting) -> list[Directed]:
        waiting.room = max(1, waiting.room // 2) if waiting.came_back else waiting.room * 2
        waiting.came_back = False
        tasks = list(islice(waiting.messages, waiting.room))
        self._count -= len(tasks)
        return [(caller.connection, *waiting.messages.pop(task)) for task in tasks]
