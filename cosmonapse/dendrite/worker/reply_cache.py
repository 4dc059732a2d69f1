"""What a worker has answered, for a while. Pure: the caller passes `now_s`.

Spec: docs/spec/09-resync.md. A task that comes twice is not run twice, and a reply that got lost on
the way is sent again. Replies are kept for half a minute, ids for longer. Both go in chunks, oldest
first, so that a task costs one entry of a dict and no timer. Everything that there is much of is
bytes, in containers of nothing else: the garbage collector does not look through it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

Reply = tuple[int, int, bytes]
"""index, type code, body"""
Answered = bytes | tuple[Reply, ...]
"""The body of the only reply, or the replies in order. The last of them settled the task."""

KEEP_S: Final = 30.0
MAX_BYTES: Final = 64 * 1024 * 1024
IDS_S: Final = 600.0
MAX_IDS: Final = 200_000
MAX_STREAM_BYTES: Final = 1024 * 1024
"""Of what a task streams, that much is kept until it is forgotten."""
_OVERHEAD_BYTES: Final = 400
_CHUNK_BYTES: Final = 1024 * 1024
_CHUNK_S: Final = 1.0
_KEY_BYTES: Final = 32


class ReplyStream:
    """The latest replies of a task that runs, at most 1 MiB of them."""

    __slots__ = ("_bytes", "replies")

    def __init__(self) -> None:
        self.replies: deque[Reply] = deque()
        self._bytes = 0

    def add(self, reply: Reply) -> None:
        """Keep one more; the oldest go when it is too much."""
        self.replies.append(reply)
        self._bytes += len(reply[2])
        while self._bytes > MAX_STREAM_BYTES:
            self._bytes -= len(self.replies.popleft()[2])


class ReplyCache:
    """The tasks that have ended here.

    Attributes:
        ended: The only reply by caller and task id (32 bytes), empty if there were several; None
            when nothing of it is kept any more.

    Args:
        keep_s: How long replies are kept.
        max_bytes: How many bytes of them, 400 for each task included.
        ids_s: How long it is known that a task has ended.
        max_ids: Of how many that is known.
    """

    def __init__(
        self,
        keep_s: float = KEEP_S,
        max_bytes: int = MAX_BYTES,
        ids_s: float = IDS_S,
        max_ids: int = MAX_IDS,
    ) -> None:
        self._keep_s = keep_s
        self._max_bytes = max_bytes
        self._ids_s = ids_s
        self._max_ids = max_ids
        self.ended: dict[bytes, bytes | None] = {}
        self._several: dict[bytes, tuple[Reply, ...]] = {}
        self._chunk = bytearray()
        self._chunk_bytes = 0
        self._chunk_until_s = 0.0
        self._kept: deque[tuple[float, int, bytearray]] = deque()
        self._kept_bytes = 0
        self._forgotten: deque[tuple[float, bytearray]] = deque()
        self._paused = False
        self._back_at_s = float("-inf")

    def __len__(self) -> int:
        """Return how many tasks are known."""
        return len(self.ended)

    def get(self, key: bytes) -> Answered | None:
        """Return the replies of a task; None when they are not kept (any more)."""
        return self._several.get(key) or self.ended.get(key)

    def settle(self, key: bytes, answered: Answered, size: int, now_s: float) -> None:
        """Keep the replies of a task that has ended.

        Args:
            key: Its caller and its id; new.
            answered: Its replies, of `size` bytes.
            size: How much they weigh.
            now_s: Monotonic clock.
        """
        self._chunk += key
        if isinstance(answered, bytes):
            self.ended[key] = answered
        else:
            self.ended[key] = b""
            self._several[key] = answered
        self._chunk_bytes += size + _OVERHEAD_BYTES
        if self._chunk_bytes >= _CHUNK_BYTES or now_s >= self._chunk_until_s:
            self.expire(now_s)

    def pause(self) -> None:
        """Keep everything while nobody can be answered; the bound of bytes stays."""
        self._paused = True

    def resume(self, now_s: float) -> None:
        """Go on forgetting, the first time when whoever was away had the time to ask."""
        if self._paused:
            self._paused = False
            self._back_at_s = now_s

    def expire(self, now_s: float) -> None:
        """Forget what is too old or too much; call it now and then while nothing ends."""
        if self._chunk:
            self._kept.append((now_s, self._chunk_bytes, self._chunk))
            self._kept_bytes += self._chunk_bytes
            self._chunk, self._chunk_bytes = bytearray(), 0
        self._chunk_until_s = now_s + _CHUNK_S
        horizon_s = now_s - self._keep_s
        may_go = not self._paused and self._back_at_s <= horizon_s
        while self._kept and (
            self._kept_bytes > self._max_bytes or (may_go and self._kept[0][0] <= horizon_s)
        ):
            at_s, size, keys = self._kept.popleft()
            self._kept_bytes -= size
            for key in _cut(keys):
                self.ended[key] = None
                self._several.pop(key, None)
            self._forgotten.append((at_s, keys))
        while self._forgotten and (
            len(self.ended) > self._max_ids or self._forgotten[0][0] <= now_s - self._ids_s
        ):
            for key in _cut(self._forgotten.popleft()[1]):
                self.ended.pop(key, None)


def _cut(keys: bytearray) -> Iterator[bytes]:
    return (bytes(keys[at : at + _KEY_BYTES]) for at in range(0, len(keys), _KEY_BYTES))
