"""Who is there: one record a live Axon. Pure."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class NeuronRecord:
    """One live Axon as the Synapse sees it; replicas have one each.

    Args:
        neuron_id: The id it serves.
        capabilities: What it offers.
        dendrite_id: Which Dendrite hosts it, for people.
        instance: The instance id of that Dendrite's connection, 32 hex digits.
        state: `alive`; `stuck` (connected, but shows no life: gets no new tasks); `away` (its
            connection broke and has a moment to come back).
        open: Tasks that the Synapse has given it and that are not settled.
        running: Tasks that it runs, by its last HEARTBEAT.
        queued: Tasks that wait at it, by its last HEARTBEAT.
        loop_lag_ms: How late its event loop was, by its last HEARTBEAT.
        version: For people.
        role: The role of its Dendrite.
    """

    neuron_id: str
    capabilities: tuple[str, ...] = ()
    dendrite_id: str = ""
    instance: str = ""
    state: str = "alive"
    open: int = 0
    running: int = 0
    queued: int = 0
    loop_lag_ms: int = 0
    version: str | None = None
    role: str | None = None
