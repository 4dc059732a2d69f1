"""The Dendrites and users of one test, and their Synapse."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ...axon import Axon
from ...dendrite import Dendrite
from ...transport import Receiver, Synapse, Transport
from .harness import Harness
from .port_user import PortUser

NewUser = Callable[..., PortUser]
"""Makes a user of the port, not yet open: `new_user(**settings)`."""
Enter = Callable[..., Awaitable[PortUser]]
"""Makes a user of the port that is open: `await enter(*topics, **settings)`."""


class _SynapseOfOne:
    """A Synapse for one Dendrite, which remembers the transport that the Dendrite uses.

    A Dendrite of another language takes what is `inner`, and puts itself in `made`.
    """

    def __init__(self, synapse: Synapse) -> None:
        self.inner = synapse
        self.made: Transport | None = None

    @property
    def url(self) -> str:
        """See the port."""
        return self.inner.url

    async def connect(self, timeout_s: float | None) -> None:
        """See the port."""
        await self.inner.connect(timeout_s)

    def transport(
        self, namespace: str, dendrite_id: str, receiver: Receiver, max_signal_bytes: int
    ) -> Transport:
        """See the port."""
        self.made = self.inner.transport(namespace, dendrite_id, receiver, max_signal_bytes)
        return self.made

    async def close(self) -> None:
        """See the port."""
        await self.inner.close()


class Joiner:
    """Makes Dendrites of one namespace, not yet started: `join(*axons, **settings)`.

    Args:
        harness: Where they connect.
        namespace: Where they belong.
    """

    def __init__(self, harness: Harness, namespace: str) -> None:
        self._harness = harness
        self._namespace = namespace
        self._made: dict[Dendrite, _SynapseOfOne] = {}

    def __call__(self, *axons: Axon, **settings: Any) -> Dendrite:
        """Return a Dendrite with these Axons; `settings` are those of `Dendrite`."""
        synapse = _SynapseOfOne(settings.pop("synapse", None) or self._harness.synapse())
        settings = {"namespace": self._namespace, **settings}
        made = self._harness.dendrite(synapse=synapse, **settings)
        for axon in axons:
            made.attach_axon(axon)
        self._made[made] = synapse
        return made

    def transport_of(self, dendrite: Dendrite) -> Transport:
        """Return the connection of a Dendrite made here."""
        transport = self._made[dendrite].made
        assert transport is not None
        return transport

    async def stop(self) -> None:
        """Stop every Dendrite, the last one first."""
        for dendrite in reversed(self._made):
            await dendrite.stop(drain_s=0.0)
