"""How long a TASK waited at its worker, and how long its function ran: the meta of its last reply.

Spec: docs/spec/07-signals.md, "At the worker", 4. Pure.
"""

from __future__ import annotations

from typing import Any, Final

from ...codec import packed

QUEUED_MS: Final = "queued_ms"
RAN_MS: Final = "ran_ms"
_AT_ONCE_S: Final = 0.001
_MORE_KEYS: Final = 2
_MAX_MADE: Final = 1024


def reply_times(arrived_at_s: float, started_at_s: float | None, now_s: float) -> dict[str, int]:
    """Return the whole milliseconds that a TASK waited and ran, as they stand in `meta`.

    Args:
        arrived_at_s: When it arrived, on a monotonic clock.
        started_at_s: When its function was called; None if it was not: then there is no `ran_ms`.
        now_s: When its last reply is made.
    """
    if started_at_s is None:
        return {QUEUED_MS: _ms(now_s - arrived_at_s)}
    return {QUEUED_MS: _ms(started_at_s - arrived_at_s), RAN_MS: _ms(now_s - started_at_s)}


def _ms(seconds: float) -> int:
    return max(0, int(seconds * 1000))


class ReplyTimes:
    """Makes the meta of last replies: what is the same in all of them, and the times.

    Args:
        fixed: What is the same in all of them; at most 13 keys.
    """

    def __init__(self, fixed: dict[str, Any]) -> None:
        self._fixed = fixed
        # A fixmap of at most 15 keys: its first byte has their number.
        self._start = bytes((0x80 | len(fixed) + _MORE_KEYS,)) + packed(fixed)[1:]
        self._between = packed(RAN_MS)
        self._start += packed(QUEUED_MS)
        self._at_once = self._bytes_of(0, 0)
        self._made: dict[tuple[int, int], bytes] = {}

    def of(self, arrived_at_s: float, started_at_s: float | None, now_s: float) -> dict[str, Any]:
        """Return the meta; the arguments are those of `reply_times`."""
        return {**self._fixed, **reply_times(arrived_at_s, started_at_s, now_s)}

    def packed(self, arrived_at_s: float, started_at_s: float, now_s: float) -> bytes:
        """Return the bytes of `of`, for the hot path: most replies come within a millisecond."""
        if now_s - arrived_at_s < _AT_ONCE_S:
            return self._at_once
        queued_ms = int((started_at_s - arrived_at_s) * 1000)
        ran_ms = int((now_s - started_at_s) * 1000)
        made = self._made.get((queued_ms, ran_ms))
        return self._remember(max(0, queued_ms), max(0, ran_ms)) if made is None else made

    def _remember(self, queued_ms: int, ran_ms: int) -> bytes:
        """Make the bytes and keep them: of a busy worker the same times come again and again."""
        if len(self._made) >= _MAX_MADE:
            self._made.clear()
        made = self._made[queued_ms, ran_ms] = self._bytes_of(queued_ms, ran_ms)
        return made

    def _bytes_of(self, queued_ms: int, ran_ms: int) -> bytes:
        return b"".join((self._start, packed(queued_ms), self._between, packed(ran_ms)))
