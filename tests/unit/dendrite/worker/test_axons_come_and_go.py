"""Axons that are added and taken away while a Dendrite runs, and the end of a Dendrite."""

import asyncio
import threading

import pytest

from cosmonapse import (
    Axon,
    Dendrite,
    DendriteProtocolError,
    MemorySynapse,
    SignalType,
    SynapseRefused,
)
from support.processes import TIMEOUT_S, until
from support.watching import kept

pytestmark = pytest.mark.asyncio


async def echo(input, context):
    return {"echo": input}


def stops_from_a_coroutine(stop):
    async def stops(input, context):
        await stop()
        return {"stopped": True}

    return stops


def stops_from_a_generator(stop):
    async def stops(input, context):
        yield "bye"
        await stop()
        yield {"stopped": True}

    return stops


class Gated:
    """A Neuron that keeps its tasks until they are let go."""

    def __init__(self):
        self.ran = []
        self.cancelled = []
        self.released = asyncio.Event()

    async def __call__(self, input, context):
        self.ran.append(input)
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.cancelled.append(input)
            raise
        return {"n": input}


def axon(neuron_fn=echo, neuron_id="worker", **settings):
    return Axon(neuron_id=neuron_id, neuron_fn=neuron_fn, **settings)


def ask(caller, n=0, neuron="worker"):
    return asyncio.create_task(caller.dispatch_and_wait(neuron=neuron, input=n))


async def pair(join, *axons):
    """Return a worker and a caller, both started."""
    worker, caller = join(*axons, dendrite_id="worker"), join(dendrite_id="caller")
    await worker.start()
    await caller.start()
    return worker, caller


async def code_of(asked):
    return (await asked).payload["code"]


# -- coming --------------------------------------------------------------------------------------


async def test_an_axon_can_be_reached_when_adding_it_returns(join):
    worker, caller = await pair(join)

    for n in range(20):
        await worker.add_axon(axon(neuron_id=f"n{n}", capabilities=[f"c{n}"]))

        assert await caller.ask(neuron=f"n{n}", input=n) == {"echo": n}
        assert await caller.ask(capabilities=[f"c{n}"], input=n) == {"echo": n}


async def test_an_axon_may_be_added_before_the_start(join):
    worker = join()
    await worker.add_axon(axon())
    await worker.start()

    assert await worker.ask(neuron="worker", input=1) == {"echo": 1}


async def test_axons_may_be_added_at_the_same_time(join):
    worker, caller = await pair(join)

    await asyncio.gather(*(worker.add_axon(axon(neuron_id=f"n{n}")) for n in range(50)))

    assert len(await caller.find_neurons()) == 50


async def test_an_id_that_is_attached_is_refused_and_the_first_goes_on(join):
    worker, caller = await pair(join, axon())

    with pytest.raises(ValueError, match="'worker' is attached already"):
        await worker.add_axon(axon(Gated()))

    assert await caller.ask(neuron="worker", input=1) == {"echo": 1}


async def test_a_stopped_dendrite_takes_no_axon(join):
    worker = join()
    await worker.start()
    await worker.stop()

    with pytest.raises(DendriteProtocolError, match="make a new one"):
        await worker.add_axon(axon())


async def test_attaching_belongs_before_the_start(join):
    worker = join()
    await worker.start()

    with pytest.raises(DendriteProtocolError, match="before start"):
        worker.attach_axon(axon())


async def test_an_axon_that_the_synapse_does_not_take_is_told(join):
    synapse = MemorySynapse(max_axons=1)
    worker = join(axon(), synapse=synapse)
    await worker.start()

    with pytest.raises(SynapseRefused, match=r"second.*at most 1"):
        await worker.add_axon(axon(neuron_id="second"))

    assert await worker.ask(neuron="worker", input=1) == {"echo": 1}


