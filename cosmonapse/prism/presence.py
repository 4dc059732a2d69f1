"""The present and past Dendrites and Neurons, with reasons of their leaving. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import attrs

from ..doppler.observed import ObservedSignal
from ..registry import DendriteRecord, NeuronRecord, digests_of
from ..signals import Signal, SignalType
from .record import neuron_of

GONE_S = 300.0
CALLER_S = 60.0
MOST_GONE = 500
MOST_CALLERS = 200
MOST_NAMES = 10_000
MOST_NEURONS = 1_000
MOST_DENDRITES = 2_000
_MOST_SEEN = 10_000
_MOST_CARDS = 32
_MOST_REPLICAS = 64
_BACK_S = 5.0
_NOBODY = bytes(16)
_REASONS = {
    "stuck": "connected, but its event loop does not respond",
    "away": "its connection broke a moment ago",
    "lost": "lost: its process or its connection vanished",
}
_WITHOUT_AXONS = {"watcher": "worker", "caller": "worker+caller"}
_LEFT = "it left, or its connection ended"
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
        left_ts: The wall clock then.
        reason: The reason in its DEREGISTER.
        deregistered: Whether there was a DEREGISTER.
    """

    record: NeuronRecord
    since_s: float
    left_s: float | None = None
    left_ts: float = 0.0
    reason: str | None = None
    deregistered: bool = False


@attrs.define
class _Peer:
    """A Dendrite that the Synapse told of, present or gone."""

    record: DendriteRecord
    left_s: float | None = None
    left_ts: float = 0.0


class Presence:
    """Dendrites and Neurons with state, reason and the time of their last Signal."""

    def __init__(self) -> None:
        self._places: dict[Key, _Place] = {}
        self._peers: OrderedDict[str, _Peer] = OrderedDict()
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
                _note(self._names, caller, directed.id[:128], MOST_NAMES)
        if signal.type is SignalType.DEREGISTER:
            place = self._places.get((worker.hex(), neuron_of(observed) or ""))
            if place is not None:
                reason = signal.payload.get("reason")
                place.deregistered = True
                place.reason = reason[:200] if isinstance(reason, str) else None
            return True
        return signal.type is SignalType.REGISTER

    def name_of(self, instance: bytes) -> str:
        """Return the name of a Dendrite, also of one that has left."""
        return self._names.get(instance) or instance.hex()[:8]

    def states(self) -> dict[bytes, str]:
        """Return the worst state of each worker that has or had Neurons."""
        worst: dict[str, str] = {}
        for (instance, _), place in self._places.items():
            state = "gone" if place.left_s is not None else place.record.state
            worst[instance] = min(worst.get(instance, state), state, key=_ORDER.index)
        return {bytes.fromhex(instance): state for instance, state in worst.items()}

    def compare_dendrites(
        self, records: Iterable[DendriteRecord], now_s: float, now_ts: float
    ) -> None:
        """Update from the Dendrites that the Synapse knows; those missing there have left."""
        here = set()
        for record in records:
            here.add(record.instance)
            self._peers[record.instance] = _Peer(record)
            if record.dendrite_id:
                self._name(record.instance, record.dendrite_id)
        for instance, peer in list(self._peers.items()):
            if instance in here:
                continue
            if peer.left_s is None:
                peer.left_s, peer.left_ts = now_s, now_ts
                self._peers.move_to_end(instance)
            elif now_s - peer.left_s > (GONE_S if peer.record.axons else CALLER_S):
                del self._peers[instance]
        while len(self._peers) > MOST_DENDRITES:
            self._peers.popitem(last=False)

    def _name(self, instance: str, name: str) -> None:
        _note(self._names, bytes.fromhex(instance), name[:128], MOST_NAMES)

    def compare(self, records: Iterable[NeuronRecord], now_s: float, now_ts: float = 0.0) -> None:
        """Update from the roster of the Synapse; Axons missing there are gone."""
        here: set[Key] = set()
        for record in records:
            key = (record.instance, record.neuron_id)
            here.add(key)
            if record.dendrite_id:
                self._name(record.instance, record.dendrite_id)
            place = self._places.get(key)
            if place is None or place.left_s is not None:
                self._places[key] = _Place(record, now_s)
            else:
                place.record = record
        for key, place in self._places.items():
            if key not in here and place.left_s is None:
                place.left_s, place.left_ts = now_s, now_ts
        gone = [key for key, place in self._places.items() if place.left_s is not None]
        too_many = len(gone) - MOST_GONE
        for number, key in enumerate(gone):
            if number < too_many or now_s - (self._places[key].left_s or 0.0) > GONE_S:
                del self._places[key]

    def left(self) -> list[tuple[float, NeuronRecord]]:
        """Return the Axons that are gone, with the wall clock then."""
        places = self._places.values()
        return [(each.left_ts, each.record) for each in places if each.left_s is not None]

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
        for instance, peer in islice(reversed(self._peers.items()), MOST_NEURONS):
            shown_peer = dendrites.get(instance)
            if shown_peer is None:
                shown_peer = _dendrite(instance, peer.record.dendrite_id, None)
                dendrites[instance] = shown_peer
            _tell(shown_peer, peer)
        for caller, at_s in self._callers_s.items():
            if now_s - at_s <= CALLER_S and caller.hex() not in dendrites:
                instance = caller.hex()
                dendrites[instance] = _dendrite(instance, self.name_of(caller), None)
        for each in dendrites.values():
            _complete(each)
        return list(dendrites.values())

    def groups(self, now_s: float) -> dict[str, dict[str, Any]]:
        """Return the Neurons with their replicas together, by id; see `now` in docs/prism.md."""
        groups: dict[str, dict[str, Any]] = {}
        for (instance, neuron_id), place in self._places.items():
            if neuron_id not in groups:
                if len(groups) >= MOST_NEURONS:
                    continue
                groups[neuron_id] = _group(neuron_id)
            self._add(groups[neuron_id], instance, place, now_s)
        for group in groups.values():
            if group["gone"] is not None:
                group["gone"]["again"] = bool(group["replicas"]["alive"])
        for neuron_id, digests in digests_of(self._present()).items():
            if neuron_id in groups and digests != ("none",):
                groups[neuron_id]["cards"] = list(digests)[:_MOST_CARDS]
        return groups

    def _present(self) -> Iterator[NeuronRecord]:
        return (each.record for each in self._places.values() if each.left_s is None)

    def replicas(self, neuron_id: str) -> dict[str, Any]:
        """Return the replicas of a Neuron that are there, and how many versions of its card."""
        records = [each for each in self._present() if each.neuron_id == neuron_id]
        replicas = [
            {
                "dendrite_id": each.dendrite_id,
                "state": each.state,
                "version": each.version,
                "digest": each.card,
            }
            for each in records[:_MOST_REPLICAS]
        ]
        versions = len(digests_of(records).get(neuron_id, ()))
        return {"versions": versions, "replicas": replicas}

    def missing(self, neuron_id: str) -> dict[str, Any]:
        """Return the group of a Neuron without any replica."""
        return _group(neuron_id)

    def _add(self, group: dict[str, Any], instance: str, place: _Place, now_s: float) -> None:
        record, state = place.record, place.record.state
        reason = None
        if place.left_s is not None:
            state, reason = _farewell(place, 0, now_s)
        replicas = group["replicas"]
        replicas[state] = replicas.get(state, 0) + 1
        if place.left_s is None:
            group["capabilities"] = sorted({*group["capabilities"], *record.capabilities})[:32]
            if record.description:
                group["description"] = record.description
            group["running"] += record.running
            group["queued"] += record.queued
            group["open"] += record.open
            group["loop_lag_ms"] = max(group["loop_lag_ms"], record.loop_lag_ms)
        elif group["gone"] is None or group["gone"]["ts"] < place.left_ts:
            group["gone"] = {
                "ts": place.left_ts,
                "reason": reason,
                "dendrite_id": record.dendrite_id or instance[:8],
            }

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
            "gone": None if state != "gone" else {"ts": place.left_ts, "reason": reason},
        }


