"""What goes wrong in a fabric on demand, as its caller sees it, in memory and over sockets."""

import asyncio

import pytest
import pytest_asyncio

from cosmonapse import NeuronError, SignalType, SynapseAway
from cosmonapse.testing import Fabric
from support.processes import until

pytestmark = pytest.mark.asyncio
_SOON_S = 0.2


class Held:
    """A Neuron that works until it is let go or cancelled."""

    def __init__(self):
        self.running, self.release = asyncio.Event(), asyncio.Event()
        self.cancelled = False

    async def __call__(self, input, context):
        self.running.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return {"let": "go"}


async def echo(input, context):
    return {"echo": input}


async def thinks(input, context):
    for number in range(input):
        yield f"{number} "


@pytest.fixture(params=["memory", "sockets"])
def url(request):
    """Where the fabric of a test meets."""
    return request.getfixturevalue("cosmo_synapse").url if request.param == "sockets" else None


@pytest_asyncio.fixture
async def fabric(url):
    async with Fabric(url) as made:
        yield made


async def code_of(asking):
    with pytest.raises(NeuronError) as caught:
        await asking
    return caught.value.code


def ask(caller, input=1, timeout_s=5.0):
    return caller.ask(neuron="worker", input=input, timeout_s=timeout_s)


async def asked(caller, held):
    """Return a question that a worker has in hand."""
    asking = asyncio.create_task(ask(caller))
    await held.running.wait()
    return asking


async def test_a_worker_that_crashes_loses_its_tasks(fabric):
    held = Held()
    worker, caller = await fabric.worker(held), await fabric.dendrite()
    asking = await asked(caller, held)

    await fabric.crash(worker)
    lost, gone = await code_of(asking), await code_of(ask(caller))

    assert (lost, gone) == ("WORKER_LOST", "NO_SUCH_NEURON")
    assert held.cancelled


async def test_after_a_crash_another_worker_takes_over(fabric):
    held = Held()
    crashing, caller = await fabric.worker(held), await fabric.dendrite()
    asking = await asked(caller, held)
    await fabric.crash(crashing)

    assert await code_of(asking) == "WORKER_LOST"
    await fabric.worker(echo)

    assert await ask(caller) == {"echo": 1}
    with pytest.raises(ValueError, match=r"crashed: start another"):
        fabric.cut_off(crashing)


async def test_a_worker_that_is_cut_off_loses_its_tasks_and_comes_back(fabric):
    held = Held()
    worker, caller = await fabric.worker(held), await fabric.dendrite()
    asking = await asked(caller, held)

    fabric.cut_off(worker)
    lost, away = await code_of(asking), await code_of(ask(caller))
    held.release.set()
    await fabric.reconnect(worker)

    assert (lost, away) == ("WORKER_LOST", "NO_SUCH_NEURON")
    assert await ask(caller) == {"let": "go"}


async def test_a_caller_that_is_cut_off_runs_out_of_time(fabric):
    await fabric.worker(echo)
    caller = await fabric.dendrite()

    fabric.cut_off(caller)

    with pytest.raises(SynapseAway, match=r"has been away for 0\.\d s, .* never left"):
        await ask(caller, timeout_s=_SOON_S)


async def test_what_a_caller_sends_while_it_is_cut_off_goes_out_when_it_comes_back(fabric):
    await fabric.worker(echo)
    caller = await fabric.dendrite()
    fabric.cut_off(caller)
    asking = asyncio.create_task(ask(caller))
    await asyncio.sleep(0)

    await fabric.reconnect(caller)

    assert await asking == {"echo": 1}


async def test_who_listens_hears_again_after_it_was_cut_off(fabric):
    await fabric.worker(thinks)
    watcher, caller = await fabric.dendrite(dendrite_id="watcher"), await fabric.dendrite()
    heard = asyncio.Queue()
    watcher.on_thought_delta(heard.put_nowait)
    await watcher.find_neurons()

    fabric.cut_off(watcher)
    await fabric.reconnect(watcher)
    await ask(caller, 1)

    assert (await asyncio.wait_for(heard.get(), 5.0)).payload["delta"] == "0 "


async def test_lost_replies_are_a_timeout_at_the_caller(fabric):
    worker, caller = await fabric.worker(echo), await fabric.dendrite()

    fabric.lose(worker, "replies", 1)

    with pytest.raises(TimeoutError):
        await ask(caller, timeout_s=_SOON_S)
    assert await ask(caller) == {"echo": 1}


async def test_lost_tasks_are_a_timeout_at_the_caller_until_they_are_lost_no_more(fabric):
    held = Held()
    held.release.set()
    await fabric.worker(held)
    caller = await fabric.dendrite()

    fabric.lose(caller, "tasks")
    with pytest.raises(TimeoutError):
        await ask(caller, timeout_s=_SOON_S)
    ran = held.running.is_set()
    fabric.heal(caller)

    assert not ran
    assert await ask(caller) == {"let": "go"}


@pytest.mark.parametrize("traffic", ["tasks", "replies"])
async def test_what_is_delayed_for_longer_than_the_caller_waits_is_a_timeout(fabric, traffic):
    worker, caller = await fabric.worker(echo), await fabric.dendrite()
    sender = caller if traffic == "tasks" else worker

    fabric.delay(sender, traffic, 5 * _SOON_S)

    with pytest.raises(TimeoutError):
        await ask(caller, timeout_s=_SOON_S)


