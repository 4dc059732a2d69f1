"""What is sent again after a restart of the Synapse passes once at those who watch."""

import asyncio

import pytest

from cosmonapse import Axon, SignalType, new_trace_id
from support.processes import until
from support.watching import deltas, kept

pytestmark = pytest.mark.asyncio
PIECES = [f"{number} " for number in range(20)]


@pytest.fixture
def fabric(mortal):
    return mortal


class Streams:
    """A Neuron that streams, waits to be let go, and answers."""

    def __init__(self):
        self.release = asyncio.Event()

    async def __call__(self, input, context):
        for piece in PIECES:
            yield piece
        await self.release.wait()
        yield {"done": True}


@pytest.mark.parametrize("by", ["type", "trace"])
async def test_a_watcher_sees_a_stream_once_although_its_caller_gets_it_twice(join, fabric, by):
    """P36"""
    streams, trace_id = Streams(), new_trace_id()
    watcher, caller = join(), join()
    traced = watcher.on_trace(trace_id, SignalType.THOUGHT_DELTA)
    seen = kept(watcher.on_thought_delta if by == "type" else traced)
    ended = kept(watcher.on_agent_output)
    async with join(Axon(neuron_id="streams", neuron_fn=streams)), watcher, caller:
        with fabric.deaf(caller._transport):
            task = {"neuron": "streams", "input": {}, "trace_id": trace_id}
            asked = asyncio.create_task(caller.dispatch_and_wait(**task))
            await until(lambda: len(seen) == len(PIECES), what="the whole stream")
            await fabric.kill()
            await fabric.revive()
            await watcher.wait_for_neuron(neuron="streams", timeout_s=5.0)
            await watcher._transport.sync(5.0)  # it watches again, before its caller is back
        await until(lambda: watcher.counts.get("drop.repeated_copy"), what="copies that come again")
        streams.release.set()
        reply = await asked
        await until(lambda: ended)

    assert reply.output == {"done": True}
    assert deltas(seen) == PIECES
