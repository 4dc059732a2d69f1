"""Hosts the Axons of sources, which come and go while the Dendrite runs."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from ...axon import Axon
from ...axon_source import AxonSource
from ...errors import CosmonapseError
from .inbox import Inbox
from .registration import Registration

_LOG = logging.getLogger(__name__)
_ANNOUNCE_S = 5.0
"""How long the Synapse may take to acknowledge an Axon."""
_DRAIN_S = 10.0
"""How long the tasks of an Axon that is taken away may still run."""


class Sources:
    """The sources of a Dendrite, each with the asyncio task that runs it.

    Args:
        inbox: Holds the Axons.
        registration: Registers them.
        update: Subscribes to what the Axons need.
    """

    def __init__(
        self, inbox: Inbox, registration: Registration, update: Callable[[], None]
    ) -> None:
        self._inbox = inbox
        self._registration = registration
        self._update = update
        self._counts: Counter[str] = Counter()
        self._waiting: list[AxonSource] = []
        self._runs: dict[int, _Run] = {}

    @property
    def counts(self) -> Counter[str]:
        """Counters by name, those of the sources included."""
        totals = Counter(self._counts)
        for source in [*self._waiting, *(run.source for run in self._runs.values())]:
            totals.update(source.counts)
        return totals

    def attach(self, source: AxonSource) -> None:
        """Run a source from `start` on.

        Raises:
            ValueError: It is there already.
        """
        self._check_new(source)
        self._waiting.append(source)

    async def start(self) -> None:
        """Run the sources that are attached; return when all have shown their Axons.

        Raises:
            Exception: What one of them raised.
        """
        waiting, self._waiting = self._waiting, []
        await asyncio.gather(*(self.add(source) for source in waiting))

    async def add(self, source: AxonSource) -> None:
        """Run a source; return when it has shown its Axons.

        Raises:
            ValueError: It is there already, or one of its Axons has an id that is taken.
            Exception: What it raised.
        """
        self._check_new(source)
        run = self._runs[id(source)] = _Run(
            source, self._inbox, self._registration, self._update, self._counts
        )
        try:
            await run.shown()
        except BaseException:
            await self.remove(source)
            raise

    def _check_new(self, source: AxonSource) -> None:
        if id(source) in self._runs or any(source is each for each in self._waiting):
            raise ValueError("this source is attached already")

    async def remove(self, source: AxonSource) -> None:
        """End a source, and take its Axons away.

        Raises:
            ValueError: It is not there.
        """
        run = self._runs.pop(id(source), None)
        if run is None:
            raise ValueError("this source is not attached")
        await run.show([])
        await run.close()
        self._counts.update(source.counts)

    async def close(self) -> None:
        """End every source; its Axons receive no TASKs any more."""
        await asyncio.gather(*(run.close() for run in self._runs.values()))


class _Run:
    """One source that runs, and the Axons of it that are hosted."""

    def __init__(
        self,
        source: AxonSource,
        inbox: Inbox,
        registration: Registration,
        update: Callable[[], None],
        counts: Counter[str],
    ) -> None:
        self.source = source
        self._inbox = inbox
        self._registration = registration
        self._update = update
        self._counts = counts
        self._hosted: dict[str, Axon] = {}
        self._closing = False
        self._first = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._supply(), name="axon source")

    async def shown(self) -> None:
        """Wait for the first Axons; raise what the source raised instead."""
        await self._first

    async def _supply(self) -> None:
        try:
            await self.source.supply(self.show)
        except Exception as error:  # noqa: BLE001  # the last door: a source is the user's
            if self._first.done():
                self._counts["source_failed"] += 1
                _LOG.exception("a source of Axons failed; its Axons are taken away")
            else:
                self._first.set_exception(error)
        finally:
            if not self._first.done():
                self._first.set_result(None)
        if not self._closing:
            await self.show([])

    async def show(self, axons: Sequence[Axon]) -> None:
        """Host exactly these Axons.

        Raises:
            TypeError: They are no list of Axons.
        """
        shown = list(axons) if isinstance(axons, Iterable) else [axons]
        if isinstance(axons, Axon) or not all(isinstance(each, Axon) for each in shown):
            raise TypeError(f"a source shows a list of Axons, not {axons!r:.100}")
        wanted = {axon.neuron_id: axon for axon in shown}
        gone = [name for name, axon in self._hosted.items() if wanted.get(name) is not axon]
        await asyncio.gather(*(self._take_away(name) for name in gone))
        new = [axon for name, axon in wanted.items() if name not in self._hosted]
        is_first = not self._first.done()
        outcomes = await asyncio.gather(
            *(self._host(axon, keep=not is_first) for axon in new), return_exceptions=is_first
        )
        self._update()
        failed = [each for each in outcomes if isinstance(each, BaseException)]
        if failed:
            await asyncio.gather(*(self._take_away(name) for name in list(self._hosted)))
            raise failed[0]
        if is_first:
            self._first.set_result(None)

    async def _take_away(self, name: str) -> None:
        axon = self._hosted.pop(name)
        self._registration.deregister(axon, "its source took it away")
        await self._inbox.detach(name, _DRAIN_S)
        self._update()

    async def _host(self, axon: Axon, *, keep: bool) -> None:
        """Host an Axon. With `keep` it stays while no Synapse answers: it is registered later."""
        try:
            self._inbox.add(axon)
            self._hosted[axon.neuron_id] = axon
            await self._registration.announce_one(axon, _ANNOUNCE_S)
        except ConnectionError as error:  # SynapseUnreachable
            if not keep:
                raise
            _LOG.warning("%s is registered later: %s", axon.neuron_id, error)
        except (ValueError, CosmonapseError) as error:
            if not keep:
                raise
            self._counts["source_refused"] += 1
            _LOG.error("%s of a source cannot be hosted: %s", axon.neuron_id, error)

    async def close(self) -> None:
        """End the source."""
        self._closing = True
        self._task.cancel()
        await asyncio.wait([self._task])
