"""One that floods, is frozen or goes away harms itself only. Page: docs/bad-input.md."""

import asyncio
import signal
import sys
import time
from collections import Counter

import pytest

from cosmonapse import SignalType
from support.processes import axon, free_ports, measured, until
from support.rude import LimitedSynapse, percentile
from support.watching import kept

RATE = 100_000
SLACK_S = 0.02
"""What a machine with two busy cores may add to any of two figures that are compared."""
FLOODER_ENV = {"PYTHONPATH": "tests"}


async def calls(dendrite, number, at_once=4, size=100):
    """Return how long each of so many calls took, a few at a time."""
    took_s = []

    async def one():
        began_s = time.perf_counter()
        await dendrite.ask(neuron="echo", input={"x": bytes(size)}, timeout_s=10.0)
        took_s.append(time.perf_counter() - began_s)

    for _ in range(number // at_once):
        await asyncio.gather(*(one() for _ in range(at_once)))
    return took_s


def compare(what, alone_s, beside_s):
    """Print both figures and return whether they are within 3x, apart from the slack."""
    alone, beside = percentile(alone_s, 0.99), percentile(beside_s, 0.99)
    measured(f"p99 before {what}", alone)
    measured(f"p99 beside {what}", beside)
    return beside <= 3 * alone + SLACK_S


@pytest.mark.asyncio
async def test_a_flood_of_one_peer_leaves_the_others_their_latency(children, namespace, join):
    synapse = LimitedSynapse(children)
    children.worker(synapse.url, namespace, axon(neuron_id="echo"))
    async with join(url=synapse.url) as caller:
        alone_s = await calls(caller, 2_000)
        flooder = children.start(
            "-m", "support.flooder", synapse.port, namespace, RATE, env=FLOODER_ENV
        )
        await asyncio.to_thread(flooder.line, "flooding")
        before_mib = synapse.rss_mib
        beside_s = await calls(caller, 2_000)
        more_mib = synapse.rss_mib - before_mib
        flooder.tell("enough")
        sent, took_s = map(float, (await asyncio.to_thread(flooder.line, "sent")).text.split())
        after_s = await calls(caller, 400)
    sys.stdout.write(f"{sent / took_s:,.0f} messages/s for {took_s:.1f} s: {more_mib:.1f} MiB\n")

    assert sent / took_s > RATE / 5
    assert compare("a flood", alone_s + after_s, beside_s)
    assert more_mib < 50


@pytest.mark.asyncio
async def test_a_frozen_worker_leaves_the_others_their_latency(children, namespace, join):
    synapse = LimitedSynapse(children, high_water=500)
    children.worker(synapse.url, namespace, axon(neuron_id="echo"))
    frozen = children.worker(synapse.url, namespace, axon(neuron_id="frozen"), id="frozen")
    async with join("caller", synapse.url) as caller, join("giver", synapse.url) as giver:
        frozens = giver.on_signal(SignalType.AGENT_OUTPUT, SignalType.ERROR, neuron="frozen")
        outcomes = kept(frozens)
        alone_s = await calls(caller, 2_000)
        before_mib = synapse.rss_mib
        frozen.send(signal.SIGSTOP)
        given = [
            await giver.dispatch_task(neuron="frozen", input={"x": bytes(20_000)}, timeout_s=8.0)
            for _ in range(3_000)
        ]
        beside_s = await calls(caller, 2_000)
        more_mib = synapse.rss_mib - before_mib
        bounced = synapse.count("bounce.busy")
        frozen.send(signal.SIGCONT)
        given_ids = {task.id for task in given}
        await until(lambda: given_ids <= {each.parent_id for each in outcomes}, timeout_s=15.0)
        codes = Counter(each.payload.get("code") for each in outcomes)
    sys.stdout.write(f"60 MB for a frozen worker: {more_mib:.1f} MiB kept; {dict(codes)}\n")

    assert compare("a frozen worker", alone_s, beside_s)
    assert more_mib < 40
    assert bounced > 1_000
    # Whichever it was: the worker may have been cut, and its callers' deadline is the last end.
    assert set(codes) <= {None, "OVERLOADED", "WORKER_LOST", "EXPIRED"}


async def accounted(caller, watcher, total):
    """Call until the watcher has seen or missed each call; return how many it saw and missed.

    What it misses shows at the next message that reaches it, and on a busy machine it may not have
    caught up before the last one.
    """
    async with asyncio.timeout(30.0):
        while True:
            await calls(caller, 4)
            total += 4
            for _ in range(10):
                await asyncio.sleep(0.1)
                told = await asyncio.to_thread(ask, watcher)
                if sum(told) == total:
                    return told


def ask(watcher):
    """Return how many outputs a watcher has seen, and how many it knows to have missed."""
    count = len(watcher.lines("seen", 0))
    watcher.tell("")
    return tuple(map(int, watcher.lines("seen", count + 1)[-1].split()))


@pytest.mark.asyncio
async def test_a_frozen_watcher_leaves_the_others_their_latency(children, namespace, join):
    synapse = LimitedSynapse(children, high_water=500)
    children.worker(synapse.url, namespace, axon(neuron_id="echo"))
    watcher = children.start("-m", "support.bystander", synapse.url, namespace, env=FLOODER_ENV)
    await asyncio.to_thread(watcher.line, "ready")
    async with join("caller", synapse.url) as caller:
        alone_s = await calls(caller, 4_000, size=10_000)
        before_mib = synapse.rss_mib
        watcher.send(signal.SIGSTOP)
        beside_s = await calls(caller, 4_000, size=10_000)
        more_mib = synapse.rss_mib - before_mib
        watcher.send(signal.SIGCONT)
        last = await calls(caller, 400, size=10_000)
        told = await accounted(caller, watcher, 8_400)
    sys.stdout.write(
        f"40 MB for a frozen watcher: {more_mib:.1f} MiB kept; seen and missed: {told}\n"
    )

    assert compare("a frozen watcher", alone_s + last, beside_s)
    assert more_mib < 40
    assert told[1] > 0


@pytest.mark.asyncio
async def test_a_synapse_asked_to_end_under_load_says_so_and_ends_in_time(
    children, namespace, join
):
    port = free_ports()
    synapse, url = children.synapse(port=port)
    children.worker(url, namespace, axon(neuron_id="echo"))
    async with join(url=url) as caller:
        load = asyncio.create_task(calls(caller, 100_000, at_once=32))
        await calls(caller, 400)
        asked_at_s = time.perf_counter()
        synapse.send(signal.SIGTERM)
        code = await asyncio.to_thread(synapse.wait)
        took_s = time.perf_counter() - asked_at_s
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)
    measured("end of a Synapse under load", took_s)

    assert code == 0
    assert took_s < 2.0
    assert [line.text for line in synapse.err] == ["Synapse stopped; the Dendrites were notified."]
