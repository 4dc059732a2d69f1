"""Queries the Synapse for the live Axons of the namespace."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from ...registry import NeuronRecord
from ...signals import Directed, Signal, SignalType
from ...tasks import destination
from ...transport import Transport
from .handlers import Handler
from .subscriptions import Subscriptions

_QUERY_S = 5.0
_QUERY_AGAIN_S = 0.5


class Roster:
    """Finds live Axons.

    Args:
        transport: Queries the Synapse.
        subscriptions: Deliver every REGISTER.
    """

    def __init__(self, transport: Transport, subscriptions: Subscriptions) -> None:
        self._transport = transport
        self._subscriptions = subscriptions

    async def find(
        self, neuron_id: str = "", capability: str = "", timeout_s: float = _QUERY_S
    ) -> list[NeuronRecord]:
        """Return the live Axons that match.

        Raises:
            SynapseUnreachable: No answer within `timeout_s` seconds.
        """
        return await self._transport.roster(neuron_id, capability, timeout_s)

    async def wait(
        self, neuron: str | None, capabilities: Iterable[str] | None, timeout_s: float
    ) -> NeuronRecord:
        """Return the first live Axon that serves an address, as soon as one is registered.

        Raises:
            ValueError: Not exactly one of neuron and capabilities is given, or a name is invalid.
            TimeoutError: No such Axon is live within `timeout_s` seconds.
        """
        wanted = destination(neuron, capabilities)
        try:
            async with asyncio.timeout(timeout_s):
                # Mostly it is there already, and nothing has to be listened to.
                return await self._alive(wanted) or await self._registered(wanted)
        except TimeoutError:
            who = f"neuron {wanted.id!r}" if wanted.id else f"{', '.join(wanted.capabilities)}"
            raise TimeoutError(f"no live Axon serves {who} within {timeout_s:g} s") from None

    async def _alive(self, wanted: Directed) -> NeuronRecord | None:
        """Return a live Axon that serves an address."""
        for record in await self.find(wanted.id or ""):
            if record.state == "alive" and set(wanted.capabilities) <= set(record.capabilities):
                return record
        return None

    async def _registered(self, wanted: Directed) -> NeuronRecord:
        """Return a live Axon that serves an address, once there is one."""
        registered = asyncio.Event()

        async def on_register(sig: Signal) -> None:
            registered.set()

        self._subscriptions.add(Handler(on_register, frozenset({SignalType.REGISTER})))
        try:
            await self._subscriptions.settle()
            while True:
                registered.clear()
                if (record := await self._alive(wanted)) is not None:
                    return record
                # An Axon that was stuck and recovers sends no REGISTER: hence the interval.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(registered.wait(), _QUERY_AGAIN_S)
        finally:
            self._subscriptions.remove(on_register)
