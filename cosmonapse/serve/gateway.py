"""What all faces of a gateway share: its Dendrite, the cards, and the streams that are open."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

import attrs
from starlette.routing import BaseRoute

from ..cards import Card
from ..dendrite import Dendrite
from ..registry import NeuronRecord

_FRESH_S = 1.0


@attrs.frozen(kw_only=True)
class GatewaySettings:
    """How a gateway serves.

    Args:
        base_url: Where clients reach it, without a slash at its end; for cards that name it.
        timeout_s: The longest time of a task of a client that names none.
        max_body_bytes: The most bytes of a request.
        token: What clients must send as `Authorization: Bearer`; empty for none.
        tools: Which Neurons are tools of MCP, by patterns of their ids; empty for all with a card.
        a2a_agent: The Neuron whose card of A2A is at the root too; None for none.
        version: Of this software, for clients.
    """

    base_url: str = "http://127.0.0.1:8080"
    timeout_s: float = 120.0
    max_body_bytes: int = 16 * 1024 * 1024
    token: str = attrs.field(default="", repr=False)
    tools: tuple[str, ...] = ()
    a2a_agent: str | None = None
    version: str = ""


class Face(Protocol):
    """One protocol that a gateway speaks."""

    def routes(self) -> Sequence[BaseRoute]:
        """Return its routes."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run what it needs while the app runs."""


class Closable(Protocol):
    """What is streamed to a client, and can be ended from outside."""

    async def close(self) -> None:
        """End it."""


C = TypeVar("C", bound=Closable)


class Gateway:
    """What the faces share.

    Args:
        dendrite: Sends the tasks; it runs as long as the app.
        settings: How it serves.
    """

    def __init__(self, dendrite: Dendrite, settings: GatewaySettings) -> None:
        self.dendrite = dendrite
        self.settings = settings
        self._readers: set[Closable] = set()
        self._is_ending = False
        self._cards: Mapping[str, Card] = {}
        self._asked_at_s = float("-inf")
        self._asking = asyncio.Lock()

    async def neurons(self) -> list[NeuronRecord]:
        """Return the live Axons.

        Raises:
            SynapseUnreachable: The Synapse does not answer.
        """
        return await self.dendrite.find_neurons()

    async def cards(self) -> Mapping[str, Card]:
        """Return the cards of all live Neurons that have one, as of a second ago at most.

        Raises:
            SynapseUnreachable: The Synapse does not answer.
        """
        async with self._asking:
            now_s = asyncio.get_running_loop().time()
            if now_s - self._asked_at_s > _FRESH_S:
                self._asked_at_s = now_s  # before the answer: what changes meanwhile is asked again
                try:
                    self._cards = await self.dendrite.cards()
                except BaseException:
                    self.forget_cards()
                    raise
            return self._cards

    def forget_cards(self) -> None:
        """Ask for the cards again at the next call of `cards`: a Neuron has come or gone."""
        self._asked_at_s = float("-inf")

    @contextlib.asynccontextmanager
    async def open(self, reader: C) -> AsyncIterator[C]:
        """Keep a reader while it is streamed: it is closed at the end, or when the gateway ends."""
        self._readers.add(reader)
        try:
            if self._is_ending:
                await reader.close()
            yield reader
        finally:
            self._readers.discard(reader)
            await reader.close()

    async def close_streams(self) -> None:
        """Close every reader that is streamed, now and later: its client gets the last event."""
        self._is_ending = True
        await asyncio.gather(*(reader.close() for reader in list(self._readers)))
