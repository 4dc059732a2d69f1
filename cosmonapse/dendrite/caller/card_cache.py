"""The cards of Neurons: fetched once from any replica, and kept by their digest."""

from __future__ import annotations

import asyncio
import fnmatch
import logging
from collections import Counter, OrderedDict
from collections.abc import Iterable

from ...cards import Card, card_from
from ...errors import AccessRefused, NeuronError
from ...registry import NeuronRecord, differing
from ...signals import SignalType
from ...tasks import card_request
from ..watch.roster import Roster
from .dispatcher import Dispatcher
from .open_tasks import CardTask

_LOG = logging.getLogger(__name__)
MAX_KEPT = 1024
"""How many cards are kept; the one that was not asked for longest is forgotten."""
_MOST_AT_ONCE = 32
"""How many cards are fetched at the same time."""
_MOST_ATTEMPTS = 3
"""How many replicas are asked until one answers that knows cards."""


class CardCache:
    """Fetches cards.

    Args:
        dispatcher: Asks the Neurons.
        roster: Tells the digests of those that are live.
    """

    def __init__(self, dispatcher: Dispatcher, roster: Roster) -> None:
        self.counts: Counter[str] = Counter()
        self._dispatcher = dispatcher
        self._roster = roster
        self._told: dict[str, tuple[str, ...]] = {}
        self._kept: OrderedDict[tuple[str, str], Card] = OrderedDict()

    async def card(self, neuron_id: str, timeout_s: float) -> Card:
        """Return the card of a live Neuron.

        Raises:
            InvalidName: `neuron_id` is invalid.
            NeuronError: NO_SUCH_NEURON, no live Axon has this id; BAD_OUTPUT, it sent no card;
                BAD_SIGNAL, its replica is of an older version.
            TimeoutError: It did not come within `timeout_s` seconds.
            SynapseUnreachable: The Synapse does not answer in this time.
        """
        async with asyncio.timeout(timeout_s):
            found = _alive(await self._roster.find(neuron_id, timeout_s=timeout_s))
            if not found:
                raise NeuronError("NO_SUCH_NEURON", f"no live Axon serves {neuron_id}")
            self._warn_of_versions(found)
            return await self._card(found[0], timeout_s)

    async def cards(self, pattern: str, timeout_s: float) -> dict[str, Card]:
        """Return the cards of the live Neurons that have one and match a pattern, by id.

        One that does not come in time, or is none, is left out, logged and counted. So is one that
        our key may not send tasks to, without a word: it is no use to who asks.
        """
        records: dict[str, NeuronRecord] = {}
        found = _alive(await self._roster.find(timeout_s=timeout_s))
        self._warn_of_versions(found)
        for record in found:
            if record.card is not None and fnmatch.fnmatchcase(record.neuron_id, pattern):
                records.setdefault(record.neuron_id, record)
        cards = {each.neuron_id: kept for each in records.values() if (kept := self._known(each))}
        places = asyncio.Semaphore(_MOST_AT_ONCE)

        async def fetched(record: NeuronRecord) -> Card | None:
            async with places:
                return await self._card_or_none(record, timeout_s)

        missing = [each for each in records.values() if each.neuron_id not in cards]
        for card in await asyncio.gather(*map(fetched, missing)):
            if card is not None:
                cards[card.neuron_id] = card
        return cards

    async def _card_or_none(self, record: NeuronRecord, timeout_s: float) -> Card | None:
        try:
            return await self._card(record, timeout_s)
        except AccessRefused:
            self.counts["card_forbidden"] += 1
            return None
        except (NeuronError, TimeoutError) as error:
            self.counts["card_missing"] += 1
            _LOG.warning("the card of %s is left out: %s", record.neuron_id, error)
            return None

    async def _card(self, record: NeuronRecord, timeout_s: float) -> Card:
        if record.card is None:
            return Card(
                neuron_id=record.neuron_id,
                description=record.description or "",
                capabilities=record.capabilities,
                version=record.version,
            )
        card = self._known(record)
        if card is None:
            card = await self._fetched(record.neuron_id, timeout_s)
            self._keep(card)
        return card

    def _known(self, record: NeuronRecord) -> Card | None:
        key = (record.neuron_id, record.card or "")
        card = self._kept.get(key)
        if card is not None:
            self._kept.move_to_end(key)
        return card

    async def _fetched(self, neuron_id: str, timeout_s: float) -> Card:
        """Ask a replica; ask again where one of an older version has answered."""
        for _ in range(_MOST_ATTEMPTS):
            task = card_request(neuron_id)
            reply = await self._dispatcher.wait(task, timeout_s, kind=CardTask)
            if reply.type is not SignalType.ERROR or reply.payload.get("code") != "BAD_SIGNAL":
                break
        else:
            raise NeuronError(
                "BAD_SIGNAL",
                f"a replica of {neuron_id} is of an older version, which has no cards: update it",
            )
        try:
            card = card_from(reply.output)
        except ValueError as error:
            raise NeuronError("BAD_OUTPUT", f"{neuron_id}: {error}") from None
        if card.neuron_id != neuron_id:
            raise NeuronError("BAD_OUTPUT", f"{neuron_id} sent the card of {card.neuron_id}")
        return card

    def _warn_of_versions(self, records: list[NeuronRecord]) -> None:
        """Log once which replicas have different cards: they take or give different things."""
        for neuron_id, digests in differing(records).items():
            if self._told.get(neuron_id) == digests:
                continue
            if len(self._told) >= MAX_KEPT:
                self._told.clear()
            self._told[neuron_id] = digests
            _LOG.warning(
                "the replicas of %s have %d versions of its card (%s): update those that are older",
                neuron_id,
                len(digests),
                ", ".join(digests),
            )

    def _keep(self, card: Card) -> None:
        self._kept[card.neuron_id, card.digest] = card
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)


def _alive(records: Iterable[NeuronRecord]) -> list[NeuronRecord]:
    """Return the records that receive tasks, those with a card first."""
    return sorted(
        (record for record in records if record.state == "alive"),
        key=lambda record: record.card is None,
    )
