"""The counters of all parts of a Dendrite."""

from __future__ import annotations

from collections import Counter

from .base import DendriteBase


class Counts(DendriteBase):
    """The sum of the counters."""

    @property
    def counts(self) -> dict[str, int]:
        """The counters of this Dendrite by name; `cosmonapse.counters` explains each."""
        parts = (
            self._transport,
            self._dispatcher,
            self._arbiter,
            self._auctions,
            self._card_cache,
            self._bidder,
            self._stop_receiver,
            self._inbox,
            self._subscriptions,
            self._sources,
        )
        totals: Counter[str] = Counter()
        for part in parts:
            totals.update(part.counts)
        return dict(totals)
