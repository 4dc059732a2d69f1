"""The last traces, whole, within bounds; failed and slow ones stay longer. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from ..doppler.observed import ObservedSignal
from ..signals import SignalType
from .events import to_json
from .model_facts import Prices
from .root_causes import Cause
from .trace import Trace

MAX_TRACES = 1_000
MAX_FAILED = 200
MAX_SLOW = 100
MAX_STORE_BYTES = 64 * 1024 * 1024
_SHORT_CHARS = 8
_PRESENCE = frozenset(
    {SignalType.REGISTER, SignalType.HEARTBEAT, SignalType.DEREGISTER, SignalType.DISCOVER}
)


class TraceStore:
    """Keeps the 1,000 traces that changed last, and of those before them the failed and the slow.

    Args:
        name_of: Returns the name of a Dendrite by its instance id.
        most: Most traces beside those that are pinned.
        most_bytes: Most bytes of all together, about.
        prices: What models cost, if that is known.

    Attributes:
        v: The version of the newest change.
        evicted: How many traces are not kept any more.
    """

    def __init__(
        self,
        name_of: Callable[[bytes], str] = bytes.hex,
        most: int = MAX_TRACES,
        most_bytes: int = MAX_STORE_BYTES,
        prices: Prices | None = None,
    ) -> None:
        self.v = 0
        self.evicted = 0
        self._name_of = name_of
        self._most = most
        self._most_bytes = most_bytes
        self._prices = prices
        self._recent: OrderedDict[str, Trace] = OrderedDict()  # by its last change
        self._pinned: OrderedDict[str, Trace] = OrderedDict()  # by the time of pinning
        self._counts = {"failed": 0, "slow": 0}
        self._bytes = 0
        self._pinned_bytes = 0
        self._fastest_s = 0.0  # no trace that is pinned as slow was faster, once there are 100

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._recent) + len(self._pinned)

    def __contains__(self, trace_id: object) -> bool:
        """Return whether a trace is kept, by its whole id."""
        return trace_id in self._recent or trace_id in self._pinned

    @property
    def size_bytes(self) -> int:
        """About what all of them hold in memory."""
        return self._bytes

    def observe(
        self, number: int, observed: ObservedSignal, now_s: float, cause: Cause | None = None
    ) -> None:
        """Add a Signal to its trace; those about presence belong to none.

        Args:
            number: Its number in Prism.
            observed: The Signal.
            now_s: The time.
            cause: The root cause, if it is an ERROR.
        """
        signal = observed.signal
        if signal.type in _PRESENCE:
            return
        trace_id = signal.trace_id
        trace = self._recent.get(trace_id)
        if trace is None:
            trace = self._recent[trace_id] = self._unpinned(trace_id) or Trace(signal, now_s)
        else:
            self._recent.move_to_end(trace_id)
        self.v += 1
        self._bytes += trace.add(number, observed, now_s, self.v, cause, self._prices)
        while len(self._recent) > self._most or self._bytes > self._most_bytes:
            if not self._evict():
                return

    def lose(self, trace_id: str, task_id: str) -> None:
        """Note that the outcome of a task is not waited for any more; one may come all the same."""
        trace = self._recent.get(trace_id) or self._pinned.get(trace_id)
        if trace is not None and trace.lose(task_id, self.v + 1):
            self.v += 1

    def trace(self, trace_id: str) -> Trace | None:
        """Return a trace by its id, or by the beginning of it if no other one has that."""
        found = self._recent.get(trace_id) or self._pinned.get(trace_id)
        if found is not None or len(trace_id) < _SHORT_CHARS:
            return found
        fitting = [each for each in self.newest_first() if each.id.startswith(trace_id)]
        return fitting[0] if len(fitting) == 1 else None

    def whole(self, trace: Trace, after: int) -> dict[str, Any]:
        """Return a trace for a page: a line about it, and its records since a version."""
        summary = trace.view(self._name_of, self._prices)
        return {"summary": summary, "records": list(trace.records(after))}

    def newest_first(self) -> Iterator[Trace]:
        """Yield all, those that changed last first, and those that are pinned after them."""
        yield from reversed(self._recent.values())
        yield from reversed(self._pinned.values())

    def told(self, trace: Trace) -> bytes:
        """Return a line about a trace as JSON, made once for each version."""
        if trace.told[0] != trace.v:
            trace.told = (trace.v, to_json(trace.view(self._name_of, self._prices)))
        return trace.told[1]

    def _unpinned(self, trace_id: str) -> Trace | None:
        trace = self._pinned.get(trace_id)
        if trace is not None:
            self._take_pinned(trace)
            trace.pinned = ""
        return trace

    def _take_pinned(self, trace: Trace) -> None:
        del self._pinned[trace.id]
        self._counts[trace.pinned] -= 1
        self._pinned_bytes -= trace.size_bytes

    def _evict(self) -> bool:
        """Pin or drop the trace without a change for the longest time; False if none is left."""
        if self._pinned and (not self._recent or self._pinned_bytes > self._most_bytes // 2):
            self._drop_pinned(next(iter(self._pinned.values())))
            return True
        if len(self._recent) < 2 and self._bytes <= self._most_bytes:
            return False
        if not self._recent:
            return False
        _, trace = self._recent.popitem(last=False)
        kind = {"failed": "failed", "done": "slow"}.get(trace.status)
        if kind is None or not self._has_room(kind, trace):
            self._forget(trace)
            return True
        self.v += 1
        trace.v, trace.pinned = self.v, kind
        self._pinned[trace.id] = trace
        self._counts[kind] += 1
        self._pinned_bytes += trace.size_bytes
        return True

    def _has_room(self, kind: str, trace: Trace) -> bool:
        """Make room for one more pinned trace, unless all of the slow ones are slower."""
        if kind == "failed":
            if self._counts[kind] >= MAX_FAILED:
                self._drop_pinned(
                    next(each for each in self._pinned.values() if each.pinned == kind)
                )
            return True
        if self._counts[kind] < MAX_SLOW:
            return True
        if trace.took_s <= self._fastest_s:
            return False
        slow = sorted(
            (each for each in self._pinned.values() if each.pinned == kind),
            key=lambda each: each.took_s,
        )
        self._drop_pinned(slow[0])
        self._fastest_s = min(slow[1].took_s, trace.took_s)
        return True

    def _drop_pinned(self, trace: Trace) -> None:
        self._take_pinned(trace)
        self._forget(trace)

    def _forget(self, trace: Trace) -> None:
        self.evicted += 1
        self._bytes -= trace.size_bytes
