"""How long each task took until its reply, by the clock of the observer. Pure."""

from __future__ import annotations

from ..signals import SignalType
from .observed import ObservedSignal

MOST_TASKS = 10_000
REPLIES = frozenset(
    {
        SignalType.AGENT_OUTPUT,
        SignalType.ERROR,
        SignalType.CLARIFICATION,
        SignalType.PERMISSION,
        SignalType.ESCALATION,
    }
)


class TaskDurations:
    """Remembers when each TASK was seen; of more than 10,000 the oldest are forgotten."""

    def __init__(self) -> None:
        self._seen_at_s: dict[str, float] = {}

    def note(self, observed: ObservedSignal, now_s: float) -> ObservedSignal:
        """Return the Signal, with the duration of its task if it is a reply to one that was seen.

        Args:
            observed: A Signal, in the order of arrival.
            now_s: Monotonic time.
        """
        signal = observed.signal
        if signal.type is SignalType.TASK:
            self._seen_at_s[signal.id] = now_s
            if len(self._seen_at_s) > MOST_TASKS:
                del self._seen_at_s[next(iter(self._seen_at_s))]
        elif signal.type in REPLIES and signal.parent_id in self._seen_at_s:
            return observed._replace(duration_s=now_s - self._seen_at_s[signal.parent_id])
        return observed


def length(seconds: float) -> str:
    """Return a duration for people, in the words of Prism: about three digits, or two units."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    minutes, rest_s = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {rest_s:02} s"
    hours, rest_m = divmod(minutes, 60)
    return f"{hours} h {rest_m:02} m" if hours < 24 else f"{hours // 24:,} d {hours % 24} h"
