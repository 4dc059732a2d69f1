"""What a Prism tells about itself, from any thread."""

from __future__ import annotations

from ..counters import COUNTERS
from ..prism.watch import Watch
from ..telemetry.families import Family, gauge
from ..telemetry.liveness import Judgement, LoopPulse
from .exposed import Pulsed, event_families

_OURS = (
    *("again", "bad_signal", "cut.slow_request"),
    *("cut.too_many_connections", "displaced_tabs", "refused.token"),
)


class PrismSource(Pulsed):
    """A Prism as something to expose.

    Args:
        watch: Its data.
        pulse: The beat of its loop.
    """

    def __init__(self, watch: Watch, pulse: LoopPulse) -> None:
        super().__init__(pulse)
        self._watch = watch

    def ready(self) -> Judgement:
        """Return whether it is connected."""
        reason = self._watch.why_not_connected
        return Judgement(reason is None, f"not connected: {reason}" if reason else "connected")

    def families(self) -> list[Family]:
        """See `Exposed`."""
        watch = self._watch
        return [
            gauge("cosmonapse_prism_tabs", "Tabs that show this Prism.", len(watch.tabs)),
            gauge(
                "cosmonapse_connected",
                "1 while the Synapse is there, else 0.",
                watch.why_not_connected is None,
            ),
            *event_families("prism", {name: COUNTERS[name] for name in _OURS}, dict(watch.counts)),
        ]
