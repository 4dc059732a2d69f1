"""What a Dendrite keeps of cards is bounded, and the oldest of them goes first."""

from collections import Counter

import pytest

from cosmonapse import NeuronRecord, Signal, SignalType
from cosmonapse.cards import Card
from cosmonapse.dendrite.caller import card_cache


class Fake:
    """A roster and a dispatcher in one."""

    def __init__(self, cards):
        self.cards = {each.neuron_id: each for each in cards}
        self.asked = Counter()

    async def find(self, neuron_id="", timeout_s=0.0):
        return [
            NeuronRecord(neuron_id=each.neuron_id, dendrite_id="d", instance="1", card=each.digest)
            for each in self.cards.values()
            if neuron_id in ("", each.neuron_id)
        ]

    async def wait(self, task, timeout_s, kind):
        self.asked[task.directed.id] += 1
        card = self.cards[task.directed.id]
        return Signal(type=SignalType.AGENT_OUTPUT, payload={"output": card.as_dict()})


@pytest.mark.asyncio
async def test_the_cards_that_are_kept_are_bounded(monkeypatch):
    monkeypatch.setattr(card_cache, "MAX_KEPT", 2)
    cards = [Card(neuron_id=each, description="d") for each in "abc"]
    fake = Fake(cards)
    cache = card_cache.CardCache(fake, fake)

    for name in "abcba":
        assert (await cache.card(name, 1.0)).neuron_id == name

    assert fake.asked == {"a": 2, "b": 1, "c": 1}
    assert set(await cache.cards("[bc]", 1.0)) == {"b", "c"}
