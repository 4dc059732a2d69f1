"""A Dendrite has one connection, and opens one more for each thing that needs it."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
import pytest_asyncio

from cosmonapse import Axon, SignalType, new_trace_id
from cosmonapse.dendrite.watch.handlers import Handler
from support.processes import free_ports, until
from support.watching import kept

pytestmark = pytest.mark.asyncio
SETTLES_S = 0.2
_ESTABLISHED = "01"


class Ports:
    """The three ports of a Synapse, and how many connections each has."""

    def __init__(self, port):
        self.directed, self.listen, self.publish = port, port + 2, port + 3

    def count(self):
        """Return the number of connections at each port."""
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        local = [int(row[1].split(":")[1], 16) for row in rows if row[3] == _ESTABLISHED]
        return [local.count(each) for each in (self.directed, self.listen, self.publish)]

    async def settled(self):
        """Return the number once it stays: one that ends is there for a moment."""
        while (counts := self.count()) != (await asyncio.sleep(SETTLES_S), self.count())[1]:
            pass
        return counts


@pytest_asyncio.fixture
async def alone(children, join):
    """Start a Synapse of its own; return its ports and what makes Dendrites of it."""
    port = free_ports()
    _, url = children.synapse(port=port)
    return Ports(port), lambda *arguments, **settings: join(*arguments, url=url, **settings)


async def echo(input, context):
    return {"echo": input}


async def slow(input, context):
    await asyncio.sleep(60)


async def test_a_plain_caller_and_a_plain_worker_have_one_connection_each(alone):
    ports, join = alone
    worker = join("worker")
    worker.attach_axon(Axon(neuron_id="echo", neuron_fn=echo, capabilities=["x"]))
    worker.attach_axon(Axon(neuron_id="slow", neuron_fn=slow))
    async with worker, join("caller") as caller:
        await caller.wait_for_neuron(neuron="echo", timeout_s=5.0)
        await caller.ask(neuron="echo", input=1)
        pathway = await caller.dispatch(neuron="echo", input=2)
        await pathway.outcome()
        with pytest.raises(TimeoutError):
            await caller.dispatch_and_wait(neuron="slow", input=3, timeout_s=0.05)
        await caller.dispatch_and_wait(neuron="nobody", input=4)

        counts = await ports.settled()

    assert counts == [2, 0, 0]


async def test_an_offer_and_a_stop_need_no_other_connection(alone):
    ports, join = alone
    started, ended = asyncio.Event(), asyncio.Event()

    async def slow(input, context):
        started.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    worker = join("worker")
    worker.attach_axon(Axon(neuron_id="slow", neuron_fn=slow, capabilities=["x"]))
    async with worker, join("caller") as caller, join("stopper") as stopper:
        trace_id = new_trace_id()
        asking = asyncio.create_task(
            caller.dispatch_offer(input=1, capabilities=["x"], trace_id=trace_id)
        )
        await started.wait()
        stopped = await stopper.stop_trace(trace_id, collect_acks=True, timeout_s=5.0)
        answer = await asking

        counts = await ports.settled()

    assert answer.payload["code"] == "CANCELLED"
    assert [each.payload["cancelled"] for each in stopped] == [1]
    assert ended.is_set()
    assert counts == [3, 0, 0]


async def test_an_auction_that_is_stopped_ends_without_a_listener(alone):
    ports, join = alone
    worker = join("worker")
    worker.attach_axon(Axon(neuron_id="x", neuron_fn=echo, capabilities=["x"]))
    async with worker, join("caller") as caller, join("stopper") as stopper:
        trace_id = new_trace_id()
        offering = asyncio.create_task(
            caller.dispatch_offer(
                input=1,
                capabilities=["x"],
                deadline_ms=20_000,
                timeout_s=30.0,
                select="lowest_cost",
                trace_id=trace_id,
            )
        )
        # The bid is made at half of the deadline; the offer is out when its sender is a caller.
        await until(lambda: caller._transport._client._is_known_as_caller)
        await stopper.stop_trace(trace_id, collect_acks=True, timeout_s=5.0)
        answer = await asyncio.wait_for(offering, 5.0)

        counts = await ports.settled()

    assert answer.payload["code"] == "CANCELLED"
    assert counts == [3, 0, 0]


async def test_a_handler_opens_what_listens_and_an_emission_what_publishes(alone):
    ports, join = alone
    async with join("watcher") as watcher, join("speaker") as speaker:
        plain = ports.count()
        plans = kept(watcher.on_plan)
        await watcher._subscriptions.settle()
        listening = ports.count()
        for number in range(50):
            await speaker.emit_plan(steps=[number])
        await until(lambda: len(plans) == 50)
        await until(lambda: ports.count() == [2, 1, 1])
        publishing = ports.count()

    assert [plain, listening, publishing] == [[2, 0, 0], [2, 1, 0], [2, 1, 1]]
    assert [each.payload["steps"] for each in plans] == [[number] for number in range(50)]


async def test_errors_in_numbers_open_what_publishes_and_a_few_do_not(alone):
    ports, join = alone
    async with join("caller") as caller:
        for _ in range(3):
            await caller.dispatch_and_wait(neuron="nobody", input=1)
        few = ports.count()
        for _ in range(300):
            await caller.dispatch_and_wait(neuron="nobody", input=1)
        await until(lambda: ports.count()[2])

    assert few == [1, 0, 0]


async def test_a_host_that_has_a_handler_for_stops_obeys_once_and_shows_it_once(alone):
    _, join = alone
    worker = join("worker")
    worker.attach_axon(Axon(neuron_id="echo", neuron_fn=echo))
    stops = []
    worker._subscriptions.add(Handler(stops.append, frozenset({SignalType.STOP})))
    async with worker, join("stopper") as stopper:
        answers = [
            await stopper.stop_trace(new_trace_id(), collect_acks=True, timeout_s=5.0)
            for _ in range(5)
        ]
        await until(lambda: len(stops) == 5)

    assert [len(each) for each in answers] == [1] * 5
    assert len({each.id for each in stops}) == 5


async def test_a_question_is_answered_in_another_process_by_one_connection_of_its_caller(
    alone, children
):
    ports, join = alone

    async def asks(input, context):
        if "clarification" in input:
            return {"got": input["clarification"]["answer"]}
        return {"__clarification__": True, "question": "which?"}

    worker = join("worker")
    worker.attach_axon(Axon(neuron_id="asks", neuron_fn=asks))
    async with worker, join("caller") as caller, join("answerer") as answerer:
        questions = kept(answerer.on_clarification)
        await answerer._subscriptions.settle()
        asking = asyncio.create_task(
            caller.dispatch_and_wait(neuron="asks", input={}, answer_elsewhere=True)
        )
        await until(lambda: questions)
        task = await answerer.respond_to_clarification(questions[0], "this one")
        answer = await asking

        counts = await ports.settled()

    assert task is not None
    assert answer.output == {"got": "this one"}
    assert counts == [3, 1, 0]


@pytest.mark.parametrize("round_count", [3])
async def test_a_speaker_goes_on_over_kills_of_the_synapse_while_its_planes_open(
    children, join, round_count
):
    port = free_ports()
    synapse, url = children.synapse(port=port)
    async with join("watcher", url=url) as watcher:
        plans = kept(watcher.on_plan)
        for number in range(round_count):
            async with join(f"speaker-{number}", url=url) as speaker:
                emitted = 0
                for _ in range(20 * number):  # the kill comes at another step each time
                    await speaker.emit_plan(steps=[number, emitted])
                    emitted += 1
                os.kill(synapse.pid, signal.SIGKILL)
                await asyncio.to_thread(synapse.wait)
                await speaker.emit_plan(steps=["away"])
                synapse, _ = children.synapse(port=port)
                seen = len(plans)
                while len(plans) == seen:
                    await speaker.emit_plan(steps=[number, emitted])
                    emitted += 1
                    await asyncio.sleep(0.01)

    said = [tuple(each.payload["steps"]) for each in plans if len(each.payload["steps"]) == 2]
    for number in range(round_count):
        heard = [step for speaker, step in said if speaker == number]
        assert heard == sorted(set(heard))
