"""Messages that cannot be sent yet. Spec: docs/spec/02-session.md, Outbox. Pure.

Bounded in messages and bytes. Messages that came back unaccepted go out first and in their old
order. A TASK whose deadline has passed does not go out.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Final

from ..wire import heads
from ..wire.heads import Verb

Waiting = tuple[bytes, bytes, float | None]
"""head, body, deadline on the monotonic clock: set on a TASK, whose remaining time runs on."""

_OVERHEAD_BYTES: Final = 200


def deadline_of(head: bytes, now_s: float) -> float | None:
    """Return the deadline of a TASK on the monotonic clock; None for every other message."""
    fields = heads.fields_of(head)
    if fields is None or fields.verb != Verb.TASK:
        return None
    return now_s + fields.number / 1000


class Outbox:
    """Waiting messages in the order in which they go out.

    Args:
        max_messages: Maximum number of waiting messages.
        max_bytes: Maximum number of waiting bytes.

    Attributes:
        bytes: Waiting bytes, 200 for each message included; 0 when nothing waits.
    """

    def __init__(self, max_messages: int = 20_000, max_bytes: int = 256 * 1024 * 1024) -> None:
        self.counts: Counter[str] = Counter()
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self.bytes = 0
        self._coming_back: list[Waiting] = []
        self._returned: deque[Waiting] = deque()
        self._waiting: deque[Waiting] = deque()

    def __len__(self) -> int:
        """Return the number of waiting messages."""
        return len(self._coming_back) + len(self._returned) + len(self._waiting)

    def push(self, head: bytes, body: bytes, deadline_at_s: float | None) -> bool:
        """Append a message; without room count it and return False."""
        size = len(body) + _OVERHEAD_BYTES
        if len(self) >= self._max_messages or self.bytes + size > self._max_bytes:
            self.counts["drop.outbox_full"] += 1
            return False
        self.push_accepted(head, body, deadline_at_s)
        return True

    def push_accepted(self, head: bytes, body: bytes, deadline_at_s: float | None) -> None:
        """Append a message even without room.

        For messages that were accepted already, at most those of one turn of the loop.
        """
        self.bytes += len(body) + _OVERHEAD_BYTES
        self._waiting.append((head, body, deadline_at_s))

    def put_back(self, head: bytes, body: bytes, deadline_at_s: float | None) -> None:
        """Put a message that came back in front of all others."""
        # 02, Outbox 2. Messages come back in the order in which they were sent, and all of them
        # before anything goes out again. An earlier return that still waits goes out after them.
        self.bytes += len(body) + _OVERHEAD_BYTES
        self._coming_back.append((head, body, deadline_at_s))

    def put_first(self, messages: Iterable[tuple[bytes, bytes]]) -> None:
        """Put messages in front of all others, even without room."""
        self._merge_returned()
        for head, body in reversed(list(messages)):
            self.bytes += len(body) + _OVERHEAD_BYTES
            self._returned.appendleft((head, body, None))

    def tasks(self) -> set[bytes]:
        """Return the ids of the waiting tasks."""
        waiting = (*self._coming_back, *self._returned, *self._waiting)
        found = (heads.fields_of(head) for head, _, _ in waiting)
        return {fields.task for fields in found if fields and fields.verb == Verb.TASK}

    def change_heads(self, change: Callable[[bytes], bytes]) -> None:
        """Replace the head of each message; `change` keeps its length."""
        for waiting in (self._coming_back, self._returned, self._waiting):
            for at, (head, body, deadline_at_s) in enumerate(list(waiting)):
                changed = change(head)
                if changed != head:
                    waiting[at] = changed, body, deadline_at_s

    def _merge_returned(self) -> None:
        if self._coming_back:
            self._returned.extendleft(reversed(self._coming_back))
            self._coming_back.clear()

    def first(self, now_s: float) -> tuple[bytes, bytes] | None:
        """Return the next message, with its remaining time set; it stays until `sent`."""
        self._merge_returned()
        while self:
            head, body, deadline_at_s = (self._returned or self._waiting)[0]
            if deadline_at_s is None:
                return head, body
            # 02, Outbox 3: the remaining time of a TASK runs on while it waits here.
            left_ms = int((deadline_at_s - now_s) * 1000)
            if left_ms > 0:
                return heads.with_number(head, min(left_ms, heads.MAX_NUMBER)), body
            self.counts["drop.expired_in_outbox"] += 1
            self.sent()
        return None

    def sent(self) -> None:
        """Remove the message that `first` returned."""
        _, body, _ = (self._returned or self._waiting).popleft()
        self.bytes -= len(body) + _OVERHEAD_BYTES
