"""How long a TASK waited and ran, in the meta of its last reply."""

import asyncio

import msgpack
import pytest

from cosmonapse.dendrite.worker.reply_times import ReplyTimes, reply_times
from support.vectors import VECTORS, each_of, revived

FIXED = {"dendrite": "worker"}


@each_of(VECTORS["reply_times"])
def test_the_times_are_those_of_the_vectors(vector):
    arrived_ms, now_ms = revived(vector["arrived_at_ms"]), revived(vector["now_ms"])
    started_ms = revived(vector["started_at_ms"])

    started_s = None if started_ms is None else started_ms / 1000
    times = reply_times(arrived_ms / 1000, started_s, now_ms / 1000)

    assert times == vector["meta"]
    assert list(times) == list(vector["meta"])


@pytest.mark.parametrize(
    ("queued_s", "ran_s"), [(0.0, 0.0), (0.0002, 0.0007), (0.25, 0.0), (0.5, 90_000.5)]
)
def test_the_bytes_are_those_of_the_meta(queued_s, ran_s):
    meta = ReplyTimes(FIXED)
    times = 64.0, 64.0 + queued_s, 64.0 + queued_s + ran_s

    assert msgpack.unpackb(meta.packed(*times)) == meta.of(*times)
    assert meta.packed(*times) == msgpack.packb(meta.of(*times))


def test_a_clock_that_goes_back_gives_no_negative_time():
    assert reply_times(2.0, 1.0, 0.5) == {"queued_ms": 0, "ran_ms": 0}


@pytest.mark.asyncio
async def test_a_reply_tells_how_long_its_task_waited_and_ran(serve, clock):
    release, running = asyncio.Event(), asyncio.Event()

    async def neuron(given, context):
        running.set()
        await release.wait()
        clock.advance(given["takes_s"])
        return {}

    caller = await serve(neuron, concurrency=1)
    first, second = (
        asyncio.create_task(caller.dispatch_and_wait(neuron="worker", input={"takes_s": takes_s}))
        for takes_s in (7.0, 11.0)
    )
    await running.wait()
    clock.advance(1.0)
    release.set()
    metas = [(await each).meta for each in (first, second)]

    told_s = [(meta["queued_ms"] // 1000, meta["ran_ms"] // 1000) for meta in metas]
    assert told_s == [(0, 8), (8, 11)]


@pytest.mark.asyncio
async def test_a_task_that_is_cancelled_while_it_waits_has_not_run(serve, clock):
    running = asyncio.Event()

    async def neuron(given, context):
        running.set()
        await asyncio.Event().wait()

    caller = await serve(neuron, concurrency=1)
    ran, waited = [await caller.dispatch(neuron="worker", input={}) for _ in range(2)]
    await running.wait()
    clock.advance(2.0)
    for pathway in (waited, ran):
        await caller.stop_trace(pathway.trace_id)
    metas = [(await pathway.wait()).meta for pathway in (ran, waited)]

    assert metas[0]["ran_ms"] // 1000 == 2
    assert metas[1]["queued_ms"] // 1000 == 2
    assert "ran_ms" not in metas[1]


def test_times_of_all_lengths_are_made_within_a_bound():
    meta = ReplyTimes(FIXED)

    for ran_ms in range(5000):
        times = 64.0, 65.0, 65.0 + ran_ms / 1000 + 0.0005
        assert msgpack.unpackb(meta.packed(*times)) == meta.of(*times)

    assert len(meta._made) <= 1024
