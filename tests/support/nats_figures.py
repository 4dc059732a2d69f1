"""The figures of a fabric on NATS: `PYTHONPATH=tests:. python -m support.nats_figures [NAME ...]`.

Names are `kills`, `lost`, `shared`, `bodies`, `beside` and `idle`; all of them if none is given.
Everything runs in real processes on loopback. `python -m tools.bench over_nats` compares calls.
"""

import asyncio
import contextlib
import statistics
import sys
import time
from pathlib import Path

from cosmonapse import Dendrite, NeuronError, connect_synapse
from support.nats_load import Load
from support.nats_servers import NatsCluster, NatsServer
from support.processes import Children, axon
from tools.bench.cpu_time import used

WORKER = Path(__file__).with_name("nats_worker.py")
KILLS = 20
NAMESPACES = [f"ns{number}" for number in range(20)]
BODIES = (100_000, 900_000, 4 << 20, (16 << 20) - 2_048)
IDLE = 600
IDLE_S = 10.0
SHARED_S = 5.0


def say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Fabric:
    """Processes on one nats-server, or on three."""

    def __init__(self, stack, *, three=False):
        self.children = stack.enter_context(Children())
        self.nats = NatsCluster() if three else NatsServer()
        stack.callback(self.nats.stop)
        self.urls = [self.nats[name].url for name in "abc"] if three else [self.nats.url] * 3

    def router(self):
        child = self.children.cosmo("synapse", "start", self.urls[0], "--quiet")
        assert child.says("slots"), child.said
        return child

    def worker(self, *namespaces):
        child = self.children.start(WORKER, self.urls[1], "worker", *namespaces)
        child.line("ready", timeout_s=60.0)
        return child

    @property
    def caller_url(self):
        return self.urls[2]


@contextlib.contextmanager
def fabric(**options):
    with contextlib.ExitStack() as stack:
        yield Fabric(stack, **options)


async def kills():
    """Kill routers and nats-server in turns, under load."""
    with fabric() as made:
        routers = [made.router(), made.router()]
        works = made.worker(*NAMESPACES)
        async with Load(made.caller_url, NAMESPACES, neuron="worker") as load, load.under_way():
            for number in range(KILLS):
                if number % 4 == 3:
                    made.nats.kill()
                    await asyncio.sleep(0.3)
                    await asyncio.to_thread(made.nats.start)
                else:
                    routers.pop(0).kill()
                    await load.more(200)
                    routers.append(await asyncio.to_thread(made.router))
                await load.more(200)
        works.tell("")
        ran, most = works.line("ran").text.split()
        say(
            f"kills: {KILLS} kills of routers and nats-server, {load.asked:,} tasks asked, "
            f"{ran} ran, at most {most} time each; outcomes {dict(load.outcomes)}; "
            f"longest call {load.longest_s:.2f} s"
        )


async def lost():
    """Kill the worker of a running task."""
    for three in (False, True):
        with fabric(three=three) as made:
            made.router()
            async with Dendrite(synapse=await connect_synapse(made.caller_url)) as dendrite:
                took_s = [await _loss(made, dendrite) for _ in range(KILLS)]
        servers = "three nats-servers" if three else "one nats-server"
        say(
            f"lost: WORKER_LOST after kill -9, {servers}, {KILLS} kills: "
            f"p50 {statistics.median(took_s):.2f} s, max {max(took_s):.2f} s"
        )


async def _loss(made, dendrite):
    works = await asyncio.to_thread(made.worker, "default")
    given = {"id": 0, "for_s": 30.0}
    call = asyncio.ensure_future(dendrite.ask(neuron="worker", input=given, timeout_s=60.0))
    await asyncio.sleep(0.3)
    works.kill()
    began_s = time.perf_counter()
    code = await _code_of(call)
    assert code == "WORKER_LOST", code
    took_s = time.perf_counter() - began_s
    await asyncio.sleep(0.5)
    return took_s


async def _code_of(call):
    try:
        await call
    except NeuronError as error:
        return error.code
    return "it answered"


