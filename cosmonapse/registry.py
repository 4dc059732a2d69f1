"""The records of Axons, Dendrites and open tasks, and the state of a Synapse. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class NeuronRecord:
    """One Axon as the Synapse sees it, or as a store remembers it; replicas have one each.

    Args:
        neuron_id: The id it serves.
        capabilities: The capabilities that it offers.
        dendrite_id: The name of its Dendrite, for people.
        instance: The instance id of that Dendrite's connection, 32 hex digits.
        state: `alive`; `stuck` (connected, without HEARTBEATs: it gets no new tasks); `away` (its
            connection broke and may come back within a moment); in a store also `deregistered`.
        open: Tasks that the Synapse sent it and that are not settled.
        running: Tasks that it runs, by its last HEARTBEAT.
        queued: Tasks in its queue, by its last HEARTBEAT.
        loop_lag_ms: The lag of its event loop, by its last HEARTBEAT.
        version: A text for people.
        role: What its Dendrite does: `worker`, since it hosts an Axon.
        first_seen_ts: Time of its first record in a store, wall clock, seconds UTC; else None.
        last_seen_ts: Time of its last record in a store, likewise.
        reason: The reason of its DEREGISTER (`lost`: its process vanished), if there is one.
        description: What it is for: the first line, up to 128 characters; None if it does not tell.
        card: The digest of its card, 16 hex digits; None if it has none. Replicas with different
            ones take or give different things. `Dendrite.card` fetches the card.
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
    description: str | None = None
    card: str | None = None


@attrs.frozen(kw_only=True)
class DendriteRecord:
    """One Dendrite as the Synapse sees it: a worker, a caller or a watcher.

    Args:
        dendrite_id: Its name, for people.
        instance: The instance id of its connection, 32 hex digits.
        state: `alive`; `stuck` (it has an Axon that sends no HEARTBEATs); `away` (its connection
            broke and may come back within a moment).
        axons: The number of its Axons.
        open: Tasks that it sent and that are not settled.
        calls: True once it has prepared to send tasks.
        age_s: Since when this Synapse knows it, in seconds.
    """

    dendrite_id: str
    instance: str
    state: str = "alive"
    axons: int = 0
    open: int = 0
    calls: bool = False
    age_s: float = 0.0

    @property
    def does(self) -> str:
        """What it does: `worker`, `caller`, `worker+caller`, or `watcher` if neither."""
        parts = ["worker"] * bool(self.axons) + ["caller"] * bool(self.calls or self.open)
        return "+".join(parts) or "watcher"


@attrs.frozen(kw_only=True)
class TaskRecord:
    """One open task as the Synapse sees it.

    Args:
        id: The id of its TASK.
        trace_id: Its workflow.
        state: `running`: a worker has it, in its queue or at work; `parked`: it waits for workers
            after a start of the Synapse; `wanted`: the workers are asked which of them has it.
        neuron: The id of the Axon that has it; without one, that it was sent to; empty if it was
            sent by capabilities.
        capabilities: Those that it was sent by.
        dendrite_id: The name of the Dendrite that hosts that Axon; empty if none has it.
        instance: The instance id of that Dendrite, 32 hex digits; empty likewise.
        caller: The name of the Dendrite that sent it; empty if that has left.
        caller_instance: The instance id of that Dendrite.
        user: The name of the key of its caller; empty without keys, and if the caller has left.
        cancelled: True once its caller cancelled it; it is open until its function has ended.
        age_s: Since when this Synapse knows it, in seconds.
        remaining_s: Until its deadline, in seconds, 0 at least; None if that is not known.
        bytes: The size of its TASK; None if that is not known.
    """

    id: str
    trace_id: str
    state: str = "running"
    neuron: str = ""
    capabilities: tuple[str, ...] = ()
    dendrite_id: str = ""
    instance: str = ""
    caller: str = ""
    caller_instance: str = ""
    user: str = ""
    cancelled: bool = False
    age_s: float = 0.0
    remaining_s: float | None = None
    bytes: int | None = None


@attrs.frozen(kw_only=True)
class SynapseState:
    """The state of a Synapse in numbers.

    Args:
        uptime_s: The time since its start.
        draining: True once it was asked to stop.
        connections: Dendrites in all namespaces.
        away: Those of them whose connection broke a moment ago.
        axons: Axons in all namespaces.
        open: Tasks that a worker has.
        parked: Tasks that wait for workers after a start.
        subscriptions: Topics with a subscriber.
        counts: Its counters since its start, by name.
        recent_s: How many seconds `recent` covers: about 60, less right after its start; 0 from a
            Synapse that does not tell.
        recent: What each counter grew by in these seconds; one that did not grow is left out.
        url: The URL of this Synapse: of a list, or of a name, the one that was asked.
        half: True if it does not hear another Synapse of its fabric: there may be a second leader.
        warning: What its user should know about the fabric, as a sentence; empty if nothing.
        role: `leader` or `leaving`, as one of several Synapses; empty for one that was told of no
            other.
        term: The number of the time in which it leads.
        peers: The other Synapses that it was told of. Each has `url` and `role`: `standby`,
            `leader` or `leaving` as it reports, `closed` if nobody listens there, `silent` if it
            does not answer, `unknown` if that is not clear yet, or `own`. One that was heard has
            `term`, `clients`, `heard_s` (seconds since its last report), and with keys
            `same_users`: whether its allowed keys are the same. Empty for one who may not inspect.
        release: The version of this package that it runs; empty if it does not tell.
        ts: Its wall clock at the answer, in seconds UTC; None if it does not tell.
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
    recent_s: float = 0.0
    recent: dict[str, int] = attrs.field(factory=dict)
    url: str = ""
    half: bool = False
    warning: str = ""
    role: str = ""
    term: int = 0
    peers: tuple[Mapping[str, Any], ...] = ()
    release: str = ""
    ts: float | None = None


def digests_of(records: Iterable[NeuronRecord]) -> dict[str, tuple[str, ...]]:
    """Return the digests of the cards of live replicas, sorted, by the id of their Neuron.

    A replica without a card has the digest `none`.
    """
    found: dict[str, set[str]] = {}
    for record in records:
        if record.state == "alive":
            found.setdefault(record.neuron_id, set()).add(record.card or "none")
    return {each: tuple(sorted(digests)) for each, digests in found.items()}


def differing(records: Iterable[NeuronRecord]) -> dict[str, tuple[str, ...]]:
    """Return those of `digests_of` with more than one: their replicas have cards that differ."""
    return {each: found for each, found in digests_of(records).items() if len(found) > 1}
