"""Where the data of Prism comes from: a Synapse as it is now. Recordings have the same port."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any, Protocol

from ..cards import Card
from ..dendrite import Dendrite
from ..doppler.observer import Listener, Observer
from ..registry import DendriteRecord, NeuronRecord, SynapseState, TaskRecord
from ..runtime import clock
from ..synapse import synapse_from_url
from ..synapse.connect import KeyLike

_TICK_S = 1.0
_SETTLE_S = 0.1


class Feed(Protocol):
    """What Prism shows: Signals through a `Listener`, the tables of the Synapse, and its time."""

    @property
    def namespace(self) -> str:
        """The namespace that is shown."""

    @property
    def url(self) -> str:
        """The URL of its Synapse."""

    @property
    def title(self) -> str:
        """What is shown, as a line for the terminal."""

    @property
    def facts(self) -> dict[str, Any]:
        """What a page is told first: `mode` and `replay`, see docs/prism.md."""

    def now_s(self) -> float:
        """Return the monotonic time of what is shown."""

    def now_ts(self) -> float:
        """Return the wall clock of what is shown."""

    async def open(self, timeout_s: float) -> None:
        """Begin; see `Observer.open`."""

    async def close(self) -> None:
        """End."""

    async def pause(self, changed: asyncio.Event) -> None:
        """Wait until the tables are to be asked again: a second, or less after a change."""

    async def roster(self, timeout_s: float) -> list[NeuronRecord]:
        """Return the Axons of the namespace."""

    async def dendrites(self, timeout_s: float) -> list[DendriteRecord]:
        """Return the Dendrites of the namespace."""

    async def open_tasks(self, timeout_s: float) -> list[TaskRecord] | None:
        """Return the open tasks; None if the Synapse does not tell."""

    async def state(self, timeout_s: float) -> SynapseState:
        """Return the state of the Synapse."""

    async def card(self, neuron_id: str, timeout_s: float) -> Card:
        """Return the card of a Neuron."""


class LiveFeed:
    """A namespace as it is now; see `Feed`.

    Args:
        url: URL of the Synapse; it may start later.
        namespace: The namespace to observe.
        listener: Receives the Signals and the events of the connection.
        key: The key to show; see `synapse_from_url`.
    """

    def __init__(
        self, url: str, namespace: str, listener: Listener, key: KeyLike | None = None
    ) -> None:
        observer = Observer(url, namespace, listener, name="prism", key=key)
        self._observer = observer
        self._given = url, key
        self.namespace = observer.namespace
        self.facts: dict[str, Any] = {"mode": "live", "replay": None}
        self.now_s, self.now_ts = time.monotonic, clock.now_ts
        self.open, self.close = observer.open, observer.close
        self.roster, self.dendrites = observer.roster, observer.dendrites
        self.open_tasks, self.state = observer.open_tasks, observer.state

    @property
    def url(self) -> str:
        """The URL of its Synapse, which may lead elsewhere later."""
        return self._observer.synapse.url

    @property
    def title(self) -> str:
        """What is shown."""
        return f"watching {self.namespace} at {self.url}"

    async def pause(self, changed: asyncio.Event) -> None:
        """Wait a second, or 0.1 s after a change of the roster."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TICK_S):
                await changed.wait()
            await asyncio.sleep(_SETTLE_S)

    async def card(self, neuron_id: str, timeout_s: float) -> Card:
        """Return the card of a live Neuron, from a Dendrite that is there for this alone.

        Raises:
            CosmonapseError: The Neuron is not live, or the key may not ask it.
            TimeoutError: It did not come within `timeout_s` seconds.
        """
        url, key = self._given
        synapse = synapse_from_url(url, key=key)
        asking = Dendrite(synapse=synapse, namespace=self.namespace, dendrite_id="prism-card")
        async with asyncio.timeout(timeout_s), asking as dendrite:
            return await dendrite.card(neuron_id, timeout_s=timeout_s)
