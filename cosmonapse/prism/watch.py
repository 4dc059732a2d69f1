"""The data of Prism: received by one observer, shown in every tab."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import attrs

from ..doppler.observed import ObservedSignal
from ..doppler.observer import Listener
from ..errors import SynapseUnreachable
from ..recordings.lines import Header
from ..recordings.tables import Record
from ..registry import SynapseState
from ..runtime import clock
from ..runtime.reachable import when_reachable
from ..schemas.fields import fields_of
from .feed import Feed
from .lateness import Lateness
from .model_facts import Prices
from .presence import Presence
from .remembered import remembered
from .ring import MOST_SIGNALS, Ring
from .tabs import Tabs
from .trace_store import MAX_TRACES, TraceStore
from .vitals import Vitals

_OPEN_S = 3.0
_ASK_S = 2.0
_CARD_S = 3.0
_BEAT_S = 0.25
_NAMES_EVERY_S = 5.0
"""So often names are asked for while no tab is open: traces of that time show them later."""


class Watch:
    """All data that is shown of one namespace.

    Args:
        feed_of: Returns where the data comes from, given the listener that receives it.
        version: The version of this package, for the page.
        say: Reports to the user, one line at a time.
        prices: What models cost, if that is known.
    """

    def __init__(
        self,
        feed_of: Callable[[Listener], Feed],
        version: str,
        say: Callable[[str], None],
        prices: Prices | None = None,
    ) -> None:
        # Numbers of a later run are larger: a page that comes back with an old one gets everything.
        self.ring = Ring(time.time_ns() // 1000)
        self.counts: Counter[str] = Counter()
        self._presence = Presence()
        self.traces = TraceStore(self._presence.name_of, prices=prices)
        self.tabs = Tabs(self.ring, self.traces, self._greeting, self.counts)
        listener = Listener(self._on_signal, self._on_missed, self._on_link)
        self._listener = listener
        self._feed = feed_of(listener)
        self._run = clock.random_bytes(8).hex()
        self._version = version
        self._prices = prices
        self._say = say
        self._clock = self._feed.now_s
        self._lateness = Lateness()
        self._missed = 0
        self._connected = False
        self._since_ts = self._feed.now_ts()
        self._reason: str | None = "not connected yet"
        self._names_at_s = -_NAMES_EVERY_S
        self._vitals = Vitals(self._presence)
        self._changed = asyncio.Event()
        self._asking = asyncio.Lock()
        self._synapse: SynapseState | None = None
        self._tables: dict[str, Sequence[Record]] = {}

    async def card(self, neuron_id: str) -> dict[str, Any]:
        """Return the card of a live Neuron for a page; errors as `Feed.card`.

        Beside the card are its digest, the fields of both schemas as rows, and the replicas.
        """
        async with self._asking:  # each opens a connection
            card = await self._feed.card(neuron_id, _CARD_S)
        fields = {"input": _rows(card.input), "output": _rows(card.output)}
        more = {"digest": card.digest, "fields": fields}
        return card.as_dict() | more | self._presence.replicas(neuron_id)

    async def run(self) -> None:
        """Observe until cancelled; wait for a Synapse that is not there yet.

        Raises:
            SynapseRefused: The Synapse refuses this namespace, or is full.
        """
        beating = asyncio.create_task(self._beat(), name="lateness")
        try:
            await self._open()
            while True:
                await self._ask()
                self._tick()
                self._changed.clear()
                await self._feed.pause(self._changed)
        finally:
            beating.cancel()
            self.tabs.close()
            await self._feed.close()

    async def _beat(self) -> None:
        """Measure how late the loop turns."""
        loop = asyncio.get_running_loop()
        while True:
            due_at_s = loop.time() + _BEAT_S
            await asyncio.sleep(_BEAT_S)
            self._lateness.add(loop.time() - due_at_s, time.monotonic())

    @property
    def why_not_connected(self) -> str | None:
        """Why the Synapse cannot be seen; None while it can. Safe from another thread."""
        return None if self._connected else self._reason or "the Synapse is away"

    def remembered(self) -> AsyncIterator[bytes]:
        """Return what is kept, as the pieces of a recording."""
        feed = self._feed
        header = Header(feed.namespace, feed.url, self._version, 0.0)
        left = self._presence.left()
        return remembered(header, self.ring, self._tables, feed.now_ts(), left)

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
            self._presence.compare(records, self._clock(), self._feed.now_ts())
            for task in self._vitals.compare(records, asked_at_s):
                self.traces.lose(task.trace_id, task.id)
            self._synapse = await self._feed.state(_ASK_S)
            self._tables |= {"roster": records, "synapse": [self._synapse]}
            if len(self.tabs) or asked_at_s - self._names_at_s >= _NAMES_EVERY_S:
                self._names_at_s = asked_at_s
                dendrites = await self._feed.dendrites(_ASK_S)
                self._tables["dendrites"] = dendrites
                self._presence.compare_dendrites(dendrites, self._clock(), self._feed.now_ts())
            if len(self.tabs):  # a table of thousands is only asked for where somebody looks
                asked_at_s = self._clock()
                tasks = await self._feed.open_tasks(_ASK_S)
                self._vitals.compare_tasks(tasks, asked_at_s)

    def _tick(self) -> None:
        if len(self.tabs):
            self.tabs.show("state", self._state())
            self.tabs.show("now", self._vitals.view(self._clock()))
            self.tabs.look_for_traces()

    def _on_signal(self, observed: ObservedSignal) -> None:
        now_s = self._clock()
        cause = self._vitals.observe(observed, now_s)
        if self._presence.observe(observed, now_s):
            self._changed.set()
        number = self.tabs.add(observed, self._feed.now_ts())
        self.traces.observe(number, observed, now_s, cause)

    def _on_missed(self, count: int) -> None:
        self._missed += count

    def _on_link(self, connected: bool, reason: str | None) -> None:
        if (connected, reason) == (self._connected, self._reason):
            return
        if connected is not self._connected:
            self._since_ts = self._feed.now_ts()
        self._connected, self._reason = connected, reason
        self.tabs.show("state", self._state())

    def _greeting(self) -> dict[str, Any]:
        self._changed.set()  # the first tab needs the tables that nobody asked for without one
        return {
            "hello": {
                "run": self._run,
                "namespace": self._feed.namespace,
                "url": self._feed.url,
                "version": self._version,
                **self._feed.facts,
                "kept": MOST_SIGNALS,
                "traces_kept": MAX_TRACES,
                "prices": self._prices is not None,
                "first": self.ring.first,
                "last": self.ring.last,
            },
            "state": self._state(),
            "now": self._vitals.view(self._clock()),
        }

    def _state(self) -> dict[str, Any]:
        return {
            "at": self._feed.now_ts(),
            "synapse": {
                "url": self._feed.url,
                "connected": self._connected,
                "since_ts": self._since_ts,
                "reason": self._reason,
                **self._several(),
                "counters": self._counters(),
            },
            "dendrites": self._presence.view(self._clock(), self._vitals.open_of),
            "missed": self._missed,
            "evicted": self.ring.evicted,
            "behind": self._lateness.view(time.monotonic()),
        }

    def _several(self) -> dict[str, Any]:
        """Return what the Synapse tells of itself as one of several."""
        told = self._synapse
        if told is None:
            return {"warning": "", "role": "", "peers": []}
        return {"warning": told.warning, "role": told.role, "peers": list(told.peers)}

    def _counters(self) -> dict[str, Any]:
        """Return the counters of the Synapse, and under `prism.` those of Prism."""
        counts = self._listener.counts + self.counts
        own = {f"prism.{name}": count for name, count in counts.items()}
        if self._synapse is None:
            return own
        facts = attrs.asdict(self._synapse)
        return {**facts.pop("counts"), **facts, **own}


def _rows(schema: Mapping[str, Any] | None) -> list[list[str | bool]] | None:
    """Return name, type, whether it is required, and description of each field."""
    if schema is None:
        return None
    return [
        [each.name, each.kind, each.is_required, each.description] for each in fields_of(schema)
    ]
