"""The data of Prism: received by one observer, shown in every tab."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import attrs

from ..doppler.observed import ObservedSignal
from ..doppler.observer import Listener
from ..errors import SynapseUnreachable
from ..registry import SynapseState
from ..runtime import clock
from ..runtime.reachable import when_reachable
from .feed import Feed
from .presence import Presence
from .ring import MOST_SIGNALS, Ring
from .tabs import Tabs
from .vitals import Vitals

_OPEN_S = 3.0
_ASK_S = 2.0


class Watch:
    """All data that is shown of one namespace.

    Args:
        feed_of: Returns where the data comes from, given the listener that receives it.
        version: The version of this package, for the page.
        say: Reports to the user, one line at a time.
    """

    def __init__(
        self, feed_of: Callable[[Listener], Feed], version: str, say: Callable[[str], None]
    ) -> None:
        # Numbers of a later run are larger: a page that comes back with an old one gets everything.
        self.ring = Ring(time.time_ns() // 1000)
        self.counts: Counter[str] = Counter()
        self.tabs = Tabs(self.ring, self._greeting, self.counts)
        listener = Listener(self._on_signal, self._on_missed, self._on_link)
        self._listener = listener
        self._feed = feed_of(listener)
        self._run = clock.random_bytes(8).hex()
        self._version = version
        self._say = say
        self._clock = self._feed.now_s
        self._missed = 0
        self._connected = False
        self._reason: str | None = "not connected yet"
        self._presence = Presence()
        self._vitals = Vitals(self._presence)
        self._changed = asyncio.Event()
        self._synapse: SynapseState | None = None

    async def run(self) -> None:
        """Observe until cancelled; wait for a Synapse that is not there yet.

        Raises:
            SynapseRefused: The Synapse refuses this namespace, or is full.
        """
        try:
            await self._open()
            while True:
                await self._ask()
                self._tick()
                self._changed.clear()
                await self._feed.pause(self._changed)
        finally:
            self.tabs.close()
            await self._feed.close()

    @property
    def why_not_connected(self) -> str | None:
        """Why the Synapse cannot be seen; None while it can. Safe from another thread."""
        return None if self._connected else self._reason or "the Synapse is away"

    async def _open(self) -> None:
        def on_failure(error: SynapseUnreachable) -> None:
            self._reason = error.reason
            self._tick()

        await when_reachable(lambda: self._feed.open(_OPEN_S), self._say, on_failure)
        self._say(self._feed.title)

    async def _ask(self) -> None:
        if not self._connected:
            return  # the old data stays, with its age
        asked_at_s = self._clock()
        with contextlib.suppress(SynapseUnreachable):
            records = await self._feed.roster(_ASK_S)
            self._presence.compare(records, self._clock())
            self._vitals.compare(records, asked_at_s)
            self._synapse = await self._feed.state(_ASK_S)

    def _tick(self) -> None:
        if len(self.tabs):
            self.tabs.show("state", self._state())
            self.tabs.show("health", self._vitals.view(self._clock()))

    def _on_signal(self, observed: ObservedSignal) -> None:
        now_s = self._clock()
        self._vitals.observe(observed, now_s)
        if self._presence.observe(observed, now_s):
            self._changed.set()
        self.tabs.add(observed)

    def _on_missed(self, count: int) -> None:
        self._missed += count

    def _on_link(self, connected: bool, reason: str | None) -> None:
        if (connected, reason) == (self._connected, self._reason):
            return
        self._connected, self._reason = connected, reason
        self.tabs.show("state", self._state())

    def _greeting(self) -> dict[str, Any]:
        return {
            "hello": {
                "run": self._run,
                "namespace": self._feed.namespace,
                "url": self._feed.url,
                "version": self._version,
                **self._feed.facts,
                "kept": MOST_SIGNALS,
                "first": self.ring.first,
                "last": self.ring.last,
            },
            "state": self._state(),
            "health": self._vitals.view(self._clock()),
        }

    def _state(self) -> dict[str, Any]:
        return {
            "at": self._feed.now_ts(),
            "synapse": {
                "url": self._feed.url,
                "connected": self._connected,
                "reason": self._reason,
                "counters": self._counters(),
            },
            "dendrites": self._presence.view(self._clock(), self._vitals.open_of),
            "missed": self._missed,
            "evicted": self.ring.evicted,
        }

    def _counters(self) -> dict[str, Any]:
        """Return the counters of the Synapse, and under `prism.` those of Prism."""
        counts = self._listener.counts + self.counts
        own = {f"prism.{name}": count for name, count in counts.items()}
        if self._synapse is None:
            return own
        facts = attrs.asdict(self._synapse)
        return {**facts.pop("counts"), **facts, **own}
