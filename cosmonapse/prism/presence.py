"""Who is there, who was, and why they went: the roster of the Synapse, remembered. Pure."""

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
    "stuck": "connected, but its event loop shows no life",
    "away": "its connection broke a moment ago",
    "lost": "lost: its process or its connection vanished",
}
_ORDER = ("gone", "stuck", "away", "draining", "alive")
Key = tuple[str, str]
"""Instance id of a Dendrite, 32 hex digits, and a neuron id."""


@attrs.define
class _Place:
    """One Axon, or where one was.

    Args:
        record: What the Synapse said last.
        since_s: When it was first seen.
        left_s: When it was first missing; None while it is there.
        reason: What it said when it left, or what was said in its name.
        took_leave: Whether anything was said.
    """

    record: NeuronRecord
    since_s: float
    left_s: float | None = None
    reason: str | None = None
    took_leave: bool = False


class Presence:
    """Dendrites and Neurons with state, reason and when they were last heard."""

    def __init__(self) -> None:
        self._places: dict[Key, _Place] = {}
        self._seen_s: OrderedDict[bytes, float] = OrderedDict()
        self._names: OrderedDict[bytes, str] = OrderedDict()
        self._callers_s: OrderedDict[bytes, float] = OrderedDict()

    def observe(self, observed: ObservedSignal, now_s: float) -> bool:
        """Note who speaks; return whether the roster has changed by it."""
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
                place.took_leave = True
                place.reason = reason[:200] if isinstance(reason, str) else None
            return True
        return signal.type is SignalType.REGISTER

    def compare(self, records: Iterable[NeuronRecord], now_s: float) -> None:
        """Take what the Synapse says; who is missing from it has gone."""
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
        """Return which neuron of a worker a task by capabilities went to, if just one can."""
        wanted, instance = set(capabilities), worker.hex()
        able = [
            neuron
            for (owner, neuron), place in self._places.items()
            if owner == instance and wanted <= set(place.record.capabilities)
        ]
        return able[0] if len(able) == 1 else None

    def load_of(self, worker: bytes, neuron: str | None) -> NeuronRecord | None:
        """Return what is known of a neuron of a worker that is there; None if nothing is."""
        place = None if neuron is None else self._places.get((worker.hex(), neuron))
        return None if place is None or place.left_s is not None else place.record

    def view(self, now_s: float, open_of: Callable[[bytes], int]) -> list[dict[str, Any]]:
        """Return the Dendrites as a page gets them: up to 1,000 Neurons, who is unwell first.

        Args:
            now_s: The time.
            open_of: How many open tasks a worker has, as far as was heard.
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
    """Tell whether a Signal is about a worker, and not from it."""
    if signal.type is SignalType.TASK:
        return True
    return signal.type is SignalType.DEREGISTER and signal.payload.get("reason") == "lost"


def _farewell(place: _Place, held: int, now_s: float) -> tuple[str, str]:
    """Return state and reason of one that the Synapse does not list any more."""
    left_s = place.left_s if place.left_s is not None else now_s
    if not place.took_leave:
        if now_s - left_s < _BACK_S:
            return "away", "not back at the Synapse yet"
        return "gone", "the Synapse does not know it any more"
    if place.reason == "lost":
        return "gone", _REASONS["lost"]
    why = f"took leave: {place.reason}" if place.reason else "took leave"
    return ("draining", f"{why}; it ends what it has") if held else ("gone", why)


def _dendrite(instance: str, name: str, role: str | None) -> dict[str, Any]:
    return {"instance": instance, "dendrite_id": name, "role": role, "neurons": []}


def _note(table: OrderedDict[bytes, Any], key: bytes, value: Any, most: int) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > most:
        table.popitem(last=False)
