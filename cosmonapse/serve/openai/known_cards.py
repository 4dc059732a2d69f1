"""The cards of the Neurons behind models, as of about a second ago. No chat waits long for them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

from ...cards import Card
from ...errors import RemoteError
from ..gateway import Gateway
from .model_list import ModelName

_FRESH_S = 1.0
_FIRST_S = 2.0
_WAIT_S = 0.25


class KnownCards:
    """Asks for the cards in a task of its own: one card that does not come holds up no chat.

    A roster that cannot be read leaves the cards as they were: the task itself tells why.

    Args:
        gateway: Where the cards come from.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._cards: Mapping[str, Card] = {}
        self._begun_at_s = float("-inf")
        self._wait_s = _FIRST_S
        self._asking: asyncio.Task[None] | None = None

    async def of(self, model: ModelName) -> list[Card]:
        """Return the cards of the described Neurons that may answer for a model."""
        now_s = asyncio.get_running_loop().time()
        if self._asking is None and now_s - self._begun_at_s > _FRESH_S:
            self._begun_at_s = now_s
            self._asking = asyncio.create_task(self._ask(), name="ask for the cards")
        if self._asking is not None and now_s - self._begun_at_s < self._wait_s:
            await asyncio.wait([self._asking], timeout=self._begun_at_s + self._wait_s - now_s)
        if model.neuron is not None:
            card = self._cards.get(model.neuron)
            return [] if card is None else [card]
        offered = model.is_offered_by
        return [each for each in self._cards.values() if offered(each.neuron_id, each.capabilities)]

    async def _ask(self) -> None:
        try:
            with contextlib.suppress(RemoteError, TimeoutError):
                self._cards = await self._gateway.cards()
                self._wait_s = _WAIT_S
        finally:
            self._asking = None

    async def close(self) -> None:
        """Stop asking."""
        if self._asking is not None:
            asking = self._asking
            asking.cancel()
            await asyncio.wait([asking])