async def test_a_refused_axon_does_not_stand_in_the_way_of_the_next(join):
    worker = join(axon(), synapse=MemorySynapse(max_axons=1))
    await worker.start()
    with pytest.raises(SynapseRefused):
        await worker.add_axon(axon(neuron_id="second"))
    await worker.detach_axon("worker")

    await worker.add_axon(axon(neuron_id="third"))

    assert await worker.ask(neuron="third", input=1) == {"echo": 1}


async def test_a_refused_axon_is_not_hosted_and_may_be_added_again(join):
    worker = join(axon(), synapse=MemorySynapse(max_axons=1))
    await worker.start()
    with pytest.raises(SynapseRefused):
        await worker.add_axon(axon(neuron_id="second"))
    await worker.detach_axon("worker")

    await worker.add_axon(axon(neuron_id="second"))


async def test_of_two_axons_added_at_the_same_time_only_the_refused_one_fails(join):
    worker = join(synapse=MemorySynapse(max_axons=1))
    await worker.start()

    ended = await asyncio.gather(
        worker.add_axon(axon(neuron_id="first")),
        worker.add_axon(axon(neuron_id="second")),
        return_exceptions=True,
    )

    assert [type(each) for each in ended] == [type(None), SynapseRefused]


# -- going ---------------------------------------------------------------------------------------


async def test_after_detaching_new_tasks_find_nobody_while_the_running_one_ends(join):
    gated = Gated()
    worker, caller = await pair(join, axon(gated, capabilities=["chat"]))
    running = ask(caller)
    await until(lambda: gated.ran)

    detaching = asyncio.create_task(worker.detach_axon("worker"))
    await until(lambda: not worker._inbox.axons)
    late = await caller.dispatch_and_wait(neuron="worker", input=1)
    by_capability = await caller.dispatch_and_wait(capabilities=["chat"], input=1)
    gated.released.set()
    await detaching

    assert late.payload["code"] == "NO_SUCH_NEURON"
    assert by_capability.payload["code"] == "NO_CAPABLE_NEURON"
    assert (await running).output == {"n": 0}
    assert gated.ran == [0]


async def test_what_waits_at_an_axon_that_is_detached_still_runs(join):
    gated = Gated()
    worker, caller = await pair(join, axon(gated, concurrency=1))
    asked = [ask(caller, n) for n in range(3)]
    await until(lambda: worker._inbox.load("worker") == (1, 2))

    detaching = asyncio.create_task(worker.detach_axon("worker"))
    gated.released.set()
    await detaching

    assert [(await each).output for each in asked] == [{"n": n} for n in range(3)]


async def test_over_the_time_to_drain_a_detached_axon_is_cancelled_and_callers_are_told(join):
    gated = Gated()
    worker, caller = await pair(join, axon(gated, concurrency=1))
    asked = [ask(caller, n) for n in range(3)]
    await until(lambda: worker._inbox.load("worker") == (1, 2))

    await worker.detach_axon("worker", drain_s=0.02)

    assert [await code_of(each) for each in asked] == ["CANCELLED"] * 3
    assert (gated.ran, gated.cancelled) == ([0], [0])


async def test_detaching_an_unknown_id_is_an_error_before_and_after_the_start(join):
    worker = join()
    with pytest.raises(ValueError, match="no Axon with the id 'worker'"):
        await worker.detach_axon("worker")
    await worker.start()

    with pytest.raises(ValueError, match="no Axon with the id 'worker'"):
        await worker.detach_axon("worker")


async def test_detaching_twice_is_an_error(join):
    worker, _ = await pair(join, axon())
    await worker.detach_axon("worker")

    with pytest.raises(ValueError, match="no Axon"):
        await worker.detach_axon("worker")


