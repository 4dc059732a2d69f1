"""Watchers see a Signal once that is sent again after a restart of the Synapse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ... import Axon, SignalType, new_trace_id
from .harness import Harness
from .joined import Joiner
from .recording import deltas, recorded
from .waiting import until

pytestmark = pytest.mark.asyncio
PIECES = [f"{number} " for number in range(20)]


@pytest.fixture
def harness(mortal: Harness) -> Harness:
    """The test kills its Synapse."""
    return mortal


class Streams:
    """A Neuron that streams, waits for its release, and answers."""

    def __init__(self) -> None:
        self.release = asyncio.Event()

    async def __call__(self, input: Any, context: Any) -> AsyncIterator[Any]:
        """See the class."""
        for piece in PIECES:
            yield piece
        await self.release.wait()
        yield {"done": True}


@pytest.mark.needs("not_reading")
@pytest.mark.parametrize("by", ["type", "trace"])
async def test_a_watcher_sees_a_stream_once_although_its_caller_gets_it_twice(
    join: Joiner, harness: Harness, by: str
) -> None:
    """P36"""
    streams, trace_id = Streams(), new_trace_id()
    watcher, caller = join(), join()
    traced = watcher.on_trace(trace_id, SignalType.THOUGHT_DELTA)
    seen = recorded(watcher.on_thought_delta if by == "type" else traced)
    ended = recorded(watcher.on_agent_output)
    async with join(Axon(neuron_id="streams", neuron_fn=streams)), watcher, caller:
        with harness.not_reading(join.transport_of(caller)):
            task: dict[str, Any] = {"neuron": "streams", "input": {}, "trace_id": trace_id}
            asked = asyncio.create_task(caller.dispatch_and_wait(**task))
            await until(lambda: len(seen) == len(PIECES), what="the whole stream")
            await harness.kill()
            await harness.revive()
            await watcher.wait_for_neuron(neuron="streams", timeout_s=5.0)
            await join.transport_of(watcher).sync(
                5.0
            )  # it watches again, before its caller is back
        await until(lambda: watcher.counts.get("drop.repeated_copy"), what="copies that come again")
        streams.release.set()
        reply = await asked
        await until(lambda: ended)

    assert reply.output == {"done": True}
    assert deltas(seen) == PIECES
