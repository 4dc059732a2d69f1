import asyncio

import pytest
import pytest_asyncio

from cosmonapse.cards import Card
from cosmonapse.errors import SynapseUnreachable
from cosmonapse.serve.gateway import Gateway, GatewaySettings
from cosmonapse.serve.openai.known_cards import KnownCards
from cosmonapse.serve.openai.model_list import model_named
from support.played_cards import PlayedCards

CARDS = {"a": Card(neuron_id="a", capabilities=("x", "y")), "b": Card(neuron_id="b")}
pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def dendrite():
    return PlayedCards(CARDS)


@pytest_asyncio.fixture
async def known(dendrite):
    gateway = Gateway(dendrite, GatewaySettings())
    yield KnownCards(gateway)
    await gateway.close_streams()


def ids(cards):
    return [card.neuron_id for card in cards]


async def test_cards_are_those_of_the_neuron_or_of_all_that_offer_the_capabilities(known):
    assert ids(await known.of(model_named("b"))) == ["b"]
    assert ids(await known.of(model_named("capability:y"))) == ["a"]
    assert ids(await known.of(model_named("c"))) == []


async def test_fresh_cards_are_not_asked_for_again(known, dendrite):
    for _ in range(3):
        await known.of(model_named("a"))

    assert dendrite.asked == 1


@pytest.mark.parametrize("answer", [None, SynapseUnreachable("cosmo://a:1", "away", "wait")])
async def test_cards_that_do_not_come_leave_those_that_are_known(
    answer, known, dendrite, monkeypatch
):
    monkeypatch.setattr("cosmonapse.serve.gateway._FRESH_S", 0.0)
    monkeypatch.setattr("cosmonapse.serve.openai.known_cards._WAIT_S", 0.01)
    await known.of(model_named("a"))
    if answer is None:
        dendrite.may_answer.clear()
    dendrite.answer = answer

    async with asyncio.timeout(1):
        assert ids(await known.of(model_named("a"))) == ["a"]
        assert ids(await known.of(model_named("a"))) == ["a"]
