"""How the Synapses of this package are found, shared and ended."""

import asyncio
import gc
import threading

import pytest

from cosmonapse import (
    Axon,
    Dendrite,
    DendriteProtocolError,
    InvalidName,
    InvalidUrl,
    NeuronError,
    PortInUse,
    SynapseUnreachable,
    connect_synapse,
    synapse_from_url,
)
from cosmonapse.synapse.memory import MemorySynapse
from cosmonapse.synapse.server import SynapseServer
from support.processes import closed_port, free_ports


async def echo(input, context):
    return {"echo": input}


def hosting(synapse):
    dendrite = Dendrite(synapse=synapse)
    dendrite.attach_axon(Axon(neuron_id="worker", neuron_fn=echo))
    return dendrite


async def one_call(*synapses):
    """Host at the first, ask at the last, and return what came of it."""
    async with hosting(synapses[0]), Dendrite(synapse=synapses[-1]) as caller:
        return await caller.ask(neuron="worker", input=1)


# -- cosmo:// -------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_a_server_listens_where_its_url_says_and_counts():
    """P40"""
    seen = []
    with SynapseServer(port=0, on_signal=seen.append) as server:
        output = await one_call(await connect_synapse(server.url))
        counts = server.counts
        await asyncio.to_thread(server.stop)

    assert output == {"echo": 1}
    assert "TASK" in {each.what for each in seen}
    assert all(isinstance(count, int) for count in counts.values())


@pytest.mark.asyncio
async def test_a_server_that_stops_tells_its_dendrites_and_is_found_when_it_is_back():
    """P31 P40"""
    server = SynapseServer(port=free_ports()).start()
    async with (
        hosting(synapse_from_url(server.url)),
        Dendrite(synapse=synapse_from_url(server.url)) as caller,
    ):
        await asyncio.wait_for(asyncio.to_thread(server.stop), 0.9)
        server.start()
        output = await caller.ask(neuron="worker", input=1)
        await asyncio.to_thread(server.stop)

    assert output == {"echo": 1}


def test_a_server_starts_once_at_a_time_and_stops_any_number_of_times():
    """P40"""
    server, threads = SynapseServer(port=0), set(threading.enumerate())
    with pytest.raises(DendriteProtocolError, match="start"):
        _ = server.url
    server.stop()
    with server:
        first = server.url
        with pytest.raises(DendriteProtocolError, match="running"):
            server.start()
        with pytest.raises(PortInUse, match=first.rpartition(":")[2]):
            SynapseServer(port=int(first.rpartition(":")[2])).start()
    with pytest.raises(DendriteProtocolError, match="start"):
        _ = server.counts
    with server:
        assert server.url.startswith("cosmo://127.0.0.1:")
    assert set(threading.enumerate()) <= threads


def test_a_server_that_has_stopped_left_its_ports_to_the_next():
    """P40"""
    port = free_ports()
    for _ in range(10):
        with SynapseServer(port=port):
            pass


@pytest.mark.asyncio
async def test_nobody_there_is_unreachable_with_what_to_do():
    """P2"""
    url = f"cosmo://127.0.0.1:{closed_port()}"

    with pytest.raises(SynapseUnreachable, match="cosmo synapse start") as caught:
        await connect_synapse(url, timeout_s=0.2)
    with pytest.raises(SynapseUnreachable):
        await Dendrite(synapse=synapse_from_url(url)).start(timeout_s=0.2)

    assert caught.value.url == url


# -- memory:// ------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_one_name_is_one_synapse_as_long_as_anybody_holds_it():
    """P40"""
    one = await connect_synapse("memory://shared")
    again, other = synapse_from_url("memory://shared"), synapse_from_url("memory://other")

    assert one is again
    assert one.url == "memory://shared"
    assert await one_call(one, again) == {"echo": 1}
    with pytest.raises(NeuronError, match="NO_SUCH_NEURON"):
        await one_call(other, one)
    assert one.counts["bounce.no_route"] == 1
    del one, again
    gc.collect()
    assert synapse_from_url("memory://shared").counts == {}


@pytest.mark.asyncio
async def test_synapses_made_by_hand_are_apart_even_under_one_name():
    """P40"""
    one, other = MemorySynapse("same"), MemorySynapse("same")

    assert await one_call(one, one) == {"echo": 1}
    with pytest.raises(NeuronError, match="NO_SUCH_NEURON"):
        await one_call(one, other)


@pytest.mark.parametrize("url", ["memory://", "memory://a/b", "memory:// ", "memory://."])
def test_a_memory_url_without_a_good_name_is_refused(url):
    """P40"""
    with pytest.raises(InvalidUrl):
        synapse_from_url(url)
    with pytest.raises(InvalidName):
        MemorySynapse(url)


@pytest.mark.asyncio
async def test_a_memory_synapse_of_another_loop_says_what_to_use_instead():
    """P41"""
    synapse = MemorySynapse("here")

    def elsewhere():
        errors = []
        for attempt in (synapse.connect(1.0), Dendrite(synapse=synapse).start()):
            with pytest.raises(DendriteProtocolError) as caught:
                asyncio.run(attempt)
            errors.append(str(caught.value))
        return errors

    async with hosting(synapse):
        errors = await asyncio.to_thread(elsewhere)

    assert all("cosmo://" in error and "another event loop" in error for error in errors)
