"""The list of tools, made of many cards at once."""

import asyncio

import pytest

from cosmonapse.cards import Card
from cosmonapse.serve.gateway import Gateway, GatewaySettings
from cosmonapse.serve.mcp_server import ToolServer

pytestmark = pytest.mark.asyncio
COUNT = 20


class Cards:
    """A Dendrite with many cards, one of which is no tool."""

    async def cards(self, timeout_s):
        names = [f"n{number}" for number in range(COUNT)]
        made = {name: Card(neuron_id=name, input={"type": "object"}) for name in names}
        return {**made, "bad": Card(neuron_id="bad", input={"type": "array"})}


async def test_other_calls_go_on_while_many_cards_are_checked():
    gateway = Gateway(Cards(), GatewaySettings())
    tools = ToolServer(gateway)
    await gateway.cards()
    turns = 0

    async def others():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(others())
    lists = await asyncio.gather(tools._current(), tools._current())
    running.cancel()

    assert turns >= COUNT
    assert [len(each) for each in lists] == [COUNT, COUNT]
    assert gateway.counts == {"drop.unfit_card": 1}
