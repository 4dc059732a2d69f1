"""What one tab was told of the traces, and what is new for it. Pure."""

from __future__ import annotations

from itertools import islice

from .events import event_of_parts
from .trace_store import TraceStore

MAX_SUMMARIES = 200
"""Of one event; the rest comes with the next."""


class TraceNews:
    """Tells a tab which traces have changed, the last changes first.

    Where more change than can be told, a tab has the newest.

    Args:
        store: The traces.
    """

    def __init__(self, store: TraceStore) -> None:
        self._store = store
        self._told: dict[str, int] = {}
        self._looked_v = -1
        self._is_behind = False
        self._evicted = store.evicted
        self.first_events = len(store) // MAX_SUMMARIES + 1
        """How many events tell all that was there at the beginning."""

    @property
    def is_behind(self) -> bool:
        """Whether the last event had no room for all that was new."""
        return self._is_behind

    def next(self) -> bytes:
        """Return the next event, with up to 200 summaries; empty if nothing is new."""
        gone, changed = self._gone(), self._changed()
        if not gone and not changed:
            return b""
        return event_of_parts("traces", "items", changed, {"gone": gone})

    def _gone(self) -> list[str]:
        store = self._store
        if store.evicted == self._evicted:
            return []
        self._evicted = store.evicted
        gone = [each for each in self._told if each not in store]
        for each in gone:
            del self._told[each]
        return gone

    def _changed(self) -> list[bytes]:
        store, told = self._store, self._told
        if store.v == self._looked_v:
            return []
        new = (each for each in store.newest_first() if told.get(each.id) != each.v)
        changed = list(islice(new, MAX_SUMMARIES))
        self._is_behind = len(changed) == MAX_SUMMARIES
        if not self._is_behind:
            self._looked_v = store.v
        told.update((each.id, each.v) for each in changed)
        return [store.told(each) for each in changed]
