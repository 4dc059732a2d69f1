"""The replies that a worker has sent, for 30 s, and their ids, for 10 minutes. Pure.

Spec: docs/spec/09-resync.md, "What each keeps", 2 and 3. A task that arrives twice is not run
twice, and a lost reply is sent again. Replies and ids are dropped in chunks, oldest first, so that
a task costs one entry of a dict and no timer. The caller passes `now_s`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

# A cache of 200,000 tasks must not slow the garbage collector down. It stops looking at a plain
# tuple of numbers and bytes; it never stops looking at an instance of a NamedTuple.
Reply = tuple[int, int, int, bytes]
"""index of the first, how many replies it is (over 1 for a run), type code, body"""
Answered = bytes | tuple[Reply, ...]
"""The body of the only reply, or the replies in order. The last of them settled the task."""

KEEP_S: Final = 30.0
MAX_BYTES: Final = 64 * 1024 * 1024
IDS_S: Final = 600.0
MAX_IDS: Final = 200_000
MAX_STREAM_BYTES: Final = 1024 * 1024
"""The bound for the replies of one running task."""
_OVERHEAD_BYTES: Final = 400
_CHUNK_BYTES: Final = 1024 * 1024
_CHUNK_S: Final = 1.0
_KEY_BYTES: Final = 32


class ReplyStream:
    """The latest replies of a running task, at most 1 MiB of them."""

    __slots__ = ("_bytes", "replies")

    def __init__(self) -> None:
        self.replies: deque[Reply] = deque()
        self._bytes = 0

    def add(self, reply: Reply) -> None:
        """Add a reply; drop the oldest ones over the bound."""
        self.replies.append(reply)
        *_, body = reply
        self._bytes += len(body)
        while self._bytes > MAX_STREAM_BYTES:
            *_, oldest = self.replies.popleft()
            self._bytes -= len(oldest)


class ReplyCache:
    """The tasks that have ended here.

    Attributes:
        ended: The only reply by caller and task id (32 bytes), empty if there were several; None
            once the replies were dropped.

    Args:
        keep_s: The time for which replies are stored.
        max_bytes: The bound for stored replies, 400 bytes for each task included.
        ids_s: The time for which ids are stored.
        max_ids: The bound for stored ids.
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
        self._reply_chunks: deque[tuple[float, int, bytearray]] = deque()
        self._reply_bytes = 0
        self._id_chunks: deque[tuple[float, bytearray]] = deque()
        self._paused = False
        self._resumed_at_s = float("-inf")

    def __len__(self) -> int:
        """Return the number of ended tasks that are known."""
        return len(self.ended)

    def get(self, key: bytes) -> Answered | None:
        """Return the replies of a task, or None if they are not stored."""
        return self._several.get(key) or self.ended.get(key)

    def settle(self, key: bytes, answered: Answered, size: int, now_s: float) -> None:
        """Store the replies of a task that has ended.

        Args:
            key: Its caller and its id; not stored before.
            answered: Its replies.
            size: The length of their bodies together, in bytes.
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
        """Drop nothing for its age while we are disconnected; the bound of bytes holds."""
        self._paused = True

    def resume(self, now_s: float) -> None:
        """Drop by age again, first after `keep_s` seconds: until then a resync may ask."""
        if self._paused:
            self._paused = False
            self._resumed_at_s = now_s

    def expire(self, now_s: float) -> None:
        """Drop everything that is too old or over a bound; call it at intervals too."""
        if self._chunk:
            self._reply_chunks.append((now_s, self._chunk_bytes, self._chunk))
            self._reply_bytes += self._chunk_bytes
            self._chunk, self._chunk_bytes = bytearray(), 0
        self._chunk_until_s = now_s + _CHUNK_S
        # Rule 2: without a connection nothing gets too old, nor within 30 s after it came back.
        horizon_s = now_s - self._keep_s
        by_age = not self._paused and self._resumed_at_s <= horizon_s
        while self._reply_chunks:
            at_s, size, keys = self._reply_chunks[0]
            if self._reply_bytes <= self._max_bytes and not (by_age and at_s <= horizon_s):
                break
            self._reply_chunks.popleft()
            self._reply_bytes -= size
            for key in _cut(keys):
                self.ended[key] = None
                self._several.pop(key, None)
            self._id_chunks.append((at_s, keys))
        while self._id_chunks:
            at_s, keys = self._id_chunks[0]
            is_old = by_age and at_s <= now_s - self._ids_s
            if len(self.ended) <= self._max_ids and not is_old:
                break
            self._id_chunks.popleft()
            for key in _cut(keys):
                self.ended.pop(key, None)


def _cut(keys: bytearray) -> Iterator[bytes]:
    return (bytes(keys[at : at + _KEY_BYTES]) for at in range(0, len(keys), _KEY_BYTES))
