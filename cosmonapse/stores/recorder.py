"""From presence Signals to a store. Pure, but for the clock that comes through `runtime.clock`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import attrs

from ..errors import InvalidName
from ..names import checked_capabilities, checked_name
from ..registry import NeuronRecord
from ..runtime import clock
from ..signals import Signal, SignalType
from .history import DEREGISTERED
from .port import RegistryStore

_MAX_COUNT = 2**53
_MAX_TEXT_CHARS = 1_000


class Recorder:
    """Writes REGISTER, HEARTBEAT and DEREGISTER into a store.

    Times are those of its own clock, not of other machines. Signals must be given in the order of
    their arrival. Those whose `meta` names no `instance` are all of one replica.

    Args:
        store: What it writes to.
        clock: The wall clock, seconds UTC.
    """

    TYPES = (SignalType.REGISTER, SignalType.HEARTBEAT, SignalType.DEREGISTER)
    """The Signals that it wants."""

    def __init__(self, store: RegistryStore, clock: Callable[[], float] = clock.now_ts) -> None:
        self._store = store
        self._clock = clock

    def take(self, signal: Signal) -> bool:
        """Apply one Signal; return whether it was one to apply.

        Raises:
            RegistryStoreError: The store cannot write.
        """
        seen = self._seen(signal)
        if seen is None:
            return False
        if signal.type is SignalType.REGISTER:
            self._store.upsert(seen)
        elif signal.type is SignalType.HEARTBEAT:
            self._heartbeat(seen)
        else:
            self._deregister(seen)
        return True

    def _heartbeat(self, seen: NeuronRecord) -> None:
        """Whoever shows life is there, also if its REGISTER was before our time."""
        noted = self._store.touch_heartbeat(
            seen.neuron_id,
            seen.instance,
            running=seen.running,
            queued=seen.queued,
            loop_lag_ms=seen.loop_lag_ms,
            at_ts=seen.last_seen_ts,
        )
        if not noted:
            known = self._store.get(seen.neuron_id, seen.instance)
            if known is not None:
                seen = attrs.evolve(seen, version=known.version, role=known.role)
            self._store.upsert(seen)

    def _deregister(self, seen: NeuronRecord) -> None:
        """Without an instance all replicas go: the next HEARTBEAT brings back those that live."""
        noted = self._store.mark_deregistered(
            seen.neuron_id, seen.instance or None, reason=seen.reason, at_ts=seen.last_seen_ts
        )
        if not noted and self._store.get(seen.neuron_id, seen.instance or None) is None:
            self._store.upsert(attrs.evolve(seen, state=DEREGISTERED))

    def _seen(self, signal: Signal) -> NeuronRecord | None:
        """Return the record of an Axon in a Signal, or None if there is none."""
        directed, payload, meta = signal.directed, signal.payload, signal.meta
        if signal.type not in self.TYPES or directed is None:
            return None
        with contextlib.suppress(InvalidName, ValueError):
            return NeuronRecord(
                neuron_id=checked_name("neuron_id", directed.id),
                capabilities=checked_capabilities(directed.capabilities),
                dendrite_id=_text(meta.get("dendrite")) or "",
                instance=_text(meta.get("instance")) or "",
                running=_count(payload.get("running")),
                queued=_count(payload.get("queued")),
                loop_lag_ms=_count(payload.get("loop_lag_ms")),
                version=_text(payload.get("version")),
                role=_text(payload.get("role")),
                last_seen_ts=self._clock(),
                reason=_text(payload.get("reason")),
            )
        return None


def _text(value: Any) -> str | None:
    return value[:_MAX_TEXT_CHARS] if isinstance(value, str) else None


def _count(value: Any) -> int:
    """Return a count that any store can hold; an invalid one becomes 0."""
    return int(value) if isinstance(value, int) and 0 <= value <= _MAX_COUNT else 0
