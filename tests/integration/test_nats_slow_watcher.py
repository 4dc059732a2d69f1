"""A watcher that does not read slows whoever publishes for it, and no call beside it."""

import asyncio
import os
import signal
import statistics
import time
from pathlib import Path

import pytest

from support.nats_load import Load
from support.nats_servers import NatsServer, freeze, need_nats_server
from support.processes import measured

need_nats_server()
pytest.importorskip("nats")

SUPPORT = Path(__file__).parents[1] / "support"
FROZEN_S = 5.0
CALM_S = 1.0
PAUSE_S = 0.005
BACK_S = 10.0


NO_CONF = ""
OUR_CONF = 'write_deadline: "2s"\nmax_pending: 268435456'
"""As `cosmo synapse nats-conf` writes it."""


@pytest.fixture(params=[NO_CONF, OUR_CONF], ids=["no-conf", "our-conf"])
def server(request):
    made = NatsServer(extra_conf=request.param)
    made.cuts = bool(request.param)
    yield made
    made.stop()


def counted(watcher, before):
    """Ask a watcher; return what it saw, and what it knows to have missed."""
    watcher.tell("")
    return tuple(map(int, watcher.lines("seen", before + 1)[before].split()))


async def calls(load, for_s):
    """Ask one after the other for a while; return how long each call took."""
    took, until_s = [], time.perf_counter() + for_s
    while time.perf_counter() < until_s:
        began_s = time.perf_counter()
        assert await load.ask(*load.dendrites, for_s=0)
        took.append(time.perf_counter() - began_s)
        await asyncio.sleep(PAUSE_S)
    return took


@pytest.mark.asyncio
async def test_a_frozen_watcher_of_a_busy_stream_slows_no_call_and_learns_what_it_missed(
    server, children, namespace
):
    router = children.cosmo("synapse", "start", server.url, "--quiet")
    assert router.says("slots"), router.said
    children.start(SUPPORT / "nats_worker.py", server.url, "worker", namespace).line("ready")
    stream = SUPPORT / "nats_stream.py"
    watcher = children.start(stream, server.url, namespace, "watch")
    watcher.line("ready")
    children.start(stream, server.url, namespace, "emit").line("ready")

    async with asyncio.timeout(30), Load(server.url, [namespace], neuron="worker") as load:
        await calls(load, CALM_S)
        saw, missed = await asyncio.to_thread(counted, watcher, 0)
        freeze(watcher.pid)
        try:
            took = await calls(load, FROZEN_S)
        finally:
            os.kill(watcher.pid, signal.SIGCONT)
        looks, until_s = 1, time.perf_counter() + BACK_S
        saw_then = missed_then = 0
        while saw_then < saw + 100 or (server.cuts and missed_then == missed):
            assert time.perf_counter() < until_s, f"it saw {saw_then}, missed {missed_then}"
            took += await calls(load, 0.1)
            saw_then, missed_then = await asyncio.to_thread(counted, watcher, looks)
            looks += 1

    measured("a call beside a frozen watcher, p50", statistics.median(took))
    measured("the longest", max(took))
    assert saw
    assert statistics.median(took) < 0.05
    assert max(took) < 2.0
