"""How many tasks ended how, and how long they took: what each task adds to. Pure.

A task pays for this only while somebody measures; but then each of them does, at both of its ends.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from ..signals import SignalType

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Bounds for how long a task takes: 5 ms to 5 min."""
MAX_BOUNDS = 31
_OUTPUT = SignalType.AGENT_OUTPUT


class Histogram:
    """Counts values by bound, as Prometheus does.

    Args:
        bounds: The upper bounds, ascending, 31 at most; a value that equals one counts for it.

    Attributes:
        bounds: The bounds.
        total: The sum of all values.

    Raises:
        ValueError: There are more than 31 bounds.
    """

    __slots__ = ("_counts", "bounds", "total")

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        if len(bounds) > MAX_BOUNDS:
            raise ValueError(f"a histogram has at most {MAX_BOUNDS} bounds, not {len(bounds)}")
        self.bounds = tuple([float(each) for each in bounds])
        self.total = 0.0
        self._counts = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        """Count a value; one that is no number counts for the first bound."""
        self._counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def counts(self) -> list[int]:
        """Return how many values were up to each bound and over the one before; then the rest."""
        return list(self._counts)

    def cumulative(self) -> list[int]:
        """Return how many values were up to each bound, and how many there were, as the last."""
        return list(accumulate(self._counts))

    def merge(self, other: Histogram) -> None:
        """Add the values of another one.

        Raises:
            ValueError: It has other bounds.
        """
        if self.bounds != other.bounds:
            raise ValueError("only histograms with the same bounds can be merged")
        for place, count in enumerate(other.counts()):
            self._counts[place] += count
        self.total += other.total

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self._counts)


class Ends:
    """How the tasks of one label ended.

    Attributes:
        ok: How many ended with an output.
        others: How many ended in another way, by outcome.
        took: How long they took.
        waited: How long they waited for a place, at the worker.
        first: How long it took until their first thought.
    """

    __slots__ = ("first", "ok", "others", "took", "waited")

    def __init__(self) -> None:
        self.ok = 0
        self.others: Counter[str] = Counter()
        self.took = Histogram()
        self.waited = Histogram()
        self.first = Histogram()


class TaskEnds:
    """Counts the usual end of a task, an output, and hands on every other one.

    Args:
        now_s: Returns the time on the clock of the loop.
        ended: Handles any other end at the worker.
        settled: Handles any other end at the caller.

    Attributes:
        neurons: The tasks that ran here, by Axon.
        addresses: Those that were sent from here, by the address.
    """

    __slots__ = ("_ended", "_now_s", "_settled", "addresses", "neurons")

    def __init__(
        self,
        now_s: Callable[[], float],
        ended: Callable[[Any, SignalType, Mapping[str, Any]], None],
        settled: Callable[[Any, Any], None],
    ) -> None:
        self._now_s = now_s
        self._ended = ended
        self._settled = settled
        self.neurons: dict[str, Ends] = {}
        self.addresses: dict[bytes, Ends] = {}

    def on_end(self, job: Any, signal_type: SignalType, payload: Mapping[str, Any]) -> None:
        """Count the end of a task at its worker; see `TaskObserver`."""
        ends = self.neurons.get(job.slots.axon.neuron_id)
        if ends is None or signal_type is not _OUTPUT or job.started_at_s is None:
            self._ended(job, signal_type, payload)
            return
        ends.ok += 1
        ends.took.add(self._now_s() - job.started_at_s)
        ends.waited.add(job.started_at_s - job.arrived_at_s)

    def on_settled(self, opened: Any, signal: Any) -> None:
        """Count the end of a task at its caller; see `TaskObserver`."""
        ends = self.addresses.get(opened.address)
        if ends is None or signal.__class__ is str or signal.type is not _OUTPUT:
            self._settled(opened, signal)
            return
        ends.ok += 1
        ends.took.add(self._now_s() - opened.expires_at_s + opened.timeout_s)
