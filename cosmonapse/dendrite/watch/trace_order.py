"""The Signals of one trace in the order in which the Synapse saw them. Pure.

A Dendrite gets its own Signals on the directed plane and everybody else's as copies on the
broadcast plane; one may overtake the other. But its own Signals come as copies too, and all copies
leave the Synapse in causal order. So its own are held until their copy says where they belong, and
at most `HOLD_S` seconds, in case the copy was lost.
"""

from __future__ import annotations

from collections import OrderedDict

from ...signals import Signal

HOLD_S = 0.25
MAX_AHEAD = 65_536
"""How far the copies may be ahead of what is our own: as many Signals as a Pathway keeps."""


class Once:
    """Lets each Signal pass once.

    Args:
        capacity: How many ids are remembered; what comes twice comes closely together.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._capacity = capacity

    def __contains__(self, signal_id: object) -> bool:
        """Tell whether this id has passed, as far as that is remembered."""
        return signal_id in self._seen

    def first(self, signal_id: str) -> bool:
        """Tell whether this id comes for the first time."""
        if signal_id in self._seen:
            return False
        self._seen[signal_id] = None
        if len(self._seen) > self._capacity:
            self._seen.popitem(last=False)
        return True


class Lately:
    """Lets each Signal pass once, at half the cost of `Once`: for those that watch everything.

    Args:
        least: How many ids are remembered at least; at most twice as many.
    """

    def __init__(self, least: int = 8192) -> None:
        self._new: set[str] = set()
        self._old: set[str] = set()
        self._least = least

    def first(self, signal_id: str) -> bool:
        """Tell whether this id comes for the first time, as far as that is remembered."""
        if signal_id in self._new or signal_id in self._old:
            return False
        self._new.add(signal_id)
        if len(self._new) >= self._least:
            self._old, self._new = self._new, set()
        return True


class TraceOrder:
    """Puts the Signals of one trace in order; each passes once."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[Signal, float]] = {}
        self._once = Once(MAX_AHEAD)

    def own(self, signal: Signal, now_s: float) -> None:
        """Hold a Signal of ours until its copy comes, unless that was quicker."""
        if signal.id not in self._once:
            self._held[signal.id] = signal, now_s

    def heard(self, signal: Signal) -> list[Signal]:
        """Take a copy, or a Signal of somebody else's, and return what may pass now.

        The copies of one task come on one way: of those that are held before this one, the copies
        are lost.
        """
        passing = []
        if signal.id in self._held:
            for held, _ in self._held.values():
                if held.id == signal.id:
                    break
                if held.parent_id is not None and held.parent_id == signal.parent_id:
                    passing.append(held)
        return self._pass([*passing, signal])

    def due(self, now_s: float) -> list[Signal]:
        """Return what has been held for too long."""
        return self._pass(
            [signal for signal, since_s in self._held.values() if since_s <= now_s - HOLD_S]
        )

    def next_at_s(self) -> float | None:
        """Return when `due` is to be asked next."""
        for _, since_s in self._held.values():
            return since_s + HOLD_S
        return None

    def _pass(self, signals: list[Signal]) -> list[Signal]:
        for signal in signals:
            self._held.pop(signal.id, None)
        return [signal for signal in signals if self._once.first(signal.id)]
