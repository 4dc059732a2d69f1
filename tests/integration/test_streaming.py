"""Long streams arrive complete, in order, ahead of the output."""

import asyncio

import pytest

from cosmonapse import SignalType
from support.processes import axon, until
from support.watching import about, deltas, kept

TOKENS = 2_000


@pytest.mark.asyncio
async def test_two_thousand_tokens_arrive_in_order_and_complete_before_the_output(
    url, namespace, join, children
):
    children.worker(url, namespace, axon("stream"))
    caller = join("caller")
    seen = kept(caller.on_signal(SignalType.THOUGHT_DELTA, SignalType.AGENT_OUTPUT))
    async with caller:
        reply = await caller.dispatch_and_wait(neuron="worker", input={"count": TOKENS})
        await until(lambda: len(seen) > TOKENS)

        assert caller.counts.get("gap.replies", 0) == 0

    assert deltas(seen[:-1]) == [f"{n} " for n in range(TOKENS)]
    assert seen[-1] == reply
    assert reply.output == {"response": "".join(deltas(seen[:-1]))}


@pytest.mark.asyncio
async def test_streams_at_the_same_time_do_not_mix(url, namespace, join, children):
    children.worker(url, namespace, axon("stream"))
    caller = join("caller")
    seen = kept(caller.on_thought_delta)
    async with caller:
        replies = await asyncio.gather(
            *(caller.dispatch_and_wait(neuron="worker", input={"count": 100}) for _ in range(20))
        )
        await until(lambda: len(seen) == 2_000)

    for reply in replies:
        assert deltas(about(seen, reply.trace_id)) == [f"{n} " for n in range(100)]
