"""The cards that the faces share: asked for once a second, and held up by no Neuron for long."""

import asyncio

import pytest
import pytest_asyncio

from cosmonapse.cards import Card
from cosmonapse.errors import SynapseUnreachable
from cosmonapse.serve.gateway import Gateway, GatewaySettings
from support.played_cards import PlayedCards

pytestmark = pytest.mark.asyncio
OLD, NEW = ({name: Card(neuron_id=name)} for name in ("old", "new"))


@pytest_asyncio.fixture
async def dendrite():
    return PlayedCards(OLD)


@pytest_asyncio.fixture
async def gateway(dendrite):
    made = Gateway(dendrite, GatewaySettings())
    yield made
    await made.close_streams()


async def test_many_at_once_ask_once(gateway, dendrite):
    assert await asyncio.gather(*(gateway.cards() for _ in range(10))) == [OLD] * 10
    assert dendrite.asked == 1


async def test_a_card_that_does_not_come_holds_up_nobody_who_knows_the_others(gateway, dendrite):
    await gateway.cards()
    gateway.forget_cards()
    dendrite.may_answer.clear()

    async with asyncio.timeout(1):
        assert await gateway.cards(0.01) == OLD
        assert await gateway.cards(0.01) == OLD


async def test_whoever_waits_while_a_neuron_comes_gets_it_too(gateway, dendrite):
    dendrite.may_answer.clear()
    waiting = asyncio.create_task(gateway.cards())
    await asyncio.sleep(0)
    gateway.forget_cards()
    dendrite.answer = NEW
    dendrite.may_answer.set()

    assert await waiting == NEW


async def test_a_synapse_that_is_away_is_told_and_asked_again(gateway, dendrite):
    dendrite.answer = SynapseUnreachable("cosmo://h:1", "away", "start it")
    with pytest.raises(SynapseUnreachable):
        await gateway.cards()

    dendrite.answer = NEW
    assert await gateway.cards() == NEW
