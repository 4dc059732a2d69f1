"""Puts the Signals of one trace in the order in which the Synapse saw them. Pure.

Decision: docs/design/decisions/0007-copies-give-the-order.md. A Dendrite receives its own Signals
on the directed plane and all others as copies on the broadcast plane; one may overtake the other.
Its own Signals arrive as copies too, and all copies leave the Synapse in causal order. So an own
Signal is held until its copy gives its place, and at most `HOLD_S` seconds, since the copy may be
lost.
"""

from __future__ import annotations

from collections import OrderedDict

from ...signals import Signal

HOLD_S = 0.25
MAX_AHEAD = 65_536
"""How many copies may be ahead of our own Signals: as many as a Pathway stores."""


class SeenIds:
    """The ids of the latest Signals, exactly `capacity` of them, the oldest dropped first.

    Args:
        capacity: The number of ids; the copies of one Signal arrive close together.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._capacity = capacity

    def __contains__(self, signal_id: object) -> bool:
        """Return whether this id was added and is still stored."""
        return signal_id in self._seen

    def add(self, signal_id: str) -> bool:
        """Add an id; return whether it is new."""
        if signal_id in self._seen:
            return False
        self._seen[signal_id] = None
        if len(self._seen) > self._capacity:
            self._seen.popitem(last=False)
        return True


class RecentIds:
    """The ids of the latest Signals, in two generations: half the cost of `SeenIds`.

    Args:
        least: The least number of ids that are stored; at most twice as many.
    """

    def __init__(self, least: int = 8192) -> None:
        self._new: set[str] = set()
        self._old: set[str] = set()
        self._least = least

    def add(self, signal_id: str) -> bool:
        """Add an id; return whether it is new."""
        if signal_id in self._new or signal_id in self._old:
            return False
        self._new.add(signal_id)
        if len(self._new) >= self._least:
            self._old, self._new = self._new, set()
        return True


class TraceOrder:
    """Orders the Signals of one trace and passes each once."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[Signal, float]] = {}
        self._passed = SeenIds(MAX_AHEAD)

    def own(self, signal: Signal, now_s: float) -> None:
        """Hold an own Signal until its copy arrives, unless the copy was first."""
        if signal.id not in self._passed:
            self._held[signal.id] = signal, now_s

    def heard(self, signal: Signal) -> list[Signal]:
        """Add a broadcast Signal, own copy or not, and return the Signals that may pass now."""
        passing = []
        # 08-port, P23: the copies of one task arrive in order. So a copy proves that the copies of
        # all Signals that the same task sent before it are lost.
        if signal.id in self._held:
            for held, _ in self._held.values():
                if held.id == signal.id:
                    break
                if held.parent_id is not None and held.parent_id == signal.parent_id:
                    passing.append(held)
        return self._pass([*passing, signal])

    def due(self, now_s: float) -> list[Signal]:
        """Return the Signals that were held for `HOLD_S` seconds."""
        return self._pass(
            [signal for signal, since_s in self._held.values() if since_s <= now_s - HOLD_S]
        )

    def next_at_s(self) -> float | None:
        """Return the time of the next call of `due`, or None while no Signal is held."""
        for _, since_s in self._held.values():
            return since_s + HOLD_S
        return None

    def _pass(self, signals: list[Signal]) -> list[Signal]:
        for signal in signals:
            self._held.pop(signal.id, None)
        return [signal for signal in signals if self._passed.add(signal.id)]
