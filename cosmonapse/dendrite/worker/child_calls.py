"""What a Neuron asks of its Dendrite while it works: child tasks, and the tools that there are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from ...cards import Card
from ...signals import Signal
from ...tool_definitions import ToolDefinitions, definitions_of, takes_object
from ..caller.card_cache import CardCache

_LOG = logging.getLogger(__name__)
_MAX_TOLD = 256

Ask: TypeAlias = Callable[[Signal, float], Awaitable[Signal]]
"""Sends a TASK and returns the Signal that settles it within so many seconds."""


class ChildCalls:
    """Sends the child tasks of Neurons and finds their tools.

    Args:
        ask: Sends a TASK.
        cards: The cards of the live Neurons.
    """

    def __init__(self, ask: Ask, cards: CardCache) -> None:
        self.ask = ask
        self._cards = cards
        self._told: set[str] = set()

    async def tools(
        self, patterns: Sequence[str], timeout_s: float, own_id: str | None = None
    ) -> ToolDefinitions:
        """Return the live Neurons that match a pattern as tools; say once which find nothing.

        Args:
            patterns: Which ids.
            timeout_s: How long it may take.
            own_id: The Neuron that asks; it is no tool of itself unless this is a pattern.

        Raises:
            TypeError: A pattern is no str.
            SynapseUnreachable: The Synapse does not answer in this time.
        """
        for each in patterns:
            if not isinstance(each, str):
                raise TypeError(
                    f"tools are ids of Neurons, or patterns as 'fs.*', not {each!r:.80}"
                )
        cards: dict[str, Card] = {}
        found = await asyncio.gather(*(self._cards.cards(each, timeout_s) for each in patterns))
        for pattern, of_pattern in zip(patterns, found, strict=True):
            others = {key: card for key, card in of_pattern.items() if key != own_id}
            cards.update(of_pattern if pattern == own_id else others)
            if not others and pattern != own_id:
                self._tell(pattern, f"no live Neuron with a card matches the tools {pattern!r}")
        for neuron_id, card in cards.items():
            if not takes_object(card):
                self._tell(neuron_id, f"{neuron_id} is no tool: its input is no object")
        return definitions_of(cards.values())

    def _tell(self, about: str, text: str) -> None:
        if about not in self._told and len(self._told) < _MAX_TOLD:
            self._told.add(about)
            _LOG.warning("%s", text)
