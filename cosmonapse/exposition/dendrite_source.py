"""What a Dendrite tells about itself, from any thread."""

from __future__ import annotations

import contextlib

from ..counters import COUNTERS
from ..dendrite import Dendrite
from ..synapse.transport_counters import TRANSPORT_COUNTERS
from ..telemetry.families import Family, Labels, gauge, gauges
from ..telemetry.label_bounds import MAX_LABELS, OTHER
from ..telemetry.liveness import Judgement, LoopPulse
from .exposed import Pulsed, event_families

_LOOKS = 10
_QUEUED = "Tasks that wait for a place."
_RUNNING = "Tasks that run."
_FREE = "Tasks that could begin now."


class DendriteSource(Pulsed):
    """A Dendrite as something to expose.

    Args:
        dendrite: The Dendrite.
        pulse: The beat of its loop.
    """

    def __init__(self, dendrite: Dendrite, pulse: LoopPulse) -> None:
        super().__init__(pulse)
        self.dendrite = dendrite

    def ready(self) -> Judgement:
        """Return whether it is connected, every Axon is registered, and it does not stop."""
        return self.dendrite._ready()

    def families(self) -> list[Family]:
        """See `Exposed`."""
        dendrite = self.dendrite
        queued: dict[Labels, float] = {}
        running: dict[Labels, float] = {}
        free: dict[Labels, float] = {}
        for count, (name, load) in enumerate(dendrite._inbox.loads()):
            labels: Labels = (("neuron", name if count < MAX_LABELS else OTHER),)
            for values, value in zip((queued, running, free), load, strict=True):
                values[labels] = values.get(labels, 0) + value
        counts = {
            name: count
            for name, count in self._counts().items()
            if name in COUNTERS or name in TRANSPORT_COUNTERS
        }
        meanings = {**{name: TRANSPORT_COUNTERS.get(name, "") for name in counts}, **COUNTERS}
        return [
            gauges("cosmonapse_tasks_queued", _QUEUED, queued),
            gauges("cosmonapse_tasks_running", _RUNNING, running),
            gauges("cosmonapse_task_places_free", _FREE, free),
            gauge(
                "cosmonapse_calls_open",
                "Tasks of this caller that have not ended.",
                len(dendrite._dispatcher.open_tasks),
            ),
            gauge(
                "cosmonapse_connected",
                "1 while the Synapse is there, of each Dendrite in the process; else 0.",
                dendrite._transport.away_s is None and dendrite._state == "running",
                min,
            ),
            *event_families("dendrite", meanings, counts),
        ]

    def _counts(self) -> dict[str, int]:
        for _ in range(_LOOKS):
            with contextlib.suppress(RuntimeError):  # a first count of a kind came meanwhile
                return self.dendrite.counts
        return {}
