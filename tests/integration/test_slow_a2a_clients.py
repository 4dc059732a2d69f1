"""A2A where somebody is too slow: the client, or the gateway that keeps its task.

The gateway runs in the process of the test, so that its buffers can be made small.
"""

import asyncio
import contextlib
import socket

import httpx
import pytest
import pytest_asyncio
import uvicorn
from a2a.client import ClientConfig, create_client
from a2a.client.errors import A2AClientError
from a2a.utils.errors import InternalError

from cosmonapse import Axon, Dendrite, synapse_from_url
from cosmonapse.dendrite.caller import pathway, signal_buffer
from cosmonapse.serve import a2a_executor
from cosmonapse.serve.a2a_face import A2aFace
from cosmonapse.serve.a2a_store import NeuronTaskStore
from cosmonapse.serve.gateway import Gateway, GatewaySettings
from cosmonapse.serve.gateway_app import make_app
from cosmonapse.telemetry.liveness import Judgement
from support.a2a_neurons import BINDINGS, Conversation, artifact, state, text

pytestmark = pytest.mark.asyncio
WAIT_S = 60.0
KEPT = 100
"""How many Signals wait for the executor, where the gateway is slow."""


class Flood:
    """A Neuron that says so many numbers, and says when it has."""

    def __init__(self):
        self.done = asyncio.Event()

    async def __call__(self, input, context):
        count = int(input["prompt"])
        for number in range(count):
            yield f"{number} ".ljust(300)
            await asyncio.sleep(0)
        self.done.set()
        yield {"count": count}


@pytest.fixture
def flood():
    return Flood()


@pytest_asyncio.fixture
async def gateway(flood, monkeypatch):
    """Run a gateway whose sockets hold little, and which tells every thought by itself."""
    monkeypatch.setattr(a2a_executor, "_EVERY_S", 0.0)
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
    base_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    dendrite = Dendrite(synapse=synapse_from_url("memory://slow-a2a"), dendrite_id="gateway")
    dendrite.attach_axon(Axon(neuron_id="flood", neuron_fn=flood))
    async with dendrite:
        made = Gateway(dendrite, GatewaySettings(base_url=base_url))
        app = make_app(made, [A2aFace(made)], lambda: Judgement(True))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
        serving = asyncio.create_task(server.serve([listening]))
        yield made
        server.should_exit = True
        await serving


@contextlib.asynccontextmanager
async def talking(gateway, binding):
    async with httpx.AsyncClient(timeout=WAIT_S, trust_env=False) as http:
        config = ClientConfig(
            streaming=True, supported_protocol_bindings=[binding], httpx_client=http
        )
        base_url = gateway.settings.base_url
        yield Conversation(await create_client(f"{base_url}/a2a/flood", config))


def numbers(texts):
    return [int(each) for each in "".join(texts).split()]


@pytest.mark.parametrize("binding", BINDINGS)
async def test_a_client_that_stops_reading_finds_an_error_and_the_whole_is_kept(
    gateway, flood, binding, monkeypatch
):
    count = 2_500
    over, save = asyncio.Event(), NeuronTaskStore.save

    async def noticed_save(self, task, context):
        await save(self, task, context)
        if state(task) == "COMPLETED":
            over.set()

    monkeypatch.setattr(NeuronTaskStore, "save", noticed_save)
    async with talking(gateway, binding) as talk:
        events = talk.events_of(text(str(count)))
        talk.keep(await anext(events))
        await asyncio.wait_for(flood.done.wait(), WAIT_S)
        await asyncio.wait_for(over.wait(), WAIT_S)

        with pytest.raises((A2AClientError, InternalError), match="reads too slowly"):
            await talk.keep_all(events)
        task = await talk.again()

        assert talk.events[-1].HasField("artifact_update")
        assert len(talk.events) < count
        assert (state(task), numbers(artifact(task, "text"))) == ("COMPLETED", [*range(count)])
        assert gateway.counts["cut.a2a_stream"] == 1


async def test_what_a_gateway_misses_stands_at_its_place_and_at_the_end(
    gateway, flood, monkeypatch
):
    count = 3_000
    small = signal_buffer.SignalBuffer
    monkeypatch.setattr(pathway, "SignalBuffer", lambda: small(KEPT))
    go_on, save = asyncio.Event(), NeuronTaskStore.save

    async def slow_save(self, task, context):
        await go_on.wait()
        await save(self, task, context)

    monkeypatch.setattr(NeuronTaskStore, "save", slow_save)
    async with talking(gateway, "JSONRPC") as talk:
        saying = asyncio.create_task(talk.say(text(str(count))))
        await asyncio.wait_for(flood.done.wait(), WAIT_S)
        go_on.set()
        task = await saying

    at = missed = 0
    for each in [e.artifact_update.artifact for e in talk.events if e.HasField("artifact_update")]:
        if each.artifact_id == "text":
            more = int(each.metadata["missed"]) if "missed" in each.metadata else missed
            at, missed = at + more - missed, more
            for number in numbers(part.text for part in each.parts):
                assert number == at
                at += 1
    assert at == count
    assert missed > 0
    kept = next(each for each in task.artifacts if each.artifact_id == "text")
    assert kept.metadata["missed"] == task.metadata["missed"] == missed
    assert (state(task), artifact(task)) == ("COMPLETED", [{"count": count}])
