"""The interface of registry stores. Pure."""

from __future__ import annotations

from typing import Protocol, TypeAlias, runtime_checkable

from ..registry import NeuronRecord

Records: TypeAlias = list[NeuronRecord]
"""The builtin, under a name that a method called `list` does not hide."""


@runtime_checkable
class RegistryStore(Protocol):
    """Remembers Axons, deregistered ones too; safe to use from many threads.

    A record is known by its neuron id and its instance: replicas have one each. A store that runs
    full drops deregistered Axons first, the longest unseen first.
    """

    def upsert(self, record: NeuronRecord) -> None:
        """Store a record, or replace the one with its neuron id and instance.

        The earliest `first_seen_ts` and the latest `last_seen_ts` of the two stay; a record that
        says neither is seen now.
        """

    def get(self, neuron_id: str, instance: str | None = None) -> NeuronRecord | None:
        """Return a record, or None.

        Args:
            neuron_id: The id it serves.
            instance: Which replica; None prefers a present one to a deregistered one,
                and of those the one seen last.
        """

    def list(self, capability: str | None = None, include_deregistered: bool = False) -> Records:
        """Return the records, by neuron id and instance.

        Args:
            capability: Only those that offer it.
            include_deregistered: Whether deregistered Axons are included.
        """

    def touch_heartbeat(
        self,
        neuron_id: str,
        instance: str = "",
        *,
        running: int = 0,
        queued: int = 0,
        loop_lag_ms: int = 0,
        at_ts: float | None = None,
    ) -> bool:
        """Record a heartbeat.

        Args:
            neuron_id: Whose.
            instance: Of which replica.
            running: Tasks that it runs.
            queued: Tasks that wait at it.
            loop_lag_ms: How late its event loop was.
            at_ts: When, wall clock, seconds UTC; now by default.

        Returns:
            False, and nothing is recorded, if it is unknown or deregistered: `upsert` it.
        """

    def mark_deregistered(
        self,
        neuron_id: str,
        instance: str | None = None,
        *,
        reason: str | None = None,
        at_ts: float | None = None,
    ) -> bool:
        """Record that an Axon has deregistered.

        Args:
            neuron_id: Which.
            instance: Which replica; None means all.
            reason: Why.
            at_ts: When, wall clock, seconds UTC; now by default.

        Returns:
            False if no such Axon was present.
        """
