"""Which changes of the list of tools a client that listens is told of."""

import asyncio
import contextlib

import pytest

from cosmonapse.serve import mcp_changes
from cosmonapse.serve.mcp_changes import ToolChanges
from cosmonapse.signals import SignalType

pytestmark = pytest.mark.asyncio


class Fabric:
    """Stands in for a gateway, its Dendrite and the fingerprint of its tools."""

    def __init__(self):
        self.dendrite = self
        self.tools = "a"
        self.asked = 0
        self.asked_again = asyncio.Event()
        self.handlers = {}
        self.watched = asyncio.Event()

    @contextlib.asynccontextmanager
    async def on_signal(self, kind):
        yield lambda handler: self._watch(kind, handler)

    def _watch(self, kind, handler):
        self.handlers[kind] = handler
        if len(self.handlers) == 2:
            self.watched.set()

    @contextlib.asynccontextmanager
    async def open(self, stream):
        yield

    def forget_cards(self):
        pass

    async def fingerprint(self):
        self.asked += 1
        if self.asked == 2:
            self.asked_again.set()
        return self.tools


class Client:
    """Stands in for the stream of a client: it counts its notices."""

    def __init__(self, changes):
        self.notices = 0
        self.heard = asyncio.Event()
        self.listens = asyncio.Event()
        changes._handler = self
        changes._bus = self

    async def __call__(self, context, params):
        self.listens.set()
        await asyncio.Event().wait()

    async def publish(self, event):
        self.notices += 1
        self.heard.set()


@contextlib.asynccontextmanager
async def listening(fabric):
    changes = ToolChanges(fabric, fabric.fingerprint)
    client = Client(changes)
    stream = asyncio.create_task(changes.listen(None, None))
    await asyncio.wait_for(client.listens.wait(), 10)
    yield client
    stream.cancel()
    await asyncio.wait([stream])
    assert changes._watching is None


async def test_what_changes_after_a_client_listens_is_told_though_no_signal_of_it_came(monkeypatch):
    monkeypatch.setattr(mcp_changes, "_RECHECK_S", 0.02)
    fabric = Fabric()
    async with listening(fabric) as client:
        assert fabric.asked == 1
        fabric.tools = "a, b"  # before the watch has begun

        await asyncio.wait_for(client.heard.wait(), 10)


@pytest.mark.parametrize("kind", [SignalType.REGISTER, SignalType.DEREGISTER])
async def test_a_signal_is_a_notice_if_the_list_has_changed_and_only_then(monkeypatch, kind):
    monkeypatch.setattr(mcp_changes, "_SETTLE_S", 0.0)
    fabric = Fabric()
    async with listening(fabric) as client:
        await asyncio.wait_for(fabric.watched.wait(), 10)
        fabric.handlers[kind](None)
        await asyncio.wait_for(fabric.asked_again.wait(), 10)
        fabric.tools = "b"
        fabric.handlers[kind](None)

        await asyncio.wait_for(client.heard.wait(), 10)

    assert client.notices == 1
