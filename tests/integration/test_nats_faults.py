"""Real routers, workers and nats-servers, killed, frozen, cut off and parted under load."""

import asyncio
import signal
import time
from pathlib import Path

import pytest
import pytest_asyncio

from cosmonapse import NeuronError
from support.nats_load import Load
from support.nats_servers import frozen, need_nats_server
from support.processes import measured, until
from support.relay import HOST, Relay

need_nats_server()
pytest.importorskip("nats")
pytestmark = pytest.mark.asyncio

WORKER = Path(__file__).parents[1] / "support" / "nats_worker.py"
NAMESPACES = [f"ns{number}" for number in range(12)]
LIMIT_S = 30.0
"""No test takes longer."""
FROZEN_S = 4.0
LATER_S = 0.5
"""Half of the time in which a new engine keeps tasks for workers that return."""
SILENT = "another Synapse fell silent"


@pytest_asyncio.fixture(autouse=True)
async def _in_time():
    async with asyncio.timeout(LIMIT_S):
        yield


@pytest.fixture
def router(children):
    """Start a router; return it once it serves."""

    def start(url, *options):
        child = children.cosmo("synapse", "start", url, "--quiet", *options)
        assert child.says("slots"), child.said
        return child

    return start


@pytest.fixture
def worker(children):
    """Start a worker; return it once it is registered everywhere."""

    def start(url, *namespaces, neuron="worker"):
        child = children.start(WORKER, url, neuron, *namespaces)
        child.line("ready")
        return child

    return start


def ran(worker):
    """Return how many tasks it began, and how often it began one at most."""
    worker.tell("")
    return tuple(map(int, worker.line("ran").text.split()))


def shares(*routers):
    """Return whether each of them serves some slots, and not all."""
    return all(each.says("with 1 other") for each in routers)


def judge(what, load, worker):
    """Check that every task ended well, and ran once."""
    measured(f"{what}: the longest of {load.asked} calls", load.longest_s)
    assert load.outcomes == {"ok": load.asked}
    assert ran(worker) == (load.asked, 1)


async def test_no_task_is_lost_or_runs_twice_when_one_of_two_routers_is_killed(
    nats_server, router, worker
):
    routers = [router(nats_server.url), router(nats_server.url)]
    assert shares(*routers)
    works = worker(nats_server.url, *NAMESPACES)

    async with Load(nats_server.url, NAMESPACES, neuron="worker") as load, load.under_way():
        routers[0].kill()
        await load.more(500)

    judge("a router killed", load, works)
    assert load.longest_s < 2.0
    assert routers[1].says("256 of 256 slots, alone")


async def test_routers_that_come_and_go_under_load_cost_no_task(nats_server, router, worker):
    first = router(nats_server.url)
    works = worker(nats_server.url, *NAMESPACES)

    async with Load(nats_server.url, NAMESPACES, neuron="worker") as load, load.under_way():
        second = await asyncio.to_thread(router, nats_server.url)
        assert shares(first, second)
        await load.more(500)
        first.send(signal.SIGTERM)
        assert await asyncio.to_thread(first.wait) == 0
        await load.more(500)

    judge("a router comes and the first one goes", load, works)
    assert load.longest_s < 2.0


async def test_callers_that_move_before_their_workers_do_not_miss_them(nats_server, router, worker):
    routers = [router(nats_server.url), router(nats_server.url)]
    assert shares(*routers)
    relay = Relay(nats_server.port)
    works = worker(f"nats://{HOST}:{relay.port}", *NAMESPACES)

    async with (
        Load(nats_server.url, NAMESPACES, neuron="worker") as load,
        load.under_way(),
        asyncio.TaskGroup() as asking,
    ):
        relay.hold()
        routers[0].kill()
        for _ in range(10):
            await asyncio.sleep(LATER_S / 10)  # the worker learns of the move that much later
            for dendrite in load.dendrites:
                asking.create_task(load.ask(dendrite))
        relay.mend()

    relay.close()
    judge(f"a router killed, its workers {LATER_S:g} s behind", load, works)


