"""The tools that a gateway lists for MCP clients: made from cards, each once for its digest."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import attrs

from ..cards import Card
from .gateway import Gateway
from .mcp_listing import ListedTool, UnfitCard, is_exposed, listed_tool

_log = logging.getLogger(__name__)


@attrs.frozen
class _Entry:
    """What became of a card.

    Args:
        digest: That of the card.
        tool: The tool; None if the card is no tool.
    """

    digest: str
    tool: ListedTool | None


class ToolList:
    """The tools of now, and those that were listed last.

    A card that is no tool is left out, logged and counted.

    Args:
        gateway: Has the cards, the patterns of `--tools`, and the counts.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._entries: dict[str, _Entry] = {}

    def exposes(self, neuron_id: str) -> bool:
        """Return whether the patterns of this gateway let clients call a Neuron."""
        return is_exposed(neuron_id, self._gateway.settings.tools)

    async def current(self) -> dict[str, ListedTool]:
        """Return the tools of now, by name.

        Raises:
            CosmonapseError: The cards cannot be had: see `Gateway.cards`.
        """
        cards = await self._gateway.cards()
        shown = {name: card for name, card in cards.items() if self.exposes(name)}
        for name, card in shown.items():
            if not self._has(card):
                await asyncio.sleep(0)  # each takes some milliseconds: calls go on in between
                self._entries[name] = self._entry_of(card)
        self._entries = {name: self._entry_of(card) for name, card in shown.items()}
        return {name: entry.tool for name, entry in self._entries.items() if entry.tool is not None}

    async def fingerprint(self) -> Mapping[str, str]:
        """Return the digests of the cards behind the tools of now: they differ if the tools do.

        Raises:
            CosmonapseError: See `current`.
        """
        await self.current()
        return {
            name: entry.digest for name, entry in self._entries.items() if entry.tool is not None
        }

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        """Return the schema of a tool as it was listed last; None if it was not."""
        entry = self._entries.get(name)
        return None if entry is None or entry.tool is None else entry.tool.input_schema

    def _has(self, card: Card) -> bool:
        entry = self._entries.get(card.neuron_id)
        return entry is not None and entry.digest == card.digest

    def _entry_of(self, card: Card) -> _Entry:
        """Return the entry of a card; another call may have made it meanwhile, or dropped it."""
        if self._has(card):
            return self._entries[card.neuron_id]
        return _Entry(card.digest, self._made(card))

    def _made(self, card: Card) -> ListedTool | None:
        counts = self._gateway.counts
        try:
            tool = listed_tool(card)
        except UnfitCard as unfit:
            counts["drop.unfit_card"] += 1
            _log.warning("%s is no tool of MCP: its input schema: %s", card.neuron_id, unfit)
            return None
        except Exception as error:  # noqa: BLE001  # one stranger's card must not end the list
            counts["drop.unfit_card"] += 1
            _log.warning("%s is no tool of MCP: its card: %.200r", card.neuron_id, error)
            return None
        if tool.flaw is not None:
            counts["drop.output_schema"] += 1
            _log.warning("%s is a tool of MCP without its output schema: %s", tool.name, tool.flaw)
        return tool
