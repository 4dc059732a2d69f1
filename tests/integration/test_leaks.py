"""What is opened and closed a thousand times, and what is sent and not waited for."""

import asyncio
import gc
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from cosmonapse import Dendrite, SignalType, connect_synapse
from support.processes import axon, measured, until
from support.rude import LimitedSynapse, percentile

CYCLES, AT_ONCE = 1000, 4
DISPATCHES = 100_000
MIB = 1024.0
UNRULY = Path(__file__).parents[1] / "support" / "unruly.py"


def rss_mib():
    """Return the memory of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / MIB


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def taken(synapse):
    """Return what this process and the Synapse have in use."""
    gc.collect()
    return {
        "files": open_files(),
        "files there": synapse.descriptors,
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
        "MiB": rss_mib(),
        "MiB there": synapse.rss_mib,
    }


@pytest.mark.asyncio
async def test_1000_dendrites_that_came_asked_and_went_leave_nothing_in_either_process(
    children, namespace
):
    synapse = LimitedSynapse(children)
    children.worker(synapse.url, namespace, axon(neuron_id="echo"))
    shared = await connect_synapse(synapse.url)

    async def cycle():
        async with Dendrite(synapse=shared, namespace=namespace) as dendrite:
            await dendrite.ask(neuron="echo", input={"x": bytes(1000)})

    async def cycles(number):
        for _ in range(number // AT_ONCE):
            await asyncio.gather(*(cycle() for _ in range(AT_ONCE)))

    await cycles(CYCLES // 5)  # what is made once and kept is there by now
    before = taken(synapse)
    began_s = time.perf_counter()
    await cycles(CYCLES)
    took_s = time.perf_counter() - began_s
    await until(lambda: synapse.descriptors <= before["files there"], what="the base there")
    await until(lambda: open_files() <= before["files"], what="the base of descriptors")
    after = taken(synapse)
    await shared.close()
    measured(f"one of {CYCLES:,} cycles", took_s / CYCLES)
    sys.stdout.write(f"{before}\n{after}\n")

    assert after["tasks"] == before["tasks"]
    assert after["threads"] == before["threads"]
    for where in ("MiB", "MiB there"):  # not even 4 KiB for each cycle
        assert after[where] - before[where] < CYCLES * 4 / MIB


@pytest.mark.asyncio
async def test_100000_dispatches_to_a_slow_worker_are_all_told_of_and_cost_bounded_memory(
    children, namespace, join
):
    synapse = LimitedSynapse(children)
    worker = children.start(UNRULY, synapse.url, namespace)
    worker.line("ready")
    outcomes, blocked_s = Counter(), []
    async with join("caller", synapse.url) as caller:

        @caller.on_signal(SignalType.AGENT_OUTPUT, SignalType.ERROR)
        async def count(sig):
            outcomes[sig.payload.get("code", "OUTPUT")] += 1

        subscriptions = asyncio.create_task(watch_the_loop(blocked_s))
        before_mib, before_there_mib = rss_mib(), synapse.rss_mib
        began_s = time.perf_counter()
        for _ in range(DISPATCHES):
            await caller.dispatch_task(neuron="slow", input=0.001, timeout_s=60.0)
        took_s = time.perf_counter() - began_s
        most_mib = rss_mib() - before_mib
        uncounted = lambda: DISPATCHES - outcomes.total() - missed(caller)  # noqa: E731
        await until(lambda: uncounted() <= 0, timeout_s=30.0, what="an outcome of each")
        subscriptions.cancel()
        more_there_mib = synapse.rss_mib - before_there_mib
        unanswered = uncounted()
    measured(f"one of {DISPATCHES:,} dispatches", took_s / DISPATCHES)
    measured("the loop came late, p99", percentile(blocked_s, 0.99))
    measured("the loop came late, at most", max(blocked_s))
    sys.stdout.write(f"{dict(outcomes)}, {missed(caller)} not shown; {most_mib:.0f} MiB here, ")
    sys.stdout.write(f"{more_there_mib:.0f} MiB in the Synapse\n")

    assert unanswered == 0
    assert set(outcomes) <= {"OUTPUT", "OVERLOADED"}
    assert outcomes["OUTPUT"] >= 1000
    assert percentile(blocked_s, 0.99) < 0.5
    assert max(blocked_s) < 3.0
    assert most_mib < 200
    assert more_there_mib < 100


def missed(dendrite):
    """Return how many outcomes a handler was too slow for."""
    return dendrite.counts.get("drop.handler_queue_full", 0)


async def watch_the_loop(blocked_s, every_s=0.01):
    """Note how late the loop comes back, over and over."""
    while True:
        began_s = time.perf_counter()
        await asyncio.sleep(every_s)
        blocked_s.append(time.perf_counter() - began_s - every_s)