async def test_a_router_that_was_frozen_costs_no_task(nats_server, router, worker):
    routers = [router(nats_server.url), router(nats_server.url)]
    assert shares(*routers)
    works = worker(nats_server.url, *NAMESPACES)

    async with Load(nats_server.url, NAMESPACES, neuron="worker") as load, load.under_way():
        with frozen(routers[0].pid):
            await asyncio.sleep(FROZEN_S)  # it is frozen that long
        await load.more(500)

    judge(f"a router frozen for {FROZEN_S:g} s", load, works)
    assert load.longest_s < FROZEN_S


async def test_a_nats_server_that_is_killed_costs_no_task(nats_server, router, worker):
    for _ in range(2):
        router(nats_server.url)
    works = worker(nats_server.url, *NAMESPACES)

    async with Load(nats_server.url, NAMESPACES, neuron="worker") as load, load.under_way():
        nats_server.kill()
        await asyncio.sleep(0.5)  # it is away that long
        nats_server.start()
        await load.more(500)

    judge("nats-server killed, and back after 0.5 s", load, works)


async def test_the_task_of_a_worker_that_is_cut_off_in_silence_is_lost_soon(
    nats_server, router, worker
):
    router(nats_server.url, "--dead-after", "4")
    relay = Relay(nats_server.port)
    worker(f"nats://{HOST}:{relay.port}", "ns0")

    async with Load(nats_server.url, ["ns0"], neuron="worker") as load:
        (dendrite,) = load.dendrites
        assert await load.ask(dendrite)
        asking = asyncio.create_task(
            dendrite.ask(neuron="worker", input={"id": -1, "for_s": 60.0}, timeout_s=20.0)
        )
        await asyncio.sleep(0.2)  # it is at work
        cut_at_s = time.perf_counter()
        relay.hold()
        with pytest.raises(NeuronError, match="WORKER_LOST"):
            await asking
        lost_after_s = time.perf_counter() - cut_at_s
        measured("lost after the cable was cut", lost_after_s)
        relay.mend()
        await dendrite.wait_for_neuron(neuron="worker", timeout_s=10.0)
        assert await load.ask(dendrite)

    relay.close()
    assert 2.0 < lost_after_s < 6.0


async def test_each_side_of_a_partition_serves_itself_and_it_heals(nats_cluster, router, worker):
    urls = {name: nats_cluster[name].url for name in "ab"}
    routers = [router(url) for url in urls.values()]
    assert shares(*routers)
    for name, url in urls.items():
        worker(url, "ns0", neuron=f"worker-{name}")

    async def roster(load):
        return {each.neuron_id for each in await load.dendrites[0].registry_snapshot()}

    async def seen_by(loads):
        return [await roster(load) for load in loads]

    async def see(loads, *wanted):
        while await seen_by(loads) != list(wanted):
            pass  # each look asks the routers

    both = {"worker-a", "worker-b"}
    async with (
        Load(urls["a"], ["ns0"], capabilities=["work"]) as near,
        Load(urls["b"], ["ns0"], capabilities=["work"]) as far,
    ):
        loads = (near, far)
        await see(loads, both, both)
        nats_cluster.part("a", "bc")
        await see(loads, {"worker-a"}, {"worker-b"})
        alone = [(await load.ask(load.dendrites[0]))["by"] for load in loads]
        said = [each.says(SILENT) for each in routers]
        nats_cluster.mend()
        await see(loads, both, both)
        again = [(await load.ask(load.dendrites[0])) for load in loads]

    assert alone == ["worker-a", "worker-b"]
    assert said == [True, True]
    assert all(again)
    await until(lambda: all(_shares_again(each) for each in routers), what="both share again")


def _shares_again(router):
    """Return whether the last that it said of others is that there is one."""
    lines = [line.text for line in (*router.out, *router.err) if "slots" in line.text]
    return "with 1 other" in lines[-1]
