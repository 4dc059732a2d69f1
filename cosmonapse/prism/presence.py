"""The present and past Dendrites and Neurons, with reasons of their leaving. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from ..doppler.observed import ObservedSignal
from ..registry import NeuronRecord
from ..signals import Signal, SignalType
from .record import neuron_of

GONE_S = 300.0
CALLER_S = 60.0
MOST_GONE = 500
MOST_CALLERS = 200
MOST_NEURONS = 1_000
_MOST_SEEN = 10_000
_BACK_S = 5.0
_NOBODY = bytes(16)
_REASONS = {
    "stuck": "connected, but its event loop does not respond",
    "away": "its connection broke a moment ago",
    "lost": "lost: its process or its connection vanished",
}
_ORDER = ("gone", "stuck", "away", "draining", "alive")
Key = tuple[str, str]
"""Instance id of a Dendrite, 32 hex digits, and a neuron id."""


@attrs.define
class _Place:
    """An Axon, present or gone.

    Args:
        record: Its last record at the Synapse.
        since_s: When it was first seen.
        left_s: When it was first missing; None while it is present.
        reason: The reason in its DEREGISTER.
        deregistered: Whether there was a DEREGISTER.
    """

    record: NeuronRecord
    since_s: float
    left_s: float | None = None
    reason: str | None = None
    deregistered: bool = False


class Presence:
    """Dendrites and Neurons with state, reason and the time of their last Signal."""

    def __init__(self) -> None:
        self._places: dict[Key, _Place] = {}
        self._seen_s: OrderedDict[bytes, float] = OrderedDict()
        self._names: OrderedDict[bytes, str] = OrderedDict()
        self._callers_s: OrderedDict[bytes, float] = OrderedDict()

    def observe(self, observed: ObservedSignal, now_s: float) -> bool:
        """Record the sender of a Signal; return whether it changes the roster."""
        signal, worker, caller = observed.signal, observed.worker, observed.caller
        if worker != _NOBODY and not _is_about(signal):
            _note(self._seen_s, worker, now_s, _MOST_SEEN)
        if caller != _NOBODY:
            _note(self._callers_s, caller, now_s, MOST_CALLERS)
            directed = signal.directed
            if directed is not None and directed.type == "dendrite" and directed.id:
                _note(self._names, caller, directed.id[:128], MOST_CALLERS)
        if signal.type is SignalType.DEREGISTER:
            place = self._places.get((worker.hex(), neuron_of(observed) or ""))
            if place is not None:
                reason = signal.payload.get("reason")
                place.deregistered = True
                place.reason = reason[:200] if isinstance(reason, str) else None
            return True
        return signal.type is SignalType.REGISTER

    def compare(self, records: Iterable[NeuronRecord], now_s: float) -> None:
        """Update from the roster of the Synapse; Axons missing there are gone."""
        here: set[Key] = set()
        for record in records:
            key = (record.instance, record.neuron_id)
            here.add(key)
            place = self._places.get(key)
            if place is None or place.left_s is not None:
                self._places[key] = _Place(record, now_s)
            else:
                place.record = record
        for key, place in self._places.items():
            if key not in here and place.left_s is None:
                place.left_s = now_s
        gone = [key for key, place in self._places.items() if place.left_s is not None]
        too_many = len(gone) - MOST_GONE
        for number, key in enumerate(gone):
            if number < too_many or now_s - (self._places[key].left_s or 0.0) > GONE_S:
                del self._places[key]

    def neuron_of(self, worker: bytes, capabilities: Iterable[str]) -> str | None:
        """Return the neuron of a worker for a task by capabilities, if exactly one matches."""
        wanted, instance = set(capabilities), worker.hex()
        able = [
            neuron
            for (owner, neuron), place in self._places.items()
            if owner == instance and wanted <= set(place.record.capabilities)
        ]
        return able[0] if len(able) == 1 else None

    def load_of(self, worker: bytes, neuron: str | None) -> NeuronRecord | None:
        """Return the record of a neuron of a worker that is present; None if it is not."""
        place = None if neuron is None else self._places.get((worker.hex(), neuron))
        return None if place is None or place.left_s is not None else place.record

    def view(self, now_s: float, open_of: Callable[[bytes], int]) -> list[dict[str, Any]]:
        """Return the Dendrites for a page: up to 1,000 Neurons, unhealthy ones first.

        Args:
            now_s: The time.
            open_of: Returns how many open tasks a worker has, as far as observed.
        """
        shown = [
            (key[0], place, self._neuron(key, place, now_s, open_of))
            for key, place in self._places.items()
        ]
        if len(shown) > MOST_NEURONS:
            shown.sort(key=lambda each: _ORDER.index(each[2]["state"]))
        dendrites: dict[str, dict[str, Any]] = {}
        for instance, place, neuron in shown[:MOST_NEURONS]:
            if instance not in dendrites:
                record = place.record
                dendrites[instance] = _dendrite(instance, record.dendrite_id, record.role)
            dendrites[instance]["neurons"].append(neuron)
        for caller, at_s in self._callers_s.items():
            if now_s - at_s <= CALLER_S and caller.hex() not in dendrites:
                instance = caller.hex()
                name = self._names.get(caller, instance[:8])
                dendrites[instance] = _dendrite(instance, name, None)
        return list(dendrites.values())

    def _neuron(
        self, key: Key, place: _Place, now_s: float, open_of: Callable[[bytes], int]
    ) -> dict[str, Any]:
        record, worker = place.record, bytes.fromhex(key[0])
        state, reason, held = record.state, _REASONS.get(record.state), record.open
        if place.left_s is not None:
            held = open_of(worker)
            state, reason = _farewell(place, held, now_s)
        seen_s = max(place.since_s, self._seen_s.get(worker, 0.0))
        return {
            "neuron_id": record.neuron_id,
            "capabilities": list(record.capabilities),
            "version": record.version,
            "state": state,
            "open": held,
            "running": record.running if state != "gone" else 0,
            "queued": record.queued if state != "gone" else 0,
            "concurrency": None,
            "loop_lag_ms": record.loop_lag_ms,
            "last_seen_s": round(max(0.0, now_s - seen_s), 3),
            "reason": reason,
        }


def _is_about(signal: Signal) -> bool:
    """Return whether a Signal is about a worker, and not from it."""
    if signal.type is SignalType.TASK:
        return True
    return signal.type is SignalType.DEREGISTER and signal.payload.get("reason") == "lost"


def _farewell(place: _Place, held: int, now_s: float) -> tuple[str, str]:
    """Return state and reason of an Axon that the Synapse does not list any more."""
    left_s = place.left_s if place.left_s is not None else now_s
    if not place.deregistered:
        if now_s - left_s < _BACK_S:
            return "away", "not back at the Synapse yet"
        return "gone", "not registered at the Synapse any more"
    if place.reason == "lost":
        return "gone", _REASONS["lost"]
    why = f"deregistered: {place.reason}" if place.reason else "deregistered"
    return ("draining", f"{why}; it finishes its tasks") if held else ("gone", why)


def _dendrite(instance: str, name: str, role: str | None) -> dict[str, Any]:
    return {"instance": instance, "dendrite_id": name, "role": role, "neurons": []}


def _note(table: OrderedDict[bytes, Any], key: bytes, value: Any, most: int) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > most:
        table.popitem(last=False)