@pytest.mark.parametrize("traffic", ["tasks", "replies"])
async def test_what_is_delayed_for_less_arrives_that_much_later(fabric, traffic):
    worker, caller = await fabric.worker(echo), await fabric.dendrite()
    sender, loop = caller if traffic == "tasks" else worker, asyncio.get_running_loop()

    fabric.delay(sender, traffic, _SOON_S)
    began_at_s = loop.time()
    output = await ask(caller)

    assert output == {"echo": 1}
    assert loop.time() - began_at_s >= _SOON_S * 0.9


async def test_a_stream_that_is_delayed_keeps_its_order(fabric):
    worker, caller = await fabric.worker(thinks), await fabric.dendrite()
    heard = []
    caller.on_thought_delta(heard.append)

    fabric.delay(worker, "replies", 0.01)
    output = await ask(caller, 50)

    assert output == {"response": "".join(f"{number} " for number in range(50))}
    assert caller.counts.get("gap.replies", 0) == 0


async def test_a_caller_that_finds_every_queue_full_is_told_so(fabric):
    await fabric.worker(echo)
    caller = await fabric.dendrite()

    fabric.refuse_tasks(caller)
    code = await code_of(ask(caller))
    fabric.heal(caller)

    assert code == "OVERLOADED"
    assert await ask(caller) == {"echo": 1}


async def has_own_socket(dendrite):
    """Return once a Dendrite publishes by a socket of its own: there its messages have numbers."""
    await dendrite.emit_plan(steps=[])
    code, anywhere = SignalType.CRITIQUE.code, bytes(16)
    await until(lambda: not dendrite._transport.is_heard(code, anywhere), 5.0)


async def test_lost_broadcasts_are_a_gap_for_who_watches_and_nothing_for_the_caller(fabric):
    watcher, caller = await fabric.dendrite(dendrite_id="watcher"), await fabric.dendrite()
    heard = asyncio.Queue()
    watcher.on_error_signal(heard.put_nowait)
    await code_of(ask(watcher))  # what it listens to is in force once it has dispatched
    await heard.get()
    await has_own_socket(caller)
    await code_of(ask(caller, "first"))
    await heard.get()

    fabric.lose(caller, "broadcasts", 3)
    codes = {await code_of(ask(caller)) for _ in range(4)}
    await asyncio.wait_for(heard.get(), 5.0)

    assert codes == {"NO_SUCH_NEURON"}
    assert heard.empty()
    assert watcher.counts["gap.broadcast"] == 3


async def test_lost_broadcasts_that_are_handed_over_reach_nobody(fabric):
    watcher, caller = await fabric.dendrite(dendrite_id="watcher"), await fabric.dendrite()
    heard = asyncio.Queue()
    watcher.on_error_signal(heard.put_nowait)
    await code_of(ask(watcher))
    await heard.get()

    fabric.lose(caller, "broadcasts", 3)
    codes = {await code_of(ask(caller)) for _ in range(4)}
    await asyncio.wait_for(heard.get(), 5.0)

    assert codes == {"NO_SUCH_NEURON"}
    assert heard.empty()


async def test_delayed_broadcasts_reach_who_watches_that_much_later(fabric):
    watcher, caller = await fabric.dendrite(dendrite_id="watcher"), await fabric.dendrite()
    heard, loop = asyncio.Queue(), asyncio.get_running_loop()
    watcher.on_error_signal(heard.put_nowait)
    await code_of(ask(watcher))
    await heard.get()
    await code_of(ask(caller))
    await heard.get()

    fabric.delay(caller, "broadcasts", _SOON_S)
    began_at_s = loop.time()
    await code_of(ask(caller))
    await asyncio.wait_for(heard.get(), 5.0)

    assert loop.time() - began_at_s >= _SOON_S * 0.9


async def test_a_restart_loses_nothing_that_is_under_way(cosmo_fabric):
    held = Held()
    await cosmo_fabric.worker(held)
    caller = await cosmo_fabric.dendrite()
    asking = asyncio.create_task(ask(caller))
    await held.running.wait()

    await cosmo_fabric.restart_synapse()
    held.release.set()

    assert await asking == {"let": "go"}
    assert await ask(caller) == {"let": "go"}


async def test_a_restart_while_one_is_cut_off_does_not_wait_for_it(cosmo_fabric):
    worker, caller = await cosmo_fabric.worker(echo), await cosmo_fabric.dendrite()
    cosmo_fabric.cut_off(worker)

    await cosmo_fabric.restart_synapse()
    await cosmo_fabric.reconnect(worker)

    assert await ask(caller) == {"echo": 1}


async def test_who_stopped_by_itself_does_not_come_back(cosmo_fabric):
    worker, caller = await cosmo_fabric.worker(echo), await cosmo_fabric.dendrite()
    await worker.stop()

    cosmo_fabric.cut_off(worker)
    await cosmo_fabric.reconnect(worker)

    assert await caller.find_neurons() == []


async def test_a_fault_that_makes_no_sense_is_refused_with_what_would(cosmo_fabric):
    caller = await cosmo_fabric.dendrite()

    with pytest.raises(ValueError, match="one of tasks, replies, broadcasts, not 'answers'"):
        cosmo_fabric.lose(caller, "answers")
    with pytest.raises(ValueError, match="count must be 1 or more"):
        cosmo_fabric.lose(caller, "tasks", 0)
    with pytest.raises(ValueError, match="delay_s must be over 0"):
        cosmo_fabric.delay(caller, "tasks", 0)
    with pytest.raises(ValueError, match="was not made by this Fabric"):
        Fabric().cut_off(caller)