async def shared():
    """Call in twenty namespaces, with one router and with two."""
    for count in (1, 2):
        with fabric() as made:
            routers = [made.router() for _ in range(count)]
            await asyncio.sleep(0.5)
            made.worker(*NAMESPACES)
            async with Load(made.caller_url, NAMESPACES, neuron="worker") as load, load.under_way():
                before = [used(each.pid).all for each in routers]
                asked, began_s = load.asked, time.perf_counter()
                await asyncio.sleep(SHARED_S)
                took_s = time.perf_counter() - began_s
                cpu_s = [used(each.pid).all - at for each, at in zip(routers, before, strict=True)]
                calls = load.asked - asked
        each_us = ", ".join(f"{1e6 * each / calls:.0f}" for each in cpu_s)
        say(
            f"shared: {count} router(s), 20 namespaces, 40 outstanding of 20 ms: "
            f"{calls / took_s:,.0f} calls/s, {1e6 * sum(cpu_s) / calls:.0f} us of the routers for "
            f"each call ({each_us})"
        )


async def bodies():
    """Send large bodies there and back, over NATS and over ZeroMQ."""
    with fabric() as made:
        made.router()
        _, plain = made.children.synapse()
        for url in (made.caller_url, plain):
            made.children.worker(url, "default", axon(neuron_id="echo"))
        for size in BODIES:
            took = [await _body(url, size) for url in (made.caller_url, plain)]
            say(
                f"bodies: {size:,} bytes there and back: {took[0]:.0f} ms over nats://, "
                f"{took[1]:.0f} ms over cosmo://"
            )


async def _body(url, size):
    took_s = []
    async with Dendrite(synapse=await connect_synapse(url)) as dendrite:
        for _ in range(7):
            began_s = time.perf_counter()
            output = await dendrite.ask(neuron="echo", input={"b": bytes(size)}, timeout_s=30.0)
            took_s.append(time.perf_counter() - began_s)
            assert len(output["echo"]["b"]) == size
    return 1e3 * statistics.median(took_s)


LARGE = """
import asyncio, sys
from cosmonapse import Dendrite, connect_synapse

async def main(url):
    async with Dendrite(synapse=await connect_synapse(url)) as dendrite:
        print("ready", flush=True)
        given = {"b": bytes((16 << 20) - 2048)}
        while True:
            await dendrite.ask(neuron="large", input=given, timeout_s=60.0)

asyncio.run(main(sys.argv[1]))
"""


async def beside():
    """Make small calls while another caller sends 16 MiB there and back all the time."""
    with fabric() as made:
        made.router()
        url = made.caller_url
        for neuron in ("small", "large"):
            made.children.worker(url, "default", axon(neuron_id=neuron))
        alone = await _small(url)
        made.children.start("-c", LARGE, url).line("ready")
        busy = await _small(url)
    say(f"beside: a small call alone {alone}; beside bodies of 16 MiB {busy}")


async def _small(url):
    took_ms = []
    async with Dendrite(synapse=await connect_synapse(url)) as dendrite:
        until_s = time.perf_counter() + SHARED_S
        while time.perf_counter() < until_s:
            began_s = time.perf_counter()
            await dendrite.ask(neuron="small", input={"a": 1}, timeout_s=30.0)
            took_ms.append(1e3 * (time.perf_counter() - began_s))
            await asyncio.sleep(0.01)
    return f"p50 {statistics.median(took_ms):.1f} ms, max {max(took_ms):.0f} ms"


async def idle():
    """Keep Dendrites with an Axon each, and do nothing."""
    for count in (1, 2):
        with fabric() as made:
            routers = [made.router() for _ in range(count)]
            made.worker(*(NAMESPACES * (IDLE // len(NAMESPACES))))
            await asyncio.sleep(3.0)
            pids = [made.nats.pid, *(each.pid for each in routers)]
            before = [used(each).all for each in pids]
            await asyncio.sleep(IDLE_S)
            percent = [
                100 * (used(each).all - at) / IDLE_S for each, at in zip(pids, before, strict=True)
            ]
        say(
            f"idle: {IDLE} Dendrites, {count} router(s): nats-server {percent[0]:.1f} % of a core, "
            f"routers {', '.join(f'{each:.1f} %' for each in percent[1:])}"
        )


async def main(names):
    figures = {each.__name__: each for each in (kills, lost, shared, bodies, beside, idle)}
    for name in names or figures:
        await figures[name]()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
