"""What can be exposed: the port of a Dendrite, a Synapse or a Prism."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ..telemetry.families import Family, Labels, counters, gauges
from ..telemetry.histogram import Histogram
from ..telemetry.liveness import Judgement, LoopPulse


class Exposed(Protocol):
    """One part of this process; every method may be called from any thread.

    Attributes:
        lags: How late its loop was.
    """

    @property
    def lags(self) -> Histogram:
        """How late its loop was."""

    def families(self) -> Sequence[Family]:
        """Return what it tells now."""

    def alive(self) -> Judgement:
        """Return whether its loop turns."""

    def ready(self) -> Judgement:
        """Return whether work can reach it."""


class Pulsed:
    """What is alike of all parts whose loop has a pulse.

    Args:
        pulse: The beat of the loop.
    """

    def __init__(self, pulse: LoopPulse) -> None:
        self._pulse = pulse

    @property
    def lags(self) -> Histogram:
        """See `Exposed`."""
        return self._pulse.lags

    def alive(self) -> Judgement:
        """See `Exposed`."""
        return self._pulse.judge()

    def turns(self, stalled_s: float) -> Judgement:
        """Return whether the loop has turned within so many seconds; safe from every thread."""
        return self._pulse.judge(stalled_s)


def event_families(
    side: str, meanings: Mapping[str, str], counts: Mapping[str, int]
) -> list[Family]:
    """Return the counters of one side of the fabric, and what each means.

    Args:
        side: `dendrite` or `synapse`.
        meanings: Every counter of that side, with a sentence for each: it shows from zero on.
        counts: Those that have counted.
    """
    shown = {**dict.fromkeys(meanings, 0), **counts}
    labels: dict[str, Labels] = {name: (("side", side), ("event", name)) for name in shown}
    return [
        counters(
            "cosmonapse_events",
            "Events of the fabric by name; cosmonapse_event_info says what each means.",
            {labels[name]: count for name, count in shown.items()},
        ),
        gauges(
            "cosmonapse_event_info",
            "What each event means, and what to do if it grows; always 1.",
            {(*labels[name], ("meaning", text)): 1.0 for name, text in meanings.items()},
            max,
        ),
    ]
