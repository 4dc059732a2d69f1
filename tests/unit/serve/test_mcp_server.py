"""The list of tools, made of many cards at once, and the progress of a call."""

import asyncio

import pytest

from cosmonapse.cards import Card
from cosmonapse.edge.gaps import gap_text
from cosmonapse.serve.gateway import Gateway, GatewaySettings
from cosmonapse.serve.mcp_server import ToolServer, _report
from support.stored import StoredPathway

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


class SlowClient:
    """The context of a call whose client takes the first line of its progress late."""

    def __init__(self, during_first):
        self.session = self
        self.lines = []
        self._during_first = during_first

    async def report_progress(self, count, total, text):
        self.lines.append((count, text))
        if count == 1:
            self._during_first()


async def test_progress_says_how_many_signals_are_missing_at_their_place():
    stored = StoredPathway(50)

    def flood():
        stored.think(100)
        stored.end()

    client = SlowClient(flood)
    stored.think()
    await _report(client, stored)

    assert client.lines[:3] == [(1, "0 "), (2, gap_text(53)), (3, "54 ")]
    assert client.lines[-1] == (len(client.lines), "100 ")
