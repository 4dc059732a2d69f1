"""The cards of the Neurons behind models. No chat waits long for them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from ...cards import Card
from ...errors import CosmonapseError
from ..gateway import Gateway
from .model_list import ModelName

_WAIT_S = 0.25
"""How long a chat waits for newer cards."""


class KnownCards:
    """The cards that came last.

    A roster that cannot be read leaves the cards as they were: the task itself tells why.

    Args:
        gateway: Where the cards come from.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._cards: Mapping[str, Card] = {}

    async def of(self, model: ModelName) -> list[Card]:
        """Return the cards of the described Neurons that may answer for a model."""
        with contextlib.suppress(CosmonapseError, TimeoutError):
            self._cards = await self._gateway.cards(_WAIT_S)
        if model.neuron is not None:
            card = self._cards.get(model.neuron)
            return [] if card is None else [card]
        offered = model.is_offered_by
        return [each for each in self._cards.values() if offered(each.neuron_id, each.capabilities)]