async def test_an_axon_may_come_back_under_its_id_with_another_function(join):
    worker, caller = await pair(join, axon())
    deregistered = kept(caller.on_deregister_signal)
    await caller.dispatch_and_wait(neuron="nobody", input={})

    async def other(input, context):
        return {"other": input}

    await worker.detach_axon("worker")
    await worker.add_axon(axon(other))

    assert await caller.ask(neuron="worker", input=1) == {"other": 1}
    await until(lambda: deregistered)
    assert deregistered[0].payload == {"reason": "detached"}


async def test_an_id_is_taken_until_what_ran_under_it_has_ended(join):
    gated = Gated()
    worker, caller = await pair(join, axon(gated))
    running = ask(caller)
    await until(lambda: gated.ran)
    detaching = asyncio.create_task(worker.detach_axon("worker"))
    await until(lambda: not worker._inbox.axons)

    with pytest.raises(ValueError, match="attached already"):
        await worker.add_axon(axon())
    gated.released.set()
    await detaching
    await worker.add_axon(axon())

    assert await caller.ask(neuron="worker", input=1) == {"echo": 1}
    assert (await running).output == {"n": 0}


async def test_a_replica_takes_over_when_another_is_detached(join):
    first, caller = await pair(join, axon())
    second = join(axon())
    await second.start()

    await first.detach_axon("worker")
    replies = await asyncio.gather(*(caller.ask(neuron="worker", input=n) for n in range(20)))

    assert replies == [{"echo": n} for n in range(20)]


# -- several Dendrites on one Synapse object -----------------------------------------------------


async def test_dendrites_that_share_a_synapse_object_share_the_work_and_nothing_else(join, synapse):
    async def who(input, context):
        return context.task.directed.id

    workers = [join(axon(who, f"n{n}"), axon(echo, "shared")) for n in range(8)]
    callers = [join(dendrite_id=f"caller-{n}") for n in range(4)]
    await asyncio.gather(*(each.start() for each in (*workers, *callers)))

    replies = await asyncio.gather(
        *(each.ask(neuron=f"n{n}", input=0) for each in callers for n in range(8)),
        *(each.ask(neuron="shared", input=0) for each in callers for _ in range(40)),
    )

    assert [each["value"] for each in replies[:32]] == [f"n{n}" for n in range(8)] * 4
    assert replies[32:] == [{"echo": 0}] * 160


async def test_a_dendrite_may_ask_itself_and_stop_without_harm_to_the_others(join):
    one, other = join(axon(neuron_id="one")), join(axon(neuron_id="other"))
    await one.start()
    await other.start()

    assert await one.ask(neuron="one", input=1) == {"echo": 1}
    await one.stop()

    assert await other.ask(neuron="other", input=2) == {"echo": 2}
    assert await code_of(ask(other, neuron="one")) == "NO_SUCH_NEURON"


async def test_closing_the_synapse_object_ends_every_dendrite_on_it(synapse):
    async with Dendrite(synapse=synapse) as one, Dendrite(synapse=synapse):
        await synapse.close()

        with pytest.raises(DendriteProtocolError, match="not running"):
            await one.dispatch_and_wait(neuron="worker", input={})


# -- the end of a Dendrite -----------------------------------------------------------------------


async def test_stopping_takes_leave_at_once_and_lets_running_and_waiting_tasks_end(join):
    gated = Gated()
    worker, caller = await pair(join, axon(gated, concurrency=2))
    asked = [ask(caller, n) for n in range(5)]
    await until(lambda: worker._inbox.load("worker") == (2, 3))

    stopping = asyncio.create_task(worker.stop("enough"))
    while await caller.find_neurons():
        pass  # its leave is still on its way to the Synapse
    late = await caller.dispatch_and_wait(neuron="worker", input=9)
    gated.released.set()
    await stopping

    assert late.payload["code"] == "NO_SUCH_NEURON"
    assert [(await each).output for each in asked] == [{"n": n} for n in range(5)]


