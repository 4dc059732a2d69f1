"""What could not be sent yet. Spec: docs/spec/02-session.md. Pure.

Bounded in messages and bytes. What came back unaccepted goes out first and in its old order; a
message whose deadline is over does not go out at all.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import Final

from ..wire import heads

Waiting = tuple[bytes, bytes, float | None]
"""head, body, deadline on the monotonic clock: set on a TASK, whose remaining time runs on."""

_OVERHEAD_BYTES: Final = 200


class Outbox:
    """Messages in the order in which they go out.

    Args:
        max_messages: How many may wait.
        max_bytes: How many bytes may wait.

    Attributes:
        bytes: How many wait, 200 for each message included; 0 when nothing waits.
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
        """Return how many messages wait."""
        return len(self._coming_back) + len(self._returned) + len(self._waiting)

    def push(self, head: bytes, body: bytes, deadline_at_s: float | None) -> bool:
        """Let a message wait behind all others; False, and counted, when there is no room."""
        size = len(body) + _OVERHEAD_BYTES
        if len(self) >= self._max_messages or self.bytes + size > self._max_bytes:
            self.counts["drop.outbox_full"] += 1
            return False
        self.keep(head, body, deadline_at_s)
        return True

    def keep(self, head: bytes, body: bytes, deadline_at_s: float | None) -> None:
        """Let a message wait behind all others, whether there is room or not.

        For what was accepted already: at most what one turn of the loop gathers.
        """
        self.bytes += len(body) + _OVERHEAD_BYTES
        self._waiting.append((head, body, deadline_at_s))

    def put_back(self, head: bytes, body: bytes, deadline_at_s: float | None) -> None:
        """Let a message that came back wait in front of all others.

        Messages come back in the order in which they were sent, and all of them before anything
        goes out again; what was on its way to go out a second time waits behind them.
        """
        self.bytes += len(body) + _OVERHEAD_BYTES
        self._coming_back.append((head, body, deadline_at_s))

    def put_first(self, messages: Iterable[tuple[bytes, bytes]]) -> None:
        """Let messages go out before everything that waits; there is always room for them."""
        self._line_up()
        for head, body in reversed(list(messages)):
            self.bytes += len(body) + _OVERHEAD_BYTES
            self._returned.appendleft((head, body, None))

    def tasks(self) -> set[bytes]:
        """Return the ids of the tasks that wait."""
        waiting = (*self._coming_back, *self._returned, *self._waiting)
        singles = (heads.unpack_single(head) for head, _, _ in waiting)
        return {single[5] for single in singles if single and single[1] == heads.Verb.TASK}

    def _line_up(self) -> None:
        if self._coming_back:
            self._returned.extendleft(reversed(self._coming_back))
            self._coming_back.clear()

    def first(self, now_s: float) -> tuple[bytes, bytes] | None:
        """Return what goes out next, with its remaining time set; it stays until `sent`."""
        self._line_up()
        while self:
            head, body, deadline_at_s = (self._returned or self._waiting)[0]
            if deadline_at_s is None:
                return head, body
            left_ms = int((deadline_at_s - now_s) * 1000)
            if left_ms > 0:
                return heads.with_number(head, min(left_ms, heads.MAX_NUMBER)), body
            self.counts["drop.expired_in_outbox"] += 1
            self.sent()
        return None

    def sent(self) -> None:
        """Take out what `first` returned."""
        _, body, _ = (self._returned or self._waiting).popleft()
        self.bytes -= len(body) + _OVERHEAD_BYTES
