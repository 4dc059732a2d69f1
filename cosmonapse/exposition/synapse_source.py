"""What a Synapse tells about itself, from any thread."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from ..registry import SynapseState
from ..synapse.transport_counters import TRANSPORT_COUNTERS
from ..telemetry.families import Family, Labels, gauge, gauges
from ..telemetry.liveness import Judgement, LoopPulse
from .exposed import Pulsed, event_families

ALONE = "alone"
_OF_PEERS = ("leader", "standby", "leaving", "silent", "closed")
_ROLES = ("leader", "standby", "leaving", ALONE)


class ExposedSynapse(Protocol):
    """What is told of a Synapse, whatever carries it: see `SynapseProcess`."""

    url: str
    pulse: LoopPulse

    @property
    def waiting_bytes(self) -> int | None:
        """See `SynapseProcess`."""

    def state(self) -> SynapseState:
        """See `SynapseProcess`."""

    def judge(self) -> Judgement:
        """See `SynapseProcess`."""


class SynapseSource(Pulsed):
    """A Synapse as something to expose.

    Args:
        synapse: The Synapse.
    """

    def __init__(self, synapse: ExposedSynapse) -> None:
        super().__init__(synapse.pulse)
        self._synapse = synapse

    def ready(self) -> Judgement:
        """Return whether it listens, and leads or stands by."""
        judged, state = self._synapse.judge(), self._synapse.state()
        if not judged.ok:
            return judged
        if state.draining or state.role == "leaving":
            return Judgement(False, "the Synapse is stopping")
        role = {"leader": " as the leader", "standby": " as a standby"}.get(state.role, "")
        return Judgement(True, f"serving at {self._synapse.url}{role}")

    def families(self) -> list[Family]:
        """See `Exposed`."""
        state, waiting = self._synapse.state(), self._synapse.waiting_bytes
        role = state.role or ALONE
        told = Counter(str(each["role"]) for each in state.peers)
        peers: dict[Labels, float] = {
            (("role", each),): told[each] for each in dict.fromkeys((*_OF_PEERS, *told))
        }
        found = [
            _gauge("connections", "Dendrites of all namespaces.", state.connections),
            _gauge("away", "Those of them whose connection broke a moment ago.", state.away),
            _gauge("axons", "Axons of all namespaces.", state.axons),
            _gauge("open_tasks", "Tasks that a worker has.", state.open),
            _gauge("parked_tasks", "Tasks that wait for workers after a start.", state.parked),
            _gauge("subscriptions", "Topics with a subscriber.", state.subscriptions),
            _gauge("term", "The number of the time in which it leads.", state.term),
            gauges(
                "cosmonapse_synapse_role",
                "1 for the role that it has among its peers, else 0.",
                {(("role", each),): float(each == role) for each in _ROLES},
            ),
            gauges("cosmonapse_synapse_peers", "The other Synapses by what they are.", peers),
        ]
        if waiting is not None:
            text = "Bytes that wait for all Dendrites together."
            found.append(_gauge("waiting_bytes", text, waiting))
        return [*found, *event_families("synapse", TRANSPORT_COUNTERS, state.counts)]


def _gauge(name: str, text: str, value: float) -> Family:
    return gauge(f"cosmonapse_synapse_{name}", text, value)