@pytest.mark.parametrize("drain_s", [0.0, 0.02])
async def test_over_the_time_to_drain_what_is_left_is_cancelled_and_callers_are_told(drain_s, join):
    gated = Gated()
    worker, caller = await pair(join, axon(gated, concurrency=2))
    asked = [ask(caller, n) for n in range(5)]
    await until(lambda: worker._inbox.load("worker") == (2, 3))

    await worker.stop(drain_s=drain_s)

    assert [await code_of(each) for each in asked] == ["CANCELLED"] * 5
    assert sorted(gated.cancelled) == [0, 1] == sorted(gated.ran)


async def test_callers_of_a_function_that_will_not_end_are_told_too(join):
    stuck, end = asyncio.Event(), asyncio.Event()

    async def will_not(input, context):
        while not end.is_set():
            stuck.set()
            try:
                await end.wait()
            except asyncio.CancelledError:
                continue

    worker, caller = await pair(join, axon(will_not))
    asked = ask(caller)
    await stuck.wait()

    await worker.stop(drain_s=0.0)

    assert await code_of(asked) == "CANCEL_TIMEOUT"
    end.set()
    await until(lambda: not any("neuron worker" in t.get_name() for t in asyncio.all_tasks()))


async def test_callers_of_a_thread_that_will_not_end_are_told_at_once(join):
    end, began = threading.Event(), threading.Event()

    def will_not(input, context):
        began.set()
        end.wait(TIMEOUT_S)

    worker, caller = await pair(join, axon(will_not))
    asked = ask(caller)
    await until(began.is_set)

    await worker.stop(drain_s=0.0)
    code = await code_of(asked)
    end.set()

    assert code == "CANCELLED"


async def test_stopping_also_waits_for_what_a_detached_axon_still_runs(join):
    gated = Gated()
    worker, caller = await pair(join, axon(gated))
    running = ask(caller)
    await until(lambda: gated.ran)
    detaching = asyncio.create_task(worker.detach_axon("worker"))
    await until(lambda: not worker._inbox.axons)

    stopping = asyncio.create_task(worker.stop())
    await until(lambda: "stopped" in repr(worker))
    asyncio.get_running_loop().call_later(0.05, gated.released.set)
    await asyncio.gather(stopping, detaching)

    reply = await running
    assert reply.type is SignalType.AGENT_OUTPUT, reply.payload


async def test_whoever_waits_at_a_dendrite_that_stops_is_told(join):
    gated = Gated()
    _, caller = await pair(join, axon(gated))
    asked = ask(caller)
    await until(lambda: gated.ran)

    await caller.stop()

    with pytest.raises(DendriteProtocolError, match="stopped while neuron 'worker' worked"):
        await asked
    await until(lambda: gated.cancelled == [0])


async def test_stopping_twice_or_before_the_start_does_no_harm(join):
    dendrite = join(axon())
    await dendrite.stop()
    await dendrite.stop()
    other = join(axon())
    await other.start()
    await asyncio.gather(other.stop(), other.stop())

    assert "stopped" in repr(other)


@pytest.mark.parametrize("stopping", [stops_from_a_coroutine, stops_from_a_generator])
async def test_a_neuron_may_stop_its_own_dendrite_and_its_reply_still_arrives(
    stopping, join, clock
):
    made = []
    worker = join(axon(stopping(lambda: made[0].stop())), dendrite_id="worker")
    made.append(worker)
    await worker.start()
    caller = await join(dendrite_id="caller").__aenter__()

    output = await caller.ask(neuron="worker", input={})
    await worker.stop()

    assert output == {"stopped": True}
    assert "stopped" in repr(worker)


async def test_an_axon_attached_after_the_start_is_refused_with_the_verb_that_works(join):
    dendrite = await join().__aenter__()

    with pytest.raises(DendriteProtocolError, match=r"await dendrite.add_axon\(axon\)"):
        dendrite.attach_axon(axon())
    await dendrite.stop()
    with pytest.raises(DendriteProtocolError, match="this Dendrite is stopped"):
        dendrite.attach_axon(axon())
