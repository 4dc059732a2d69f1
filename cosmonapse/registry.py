"""Who is there, or was: one record an Axon. Pure."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class NeuronRecord:
    """One Axon as the Synapse sees it, or as a store remembers it; replicas have one each.

    Args:
        neuron_id: The id it serves.
        capabilities: What it offers.
        dendrite_id: Which Dendrite hosts it, for people.
        instance: The instance id of that Dendrite's connection, 32 hex digits.
        state: `alive`; `stuck` (connected, but shows no life: gets no new tasks); `away` (its
            connection broke and has a moment to come back); in a store also `deregistered`.
        open: Tasks that the Synapse has given it and that are not settled.
        running: Tasks that it runs, by its last HEARTBEAT.
        queued: Tasks that wait at it, by its last HEARTBEAT.
        loop_lag_ms: How late its event loop was, by its last HEARTBEAT.
        version: For people.
        role: The role of its Dendrite.
        first_seen_ts: When a store first heard of it, wall clock, seconds UTC; None outside of one.
        last_seen_ts: When a store last heard of it, likewise.
        reason: Why it took leave (`lost`: its process vanished), if it has and if that was said.
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
    first_seen_ts: float | None = None
    last_seen_ts: float | None = None
    reason: str | None = None


@attrs.frozen(kw_only=True)
class SynapseState:
    """The Synapse in figures.

    Args:
        uptime_s: How long it runs.
        draining: True once it was told to stop.
        connections: Dendrites that it knows, in all namespaces.
        away: Those of them whose connection just broke.
        axons: Axons that it knows, in all namespaces.
        open: Tasks in somebody's hands.
        parked: Tasks that wait for workers after a start.
        subscriptions: What is listened to.
        counts: Every drop, bounce, loss and the like since its start, by name.
    """

    uptime_s: float
    draining: bool = False
    connections: int = 0
    away: int = 0
    axons: int = 0
    open: int = 0
    parked: int = 0
    subscriptions: int = 0
    counts: dict[str, int] = attrs.field(factory=dict)