def _group(neuron_id: str) -> dict[str, Any]:
    return {
        "neuron_id": neuron_id,
        "capabilities": [],
        "replicas": dict.fromkeys(("alive", "stuck", "draining", "away", "gone"), 0),
        "running": 0,
        "queued": 0,
        "open": 0,
        "loop_lag_ms": 0,
        "gone": None,
    }


def _tell(shown: dict[str, Any], peer: _Peer) -> None:
    """Add what the Synapse tells of a Dendrite."""
    record = peer.record
    left = None
    if peer.left_s is not None:  # a Neuron of it may have said why
        gone = next((each["gone"] for each in shown["neurons"] if each["gone"]), None)
        left = gone or {"ts": peer.left_ts, "reason": _LEFT}
    shown["state"] = record.state if left is None else "gone"
    shown.update(age_s=record.age_s, open=record.open, left=left, does=record.does)


def _complete(shown: dict[str, Any]) -> None:
    """Add what the Synapse did not tell, from its Neurons and Signals."""
    states = [each["state"] for each in shown["neurons"]]
    if states and shown["does"] in _WITHOUT_AXONS:  # they left before its connection
        shown["does"] = _WITHOUT_AXONS[shown["does"]]
    worst = min(states, key=_ORDER.index) if states else "alive"
    if shown["state"] is None:
        shown["state"] = "alive" if worst == "draining" else worst
        shown["does"] = "worker" if states else "caller"
    if shown["left"] is None and shown["state"] == "gone":
        gone = next((each["gone"] for each in shown["neurons"] if each["gone"]), None)
        shown["left"] = gone


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
    return {
        "instance": instance,
        "dendrite_id": name,
        "role": role,
        "does": None,
        "state": None,
        "age_s": None,
        "open": 0,
        "left": None,
        "neurons": [],
    }


def _note(table: OrderedDict[bytes, Any], key: bytes, value: Any, most: int) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > most:
        table.popitem(last=False)
