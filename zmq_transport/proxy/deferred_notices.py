"""Defer messages that end a task until their caller has room. Spec: docs/spec/03-routing.md. Pure.

The end of a task must not be lost in silence. A BOUNCE or LOST that found the queue of its caller
full is sent again when there is room, or at a later tick where nobody tells of room. In place of a
reply a LOST `reply_waits` is sent, and the caller asks for the reply.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from .peers import Peer

Directed = tuple[bytes, bytes, bytes]
"""connection, head, body"""

MAX_NOTICES: Final = 100_000
MAX_NOTICES_OF_CALLER: Final = 20_000


class _Waiting:
    """The messages for one caller, by task.

    Attributes:
        messages: By task, head and body.
        room: How many were tried last.
        came_back: Whether one came back since then.
        is_trying: True from the first messages of `DeferredNotices.on_writable` to its last.
    """

    __slots__ = ("came_back", "is_trying", "messages", "room")

    def __init__(self) -> None:
        self.messages: dict[bytes, tuple[bytes, bytes]] = {}
        self.room = 1
        self.came_back = self.is_trying = False


class DeferredNotices:
    """The deferred messages of all callers, bounded.

    Args:
        max_count: Limit for all callers together.
        max_of_caller: Limit for one caller.
    """

    def __init__(
        self, max_count: int = MAX_NOTICES, max_of_caller: int = MAX_NOTICES_OF_CALLER
    ) -> None:
        self._waiting: dict[Peer, _Waiting] = {}
        self._max_count = max_count
        self._max_of_caller = max_of_caller
        self._count = 0

    def __len__(self) -> int:
        """Return the number of deferred messages."""
        return self._count

    def defer(self, caller: Peer, task: bytes, head: bytes, body: bytes) -> bool:
        """Defer a message that found no room at `caller`; False when there are too many already.

        A later one about the same task replaces the earlier.
        """
        waiting = self._waiting.get(caller)
        if waiting is None:
            waiting = self._waiting[caller] = _Waiting()
        waiting.came_back = True
        if task not in waiting.messages:
            if self._count >= self._max_count or len(waiting.messages) >= self._max_of_caller:
                return False
            self._count += 1
        waiting.messages[task] = head, body
        return True

    def withdraw(self, caller: Peer, task: bytes) -> None:
        """Forget the message about a task that its caller cancelled."""
        waiting = self._waiting.get(caller)
        if waiting is not None and waiting.messages.pop(task, None) is not None:
            self._count -= 1

    def forget(self, caller: Peer) -> None:
        """Forget the messages for a caller that is gone, or that lists its open tasks again."""
        waiting = self._waiting.pop(caller, None)
        if waiting is not None:
            self._count -= len(waiting.messages)

    def tick(self) -> list[Directed]:
        """Return the messages to try now.

        It is one for each caller at first, twice as many each time while none comes back, and half
        as many after one did. So a caller that does not read costs next to nothing.
        """
        messages: list[Directed] = []
        for caller, waiting in list(self._waiting.items()):
            if caller.gone or not waiting.messages:
                self.forget(caller)
            elif caller.absent_at_s is None:
                messages += self._next_of(caller, waiting)
        return messages

    def on_writable(self, caller: Peer) -> list[Directed]:
        """Return the next messages to try, as a caller has room; call it again until it is none.

        As many as in a tick, so more with each call. It is none once one came back. So what this
        costs is bounded by what the caller has room for.
        """
        waiting = self._waiting.get(caller)
        if waiting is None:
            return []
        is_full = waiting.is_trying and waiting.came_back
        is_here = not caller.gone and caller.absent_at_s is None
        waiting.is_trying = bool(waiting.messages) and is_here and not is_full
        return self._next_of(caller, waiting) if waiting.is_trying else []

    def _next_of(self, caller: Peer, waiting: _Waiting) -> list[Directed]:
        waiting.room = max(1, waiting.room // 2) if waiting.came_back else waiting.room * 2
        waiting.came_back = False
        tasks = list(islice(waiting.messages, waiting.room))
        self._count -= len(tasks)
        return [(caller.connection, *waiting.messages.pop(task)) for task in tasks]
