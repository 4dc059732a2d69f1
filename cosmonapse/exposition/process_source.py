"""Everything of one process that is exposed: its sources together."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable

from ..synapse.release import release
from ..telemetry.families import Family, Labels, counters, gauges, histograms, joined
from ..telemetry.histogram import LAGS, Histogram
from ..telemetry.liveness import Judgement
from ..telemetry.task_statistics import TaskStatistics
from ..telemetry.token_counts import TOKENS
from .exposed import Exposed


class ProcessSource:
    """The sources of a process, as one.

    Attributes:
        statistics: The tasks of all its Dendrites.
    """

    def __init__(self) -> None:
        self.statistics = TaskStatistics()
        self._sources: list[Exposed] = []

    def add(self, source: Exposed) -> Callable[[], None]:
        """Show a source, too; return what ends that."""
        self._sources.append(source)
        return lambda: self._sources.remove(source) if source in self._sources else None

    def alive(self) -> Judgement:
        """Return whether every loop turns."""
        return _worst(each.alive() for each in list(self._sources))

    def ready(self) -> Judgement:
        """Return whether work can reach every source."""
        return _worst(each.ready() for each in list(self._sources))

    def families(self) -> list[Family]:
        """Return what all of them tell now; values with the same labels are joined."""
        sources = list(self._sources)
        return [
            gauges("cosmonapse_build_info", "The versions that run; always 1.", {_versions(): 1.0}),
            histograms(
                "cosmonapse_loop_lag_seconds",
                "How late the loop of this process was, twice a second.",
                {(): _together({id(each.lags): each.lags for each in sources}.values())},
            ),
            counters("cosmonapse_tokens", "Tokens of models, as providers count them.", _tokens()),
            *self.statistics.families(),
            *joined(family for each in sources for family in each.families()),
        ]


def _worst(judgements: Iterable[Judgement]) -> Judgement:
    """Return the first one that is not well, else the last one."""
    last = Judgement(True, "running")
    for last in judgements:
        if not last.ok:
            break
    return last


def _versions() -> Labels:
    return (("version", release()), ("python", platform.python_version()))


def _tokens() -> dict[Labels, float]:
    return {
        (("model", model), ("direction", direction)): count
        for model, tokens in list(TOKENS.all.items())
        for direction, count in (("input", tokens.read), ("output", tokens.written))
    }


def _together(histograms_of_all: Iterable[Histogram]) -> Histogram:
    whole = Histogram(LAGS)
    for each in histograms_of_all:
        whole.merge(each)
    return whole
