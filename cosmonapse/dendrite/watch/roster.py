"""Who is there: questions to the Synapse's tables."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from ...registry import NeuronRecord
from ...signals import Signal, SignalType
from ...tasks import destination
from ...transport import Transport
from .handlers import Handler
from .subscriptions import Subscriptions

_ANSWER_S = 5.0
_LOOK_AGAIN_S = 0.5


class Roster:
    """Answers who is there.

    Args:
        transport: Whom it asks.
        watching: Where it hears of newcomers.
    """

    def __init__(self, transport: Transport, subscriptions: Subscriptions) -> None:
        self._transport = transport
        self._subscriptions = subscriptions

    async def find(
        self, neuron_id: str = "", capability: str = "", timeout_s: float = _ANSWER_S
    ) -> list[NeuronRecord]:
        """Return the live Axons that match.

        Raises:
            SynapseUnreachable: No answer within `timeout_s` seconds.
        """
        return await self._transport.roster(neuron_id, capability, timeout_s)

    async def wait(
        self, neuron: str | None, capabilities: Iterable[str] | None, timeout_s: float
    ) -> NeuronRecord:
        """Return the first live Axon that serves an address, when there is one.

        Raises:
            ValueError: Not exactly one of the two is given, or one of them is no name.
            TimeoutError: There is none within `timeout_s` seconds.
        """
        wanted = destination(neuron, capabilities)
        came = asyncio.Event()

        async def on_register(sig: Signal) -> None:
            came.set()

        self._subscriptions.add(Handler(on_register, frozenset({SignalType.REGISTER})))
        try:
            async with asyncio.timeout(timeout_s):
                await self._subscriptions.settle()
                while True:
                    came.clear()
                    for record in await self.find(wanted.id or ""):
                        if record.state == "alive" and set(wanted.capabilities) <= set(
                            record.capabilities
                        ):
                            return record
                    with contextlib.suppress(TimeoutError):  # one that was stuck says nothing
                        await asyncio.wait_for(came.wait(), _LOOK_AGAIN_S)
        except TimeoutError:
            who = f"neuron {wanted.id!r}" if wanted.id else f"{', '.join(wanted.capabilities)}"
            raise TimeoutError(f"nobody live serves {who} within {timeout_s:g} s") from None
        finally:
            self._subscriptions.remove(on_register)
