"""Tabs of a browser: each receives new events, encoded once for all, and delays no other."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

from ..doppler.observed import ObservedSignal
from .events import KEEP_ALIVE, event, past_event, signals_event
from .record import record_of
from .ring import Ring
from .trace_news import TraceNews
from .trace_store import TraceStore

MOST_TABS = 64
MOST_WAITING = 200
MOST_WAITING_BYTES = 16 * 1024 * 1024
_EVERY_S = 0.05
_SOON_S = 0.002
_MOST_AT_ONCE = 2_000
_PAST_AT_ONCE = 250
_KEEP_ALIVE_S = 10.0
_TRACES_EVERY_S = 0.25


class _Batch(NamedTuple):
    """Some Signals as one event."""

    records: int
    data: bytes


def _nothing() -> None:
    pass


class Tab:
    """The queue of one tab: Signals in order, and the newest event of every other name.

    It holds up to 200 batches and 16 MiB; beyond that the oldest are dropped and counted.

    Args:
        news: Returns the events of the traces that have changed. It is asked when this tab can
            take one.
        client: Who opened it.
        on_displaced: Called when it has to make room for another tab.
    """

    def __init__(
        self,
        news: TraceNews,
        client: str = "",
        on_displaced: Callable[[], None] = _nothing,
    ) -> None:
        self.client = client
        self._traces = news
        self._events_of_traces = news.first_events
        self._on_displaced = on_displaced
        self._is_displaced = False
        self._batches: deque[_Batch] = deque()
        self._bytes = 0
        self._missed = 0
        self._newest: dict[str, bytes] = {}
        self._news = asyncio.Event()
        self._closed = False

    def put(self, batch: _Batch) -> None:
        """Add a batch of Signals."""
        self._batches.append(batch)
        self._bytes += len(batch.data)
        while len(self._batches) > 1 and (
            len(self._batches) > MOST_WAITING or self._bytes > MOST_WAITING_BYTES
        ):
            lost = self._batches.popleft()
            self._bytes -= len(lost.data)
            self._missed += lost.records
        self._news.set()

    def put_newest(self, name: str, data: bytes) -> None:
        """Add an event that replaces an older one of its name."""
        self._newest[name] = data
        self._news.set()

    def look_for_traces(self) -> None:
        """Tell which traces have changed, in one event, when everything else is told."""
        self._events_of_traces = max(1, self._events_of_traces)
        self._news.set()

    @property
    def is_behind(self) -> bool:
        """Whether more traces have changed than one event could tell."""
        return self._traces.is_behind

    def close(self) -> None:
        """End the stream of this tab."""
        self._closed = True
        self._news.set()

    def displace(self) -> None:
        """End the stream of this tab with an event that says why."""
        self._batches.clear()
        self._bytes = 0
        self._is_displaced = True
        self._news.set()
        self._on_displaced()

    async def next(self) -> bytes | None:
        """Wait for the next event and return it; None at the end."""
        while not self._closed:
            if found := self._waiting():
                return found
            self._news.clear()
            try:
                async with asyncio.timeout(_KEEP_ALIVE_S):
                    await self._news.wait()
            except TimeoutError:
                return KEEP_ALIVE
        return None

    def _waiting(self) -> bytes:
        """Return what is told next; empty if nothing waits."""
        if self._is_displaced:
            self._closed = True
            return event("displaced", {"most": MOST_TABS})
        if self._missed:
            missed, self._missed = self._missed, 0
            return event("missed", {"count": missed})
        if self._batches:
            batch = self._batches.popleft()
            self._bytes -= len(batch.data)
            return batch.data
        if self._newest:
            return self._newest.pop(next(iter(self._newest)))
        if self._events_of_traces == 0:
            return b""
        self._events_of_traces -= 1
        return self._traces.next()


class Tabs:
    """All open tabs, and the ring of past Signals for new ones.

    Args:
        ring: The Signals that are kept; a new tab receives them first.
        traces: The traces that are kept; a new tab receives a line about each.
        greeting: Returns the first events of a tab, by name.
        counts: Gets `displaced_tabs`.
    """

    def __init__(
        self,
        ring: Ring,
        traces: TraceStore,
        greeting: Callable[[], dict[str, Any]],
        counts: Counter[str] | None = None,
    ) -> None:
        self._traces = traces
        self._looking: asyncio.TimerHandle | None = None
        self._looked_at_s = 0.0
        self._ring = ring
        self._greeting = greeting
        self._counts: Counter[str] = Counter() if counts is None else counts
        self._tabs: dict[Tab, None] = {}  # the oldest first
        self._pending: list[tuple[int, ObservedSignal]] = []
        self._flushing: asyncio.TimerHandle | None = None
        self._flushed_at_s = 0.0
        self._closed = False

    def __len__(self) -> int:
        """Return how many tabs are open."""
        return len(self._tabs)

    @property
    def is_closed(self) -> bool:
        """Return whether Prism is ending."""
        return self._closed

    def add(self, observed: ObservedSignal, at_ts: float = 0.0) -> int:
        """Keep a Signal and send it to all tabs; without a tab it is not encoded.

        Return its number. `at_ts` is when it came, wall clock.
        """
        number = self._ring.add(observed, at_ts)
        if not self._tabs:
            return number
        self._pending.append((number, observed))
        if self._flushing is None:
            loop = asyncio.get_running_loop()
            wait_s = max(_SOON_S, self._flushed_at_s + _EVERY_S - loop.time())
            self._flushing = loop.call_later(wait_s, self._flush)
        elif len(self._pending) >= _MOST_AT_ONCE:
            self._flush()
        return number

    def show(self, name: str, value: Any) -> None:
        """Send all tabs an event that replaces an older one of its name."""
        if self._tabs:
            data = event(name, value)
            for tab in self._tabs:
                tab.put_newest(name, data)

    def _flush(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        if not self._pending:
            return
        self._flushed_at_s = asyncio.get_running_loop().time()
        pending, self._pending = self._pending, []
        batch = _Batch(len(pending), signals_event([record_of(*each) for each in pending]))
        for tab in self._tabs:
            tab.put(batch)
        self.look_for_traces()

    def look_for_traces(self) -> None:
        """Tell the tabs which traces have changed, at most four times a second."""
        if self._looking is not None:
            return
        loop = asyncio.get_running_loop()
        wait_s = self._looked_at_s + _TRACES_EVERY_S - loop.time()
        if wait_s > 0:
            self._looking = loop.call_later(wait_s, self._look)
        else:
            self._look()

    def _look(self) -> None:
        self._looking = None
        self._looked_at_s = asyncio.get_running_loop().time()
        are_behind = any(tab.is_behind for tab in self._tabs)
        for tab in self._tabs:
            tab.look_for_traces()
        if are_behind:
            self.look_for_traces()

    def _make_room(self, client: str) -> None:
        """Displace the oldest tab of whom has the most: a new tab is never refused.

        So nobody keeps others out by opening many.
        """
        if len(self._tabs) < MOST_TABS:
            return
        held = Counter(tab.client for tab in self._tabs)
        held[client] += 1
        most = max(held.values())
        tab = next(each for each in self._tabs if held[each.client] == most)
        del self._tabs[tab]
        self._counts["displaced_tabs"] += 1
        tab.displace()

    async def stream(
        self,
        since: int | None,
        client: str = "",
        on_displaced: Callable[[], None] = _nothing,
    ) -> AsyncIterator[bytes]:
        """Yield the events of one tab until it closes, or has to make room for another.

        Args:
            since: The number of the last Signal that it has; None for every one that is kept.
            client: Who opened it, such as its address.
            on_displaced: Called when it has to make room.
        """
        self._flush()  # pending Signals are in the ring too: they belong to the past of this tab
        self._make_room(client)
        tab = Tab(TraceNews(self._traces), client, on_displaced)
        last = self._ring.last
        self._tabs[tab] = None
        try:
            for name, value in self._greeting().items():
                yield event(name, value)
            async for data in self._past(since, last):
                yield data
            while (new := await tab.next()) is not None:
                yield new
        finally:
            self._tabs.pop(tab, None)
            if not self._tabs:
                self._pending.clear()

    async def _past(self, since: int | None, last: int) -> AsyncIterator[bytes]:
        """Yield the Signals kept when the tab opened, and the number of those dropped since."""
        before = self._ring.first - 1
        # A number outside the ring is from another run: the page has seen nothing of this one.
        at = since if since is not None and before <= since <= last else before
        while at < last:
            first = self._ring.first
            if first > at + 1:
                yield event("missed", {"count": min(first - 1, last) - at})
                at = first - 1
            kept = [each for each in self._ring.after(at, _PAST_AT_ONCE) if each.number <= last]
            if not kept:
                return
            at = kept[-1].number
            yield past_event(kept)
            await asyncio.sleep(0)  # a long past must not delay new Signals

    def close(self) -> None:
        """End the stream of every tab."""
        self._closed = True
        for timer in (self._flushing, self._looking):
            if timer is not None:
                timer.cancel()
        for tab in self._tabs:
            tab.close()
