"""The list of tools: which cards are in it, and that each is made once."""

import asyncio

import pytest

from cosmonapse.cards import Card
from cosmonapse.serve.gateway import Gateway, GatewaySettings
from cosmonapse.serve.mcp_tool_list import ToolList

pytestmark = pytest.mark.asyncio
COUNT = 20


A_FLAW = {"type": "object", "properties": {"got": {"$ref": "#/no"}}}


class Cards:
    """A Dendrite with many cards, one of which is no tool."""

    async def cards(self, timeout_s):
        names = [f"n{number}" for number in range(COUNT)]
        made = {name: Card(neuron_id=name, input={"type": "object"}) for name in names}
        return {**made, "bad": Card(neuron_id="bad", input={"type": "array"})}


async def test_other_calls_go_on_while_many_cards_are_checked():
    gateway = Gateway(Cards(), GatewaySettings())
    tools = ToolList(gateway)
    await gateway.cards()
    turns = 0

    async def others():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(others())
    lists = await asyncio.gather(tools.current(), tools.current())
    running.cancel()

    assert turns >= COUNT
    assert [len(each) for each in lists] == [COUNT, COUNT]
    assert gateway.counts == {"drop.unfit_card": 1}


class Changing:
    """A Dendrite whose cards a test sets."""

    def __init__(self, *cards):
        self.now = cards

    async def cards(self, timeout_s):
        return {card.neuron_id: card for card in self.now}


def listing(dendrite, **settings):
    gateway = Gateway(dendrite, GatewaySettings(**settings))
    return gateway, ToolList(gateway)


async def test_a_card_is_made_a_tool_once_for_each_digest():
    dendrite = Changing(Card(neuron_id="a", output=A_FLAW))
    gateway, tools = listing(dendrite)

    for _ in range(3):
        await tools.current()
    once = dict(gateway.counts)
    dendrite.now = (Card(neuron_id="a", output=A_FLAW, description="newer"),)
    gateway.forget_cards()
    newer = await tools.current()

    assert once == {"drop.output_schema": 1}
    assert newer["a"].description == "newer"
    assert gateway.counts == {"drop.output_schema": 2}


async def test_the_fingerprint_differs_if_a_tool_comes_goes_or_changes_and_only_then():
    dendrite = Changing(Card(neuron_id="a"))
    gateway, tools = listing(dendrite)
    seen = []

    for cards in (
        [Card(neuron_id="a")],
        [Card(neuron_id="a"), Card(neuron_id="bad", input={"type": "array"})],
        [Card(neuron_id="a", description="newer")],
        [Card(neuron_id="a", description="newer"), Card(neuron_id="b")],
    ):
        dendrite.now = cards
        gateway.forget_cards()
        seen.append(await tools.fingerprint())

    assert seen[0] == seen[1]
    assert len({str(each) for each in seen}) == 3


async def test_neurons_that_no_pattern_names_are_neither_listed_nor_called():
    _, tools = listing(Changing(Card(neuron_id="fs.read"), Card(neuron_id="chat")), tools=("fs.*",))

    assert set(await tools.current()) == {"fs.read"}
    assert tools.input_schema("fs.read") == {"type": "object", "additionalProperties": True}
    assert tools.input_schema("chat") is None
    assert not tools.exposes("chat")
