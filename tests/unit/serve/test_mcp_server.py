"""The progress of a call."""

import pytest

from cosmonapse.edge.gaps import gap_text
from cosmonapse.serve.mcp_server import _report
from support.stored import StoredPathway

pytestmark = pytest.mark.asyncio


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
