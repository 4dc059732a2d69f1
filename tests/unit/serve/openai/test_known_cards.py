import asyncio

import pytest

from cosmonapse.cards import Card
from cosmonapse.errors import SynapseUnreachable
from cosmonapse.serve.openai import known_cards
from cosmonapse.serve.openai.known_cards import KnownCards
from cosmonapse.serve.openai.model_list import model_named

CARDS = {"a": Card(neuron_id="a", capabilities=("x", "y")), "b": Card(neuron_id="b")}
pytestmark = pytest.mark.asyncio


class PlayedCards:
    """A gateway whose cards come, fail, or do not come."""

    def __init__(self):
        self.answer, self.asked = CARDS, 0

    async def cards(self):
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or await asyncio.Event().wait()


def ids(cards):
    return [card.neuron_id for card in cards]


async def test_cards_are_those_of_the_neuron_or_of_all_that_offer_the_capabilities():
    known = KnownCards(PlayedCards())

    assert ids(await known.of(model_named("b"))) == ["b"]
    assert ids(await known.of(model_named("capability:y"))) == ["a"]
    assert ids(await known.of(model_named("c"))) == []


async def test_fresh_cards_are_not_asked_for_again():
    gateway = PlayedCards()
    known = KnownCards(gateway)
    for _ in range(3):
        await known.of(model_named("a"))

    assert gateway.asked == 1


@pytest.mark.parametrize("answer", [None, SynapseUnreachable("cosmo://a:1", "away", "wait")])
async def test_cards_that_do_not_come_leave_those_that_are_known(answer, monkeypatch):
    monkeypatch.setattr(known_cards, "_FRESH_S", 0.0)
    monkeypatch.setattr(known_cards, "_WAIT_S", 0.01)
    gateway = PlayedCards()
    known = KnownCards(gateway)
    await known.of(model_named("a"))
    gateway.answer = answer

    async with asyncio.timeout(1):
        assert ids(await known.of(model_named("a"))) == ["a"]
        assert ids(await known.of(model_named("a"))) == ["a"]
    await known.close()
