"""Rates and latencies, second by second. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple

SECONDS = 120
MOST_NEURONS = 500
_MOST_SAMPLES = 256
_MEAN_S = 10
_MEAN_OF_ALL_S = 5
_MINUTE_S = 60
_NO_FIGURES: Mapping[str, Any] = MappingProxyType(
    {"rate": 0.0, "errors_per_minute": 0, "error_rate": None, "p50_ms": None, "p99_ms": None}
)


class _Second(NamedTuple):
    rate: int
    errors: int
    p50_ms: float | None
    p99_ms: float | None


_QUIET = _Second(0, 0, None, None)


class _Series:
    """The outcomes of one neuron, in the current second and the seconds before."""

    __slots__ = ("_count", "_failed", "_samples_ms", "done", "errors", "past")

    def __init__(self) -> None:
        self.done = 0
        self.errors = 0
        self.past: deque[_Second] = deque(maxlen=SECONDS)
        self._count = 0
        self._failed = 0
        self._samples_ms: list[float] = []

    def settled(self, took_ms: float | None, failed: bool) -> None:
        self._failed += failed
        if took_ms is not None:
            if len(self._samples_ms) < _MOST_SAMPLES:
                self._samples_ms.append(took_ms)
            else:  # the newest replace the oldest
                self._samples_ms[self._count % _MOST_SAMPLES] = took_ms
        self._count += 1

    def close(self) -> None:
        """End the current second."""
        if not self._count:
            self.past.append(_QUIET)
            return
        samples, self._samples_ms = sorted(self._samples_ms), []
        self.past.append(_Second(self._count, self._failed, _rank(samples, 50), _rank(samples, 99)))
        self._count = self._failed = 0


def _rank(ordered: list[float], percent: int) -> float | None:
    """Return the nearest-rank percentile of sorted values; None if there are none."""
    if not ordered:
        return None
    return round(ordered[max(0, -(-len(ordered) * percent // 100) - 1)], 3)


class Rates:
    """Signals a second, and the outcomes of each neuron, for the last 120 full seconds.

    Args:
        most: Most neurons; beyond that the one without an outcome for the longest time is dropped.
    """

    def __init__(self, most: int = MOST_NEURONS) -> None:
        self._total: deque[int] = deque(maxlen=SECONDS)
        self._now = 0
        self._second: int | None = None
        self._neurons: OrderedDict[str, _Series] = OrderedDict()
        self._most = most

    def count(self, now_s: float) -> None:
        """Count a Signal."""
        if self._second is None or now_s >= self._second + 1:
            self.advance(now_s)
        self._now += 1

    def settled(self, neuron: str, failed: bool, took_ms: float | None, now_s: float) -> None:
        """Count an outcome of a neuron; `took_ms` is the time since its TASK, if known."""
        self.advance(now_s)
        series = self._neurons.get(neuron)
        if series is None:
            series = self._neurons[neuron] = _Series()
            if len(self._neurons) > self._most:
                self._neurons.popitem(last=False)
        else:
            self._neurons.move_to_end(neuron)
        series.settled(took_ms, failed)
        if failed:
            series.errors += 1
        else:
            series.done += 1

    def advance(self, now_s: float) -> None:
        """End every second that is over."""
        second = int(now_s)
        if self._second is None:
            self._second = second
        for _ in range(min(second - self._second, SECONDS + 1)):
            self._total.append(self._now)
            self._now = 0
            for series in self._neurons.values():
                series.close()
        self._second = max(second, self._second)

    def signals_per_s(self) -> float:
        """Return the mean of the last 5 full seconds."""
        last = list(self._total)[-_MEAN_OF_ALL_S:]
        return round(sum(last) / len(last), 1) if last else 0.0

    def recent(self, neuron: str) -> dict[str, Any]:
        """Return the figures of a neuron: over the last minute, its rate over the last 10 s."""
        series = self._neurons.get(neuron)
        if series is None:
            return dict(_NO_FIGURES)
        minute = list(series.past)[-_MINUTE_S:]
        last = minute[-_MEAN_S:]
        done, errors = sum(each.rate for each in minute), sum(each.errors for each in minute)
        p50s = sorted(each.p50_ms for each in minute if each.p50_ms is not None)
        p99s = [each.p99_ms for each in minute if each.p99_ms is not None]
        return {
            "rate": round(sum(each.rate for each in last) / len(last), 2) if last else 0.0,
            "errors_per_minute": errors,
            "error_rate": round(errors / done, 4) if done else None,
            "p50_ms": _rank(p50s, 50),
            "p99_ms": max(p99s, default=None),
        }

    def totals(self) -> list[int]:
        """Return the Signals of each full second, the oldest first."""
        return list(self._total)

    def view(self, most: int) -> dict[str, Any]:
        """Return the `most` neurons that settled something last, for a page."""
        length = len(self._total)
        return {
            neuron: _shown(series, length)
            for neuron, series in islice(reversed(self._neurons.items()), most)
        }


def _shown(series: _Series, length: int) -> dict[str, Any]:
    before = length - len(series.past)
    return {
        "rate": [0] * before + [each.rate for each in series.past],
        "p50_ms": [None] * before + [each.p50_ms for each in series.past],
        "p99_ms": [None] * before + [each.p99_ms for each in series.past],
        "errors": series.errors,
        "done": series.done,
    }
