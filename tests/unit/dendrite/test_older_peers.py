"""Dendrites that know PUBLISH among those that do not, and at a Synapse that does not."""

import asyncio

import attrs
import pytest

from cosmonapse import Axon, new_trace_id
from cosmonapse.testing.conformance.waiting import until
from zmq_transport.proxy.admission import Admission
from zmq_transport.wire import greetings, heads

pytestmark = pytest.mark.asyncio


def make_older(dendrite):
    """Let a Dendrite greet and publish as one that does not know PUBLISH."""
    client = dendrite._transport._client
    client.link._hello = attrs.evolve(client.link._hello, publish=False)
    on_welcomed = client.publisher.on_welcomed
    client.publisher.on_welcomed = lambda hands_over, has_older: on_welcomed(False, True)
    return dendrite


@pytest.fixture(params=["newer", "older caller", "older worker", "older Synapse"])
def pair(request, join, synapse, monkeypatch):
    """Return how to make a worker with an Axon and a caller, one of which may be older."""

    def make(axon):
        worker, caller = join(axon, dendrite_id="worker"), join(dendrite_id="caller")
        if request.param == "older worker":
            make_older(worker)
        if request.param == "older caller":
            make_older(caller)
        return worker, caller

    if request.param == "older Synapse":
        welcome = Admission.welcome
        monkeypatch.setattr(
            Admission, "welcome", lambda self, peer: without_publish(*welcome(self, peer))
        )
    return make


def without_publish(code, connection, head, body):
    """Return a WELCOME as it was before PUBLISH."""
    older = attrs.evolve(greetings.unpack_welcome(body), publish=False, older=False)
    packed = greetings.pack_welcome(older)
    peer = heads.fields_of(head).peer
    return code, connection, heads.pack(heads.Verb.WELCOME, len(packed), peer=peer), packed


async def test_a_trace_is_stopped_and_the_stop_is_answered(pair):
    started = asyncio.Event()

    async def slow(input, context):
        started.set()
        await asyncio.sleep(60)

    worker, caller = pair(Axon(neuron_id="slow", neuron_fn=slow))
    async with worker, caller:
        trace_id = new_trace_id()
        asking = asyncio.create_task(
            caller.dispatch_and_wait(neuron="slow", input=1, trace_id=trace_id)
        )
        await started.wait()

        stopped = await caller.stop_trace(trace_id, collect_acks=True, timeout_s=5.0)

        answer = await asking
    assert answer.payload["code"] == "CANCELLED"
    assert [each.payload["cancelled"] for each in stopped] == [1]


async def test_an_offer_gets_its_bid_and_its_output(pair):
    async def echo(input, context):
        return {"echo": input}

    async def bid(input, signal):
        return 1.0

    worker, caller = pair(Axon(neuron_id="a", neuron_fn=echo, capabilities=["x"], bid_fn=bid))
    async with worker, caller:
        answer = await caller.dispatch_offer(input=1, capabilities=["x"], deadline_ms=2000)

    assert answer.output == {"echo": 1}


async def test_a_question_is_answered_by_another_dendrite(pair):
    async def asks(input, context):
        if "clarification" in input:
            return {"got": input["clarification"]["answer"]}
        return {"__clarification__": True, "question": "which?"}

    worker, caller = pair(Axon(neuron_id="asks", neuron_fn=asks))
    async with worker, caller:

        @worker.on_clarification
        async def answer_it(question):
            await worker.respond_to_clarification(question, "this one")

        await worker._subscriptions.settle()
        answer = await caller.dispatch_and_wait(
            neuron="asks", input={}, answer_elsewhere=True, timeout_s=10.0
        )

    assert answer.output == {"got": "this one"}


async def test_an_emission_is_heard_from_the_first_one_on(pair):
    async def echo(input, context):
        return {}

    worker, caller = pair(Axon(neuron_id="a", neuron_fn=echo))
    async with worker, caller:
        plans = []
        worker.on_plan(plans.append)
        await worker._subscriptions.settle()
        for number in range(200):
            await caller.emit_plan(steps=[number])
        await until(lambda: len(plans) == 200)

    assert [each.payload["steps"] for each in plans] == [[number] for number in range(200)]
