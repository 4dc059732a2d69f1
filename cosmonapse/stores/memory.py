"""A registry store in this process; it forgets everything with it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..registry import NeuronRecord
from ..runtime import clock
from . import history
from .port import Records


class MemoryRegistryStore:
    """A `RegistryStore` in memory.

    Args:
        max_records: How many records it keeps, at least 1.
        clock: The wall clock, seconds UTC.

    Raises:
        ValueError: `max_records` is below 1.
    """

    def __init__(
        self,
        *,
        max_records: int = history.MAX_RECORDS,
        clock: Callable[[], float] = clock.now_ts,
    ) -> None:
        if max_records < 1:
            raise ValueError(f"max_records must be at least 1, not {max_records}")
        self._max_records = max_records
        self._clock = clock
        self._lock = threading.Lock()
        self._records: dict[tuple[str, str], NeuronRecord] = {}

    def __repr__(self) -> str:
        """Name it with how many records it holds."""
        return f"MemoryRegistryStore({len(self._records)} records)"

    def upsert(self, record: NeuronRecord) -> None:
        """Store a record; see `RegistryStore.upsert`."""
        key = history.key_of(record)
        with self._lock:
            fresh = history.merged(self._records.get(key), record, self._clock())
            self._records[key] = fresh
            if len(self._records) > self._max_records:
                for each in history.surplus(self._records.values(), fresh, self._max_records):
                    del self._records[history.key_of(each)]

    def get(self, neuron_id: str, instance: str | None = None) -> NeuronRecord | None:
        """Return a record, or None; see `RegistryStore.get`."""
        with self._lock:
            return history.best(self._of(neuron_id, instance))

    def list(self, capability: str | None = None, include_deregistered: bool = False) -> Records:
        """Return the records; see `RegistryStore.list`."""
        with self._lock:
            records = tuple(self._records.values())
        return history.wanted(records, capability, include_deregistered)

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
        """Record a heartbeat; see `RegistryStore.touch_heartbeat`."""
        at_ts = self._clock() if at_ts is None else at_ts
        with self._lock:
            old = self._records.get((neuron_id, instance))
            if old is None or not history.is_there(old):
                return False
            fresh = history.touched(old, running, queued, loop_lag_ms, at_ts)
            self._records[neuron_id, instance] = fresh
            return True

    def mark_deregistered(
        self,
        neuron_id: str,
        instance: str | None = None,
        *,
        reason: str | None = None,
        at_ts: float | None = None,
    ) -> bool:
        """Record that an Axon has deregistered; see `RegistryStore.mark_deregistered`."""
        at_ts = self._clock() if at_ts is None else at_ts
        with self._lock:
            there = [each for each in self._of(neuron_id, instance) if history.is_there(each)]
            for old in there:
                self._records[history.key_of(old)] = history.departed(old, reason, at_ts)
            return bool(there)

    def _of(self, neuron_id: str, instance: str | None) -> Records:
        if instance is not None:
            record = self._records.get((neuron_id, instance))
            return [] if record is None else [record]
        return [each for each in self._records.values() if each.neuron_id == neuron_id]
