"""What all faces of a gateway share: its Dendrite, the cards, and the streams that are open."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

import attrs
from starlette.routing import BaseRoute

from ..cards import Card
from ..dendrite import Dendrite
from ..errors import CosmonapseError
from ..registry import NeuronRecord

_FRESH_S = 1.0
"""How old the cards may be."""
_CARD_S = 1.0
"""How long one card may take; one that does not come is left out and asked for again."""
_WAIT_S = 2.0
"""How long a request waits for newer cards before it takes those that are there."""


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

    Attributes:
        counts: What the gate and the faces refused, cut or left out.
    """

    def __init__(self, dendrite: Dendrite, settings: GatewaySettings) -> None:
        self.counts: Counter[str] = Counter()
        self.dendrite = dendrite
        self.settings = settings
        self._readers: set[Closable] = set()
        self._is_ending = False
        self._cards: Mapping[str, Card] = {}
        self._has_cards = False
        self._asked_at_s = float("-inf")
        self._asking: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    async def neurons(self) -> list[NeuronRecord]:
        """Return the live Axons.

        Raises:
            SynapseUnreachable: The Synapse does not answer.
        """
        return await self.dendrite.find_neurons()

    async def cards(self, wait_s: float = _WAIT_S) -> Mapping[str, Card]:
        """Return the cards of all live Neurons that have one, as of a second ago at most.

        A Neuron that keeps its card back does not hold up the others: after `wait_s` seconds the
        cards are those that were there last.

        Args:
            wait_s: The longest wait, but for the very first time, in seconds.

        Raises:
            SynapseUnreachable: The Synapse does not answer.
        """
        now_s = asyncio.get_running_loop().time()
        if self._asking is None and now_s - self._asked_at_s > _FRESH_S:
            self._asked_at_s = now_s  # before the answer: what changes meanwhile is asked again
            self._asking = asyncio.create_task(self._ask(), name="ask for the cards")
        asking = self._asking
        if asking is not None:
            longest_s = wait_s if self._has_cards else _WAIT_S
            await asyncio.wait([asking], timeout=max(0.0, self._asked_at_s + longest_s - now_s))
            if asking.cancelled():  # by `forget_cards`
                return await self.cards(wait_s)
            if asking.done():
                asking.result()
                if self._failure is not None:
                    raise self._failure
        return self._cards

    async def _ask(self) -> None:
        try:
            self._cards = await self.dendrite.cards(timeout_s=_CARD_S)
            self._has_cards, self._failure = True, None
        except (CosmonapseError, TimeoutError) as error:
            self._failure = error
            self._asked_at_s = float("-inf")
        finally:
            if self._asking is asyncio.current_task():
                self._asking = None

    def forget_cards(self) -> None:
        """Ask for the cards again at the next call of `cards`: a Neuron has come or gone."""
        self._asked_at_s = float("-inf")
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

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
        self.forget_cards()
        await asyncio.gather(*(reader.close() for reader in list(self._readers)))
