"""Who is alive, stuck or away, with workers as processes that hang, wake up and die."""

import asyncio
import signal
import threading

import pytest

from cosmonapse import Axon, SynapseServer
from support.processes import TIMEOUT_S, axon
from zmq_transport import Proxy
from zmq_transport.proxy.settings import Settings

pytestmark = pytest.mark.asyncio
QUICK = Settings(heartbeat_s=0.05, silent_after_s=0.3, lost_after_s=30.0, orphaned_after_s=60.0)


@pytest.fixture
def quick_url():
    """The URL of a Synapse that notices silence soon and waits long for who went away."""
    with Proxy(settings=QUICK) as proxy:
        thread = threading.Thread(target=proxy.run)
        thread.start()
        yield f"cosmo://127.0.0.1:{proxy.ports.directed}"
        proxy.ask_to_stop()
        thread.join()


async def states(dendrite, *wanted):
    """Wait until the states of all records are those; return the records."""
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            records = await dendrite.registry_snapshot()
            if sorted(record.state for record in records) == sorted(wanted):
                return records


async def test_a_worker_whose_loop_stands_still_is_stuck_until_it_goes_on(
    quick_url, namespace, join, children
):
    worker = children.worker(quick_url, namespace, axon("blocks", capabilities=["chat"]))
    async with join(url=quick_url) as caller:
        asked = asyncio.create_task(caller.dispatch_and_wait(neuron="worker", input={}))
        await asyncio.to_thread(worker.line, "blocking")

        (stuck,) = await states(caller, "stuck")
        late = await caller.dispatch_and_wait(neuron="worker", input={})
        with pytest.raises(TimeoutError):
            await caller.wait_for_neuron(neuron="worker", timeout_s=0.05)
        waiting = asyncio.create_task(caller.wait_for_neuron(capabilities=["chat"]))
        worker.tell("go on")

        assert (stuck.open, stuck.capabilities) == (1, ("chat",))
        assert late.payload["code"] == "OVERLOADED"
        assert (await asked).output == {}
        assert (await waiting).state == "alive"
        assert (await caller.find_neurons("chat"))[0].open == 0


async def test_a_worker_that_died_is_away_for_a_moment_and_gets_no_tasks(
    quick_url, namespace, join, children
):
    first = children.worker(quick_url, namespace, axon(), id="first")
    children.worker(quick_url, namespace, axon(), id="second")
    async with join(url=quick_url) as caller:
        await states(caller, "alive", "alive")

        first.kill()
        records = await states(caller, "alive", "away")
        replies = await asyncio.gather(*(caller.ask(neuron="worker", input=n) for n in range(10)))

    assert {each.dendrite_id: each.state for each in records} == {
        "first": "away",
        "second": "alive",
    }
    assert [reply["echo"] for reply in replies] == list(range(10))


async def test_callers_and_watchers_have_names_with_their_open_tasks_and_age(
    quick_url, namespace, join, children
):
    worker = children.worker(quick_url, namespace, axon("blocks"), id="worker")
    async with join("caller", url=quick_url) as caller, join("watcher", url=quick_url) as watcher:
        asked = asyncio.create_task(caller.dispatch_and_wait(neuron="worker", input={}))
        await asyncio.to_thread(worker.line, "blocking")
        before = {each.dendrite_id: each for each in await watcher.dendrites_snapshot()}
        await states(watcher, "stuck")
        stuck = {each.dendrite_id: each for each in await watcher.dendrites_snapshot()}
        worker.tell("go on")
        await asked
        after = {each.dendrite_id: each for each in await watcher.dendrites_snapshot()}

    assert {name: (each.does, each.axons, each.open) for name, each in before.items()} == {
        "worker": ("worker", 1, 0),
        "caller": ("caller", 0, 1),
        "watcher": ("watcher", 0, 0),
    }
    assert {name: each.state for name, each in stuck.items()} == {
        "worker": "stuck",
        "caller": "alive",
        "watcher": "alive",
    }
    assert after["caller"].open == 0
    assert len({each.instance for each in after.values()}) == 3
    assert all(after[name].age_s > before[name].age_s > 0 for name in before)


async def test_open_tasks_are_told_with_both_ends_their_age_and_the_time_that_is_left(join):
    running, release = asyncio.Event(), asyncio.Event()

    async def hold(given, context):
        running.set()
        await release.wait()
        return {}

    host = join("host")
    host.attach_axon(Axon(neuron_id="holder", neuron_fn=hold, capabilities=["chat", "fr"]))
    async with host, join("caller") as caller, join("watcher") as watcher:
        pathway = await caller.dispatch(capabilities=["chat"], input={}, timeout_s=60.0)
        await running.wait()
        (told,) = await watcher.open_tasks()
        (later,) = await watcher.open_tasks()
        release.set()
        await pathway.wait()
        left = await watcher.open_tasks()

    ends = told.caller, told.dendrite_id, told.neuron, told.capabilities
    assert ends == ("caller", "host", "holder", ("chat",))
    assert (told.trace_id, told.state, told.cancelled) == (pathway.trace_id, "running", False)
    assert told.age_s <= later.age_s < 60.0
    assert told.age_s + told.remaining_s == pytest.approx(60.0, abs=0.01)
    assert told.bytes > 100
    assert left == []


@pytest.mark.parametrize("count", [101, 250])
async def test_many_axons_come_over_the_wire_in_pages(count, join):
    async def echo(input, context):
        return input

    worker = join()
    for n in range(count):
        worker.attach_axon(Axon(neuron_id=f"n{n}", neuron_fn=echo, capabilities=["all"]))
    async with worker, join() as caller:
        found = await caller.find_neurons("all")

    assert sorted(each.neuron_id for each in found) == sorted(f"n{n}" for n in range(count))


async def test_a_page_is_read_also_where_signals_must_be_small(namespace, join):
    async def echo(input, context):
        return input

    with SynapseServer(port=0, max_signal_bytes=1024) as server:
        async with join(url=server.url) as worker:
            for n in range(100):
                await worker.add_axon(
                    Axon(neuron_id=f"n{n}", neuron_fn=echo, capabilities=[f"c{n}" * 10])
                )

            assert len(await worker.find_neurons()) == 100


async def test_a_worker_with_a_thread_that_will_not_end_ends_all_the_same(
    url, namespace, join, children
):
    worker = children.worker(url, namespace, axon("stays"))
    async with join() as caller:
        with pytest.raises(TimeoutError):
            await caller.dispatch_and_wait(neuron="worker", input={}, timeout_s=0.1)

        worker.send(signal.SIGTERM)  # nothing is left to drain

        assert await asyncio.to_thread(worker.wait, 1.5) == 0
