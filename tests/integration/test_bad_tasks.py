"""TASKs that are none and functions that misbehave, at a worker. Page: docs/bad-input.md."""

import asyncio
import contextlib
import json
import os
import time
from pathlib import Path

import msgpack
import pytest

from cosmonapse import Axon, Signal, SignalType, new_trace_id
from support.processes import Children, axon, measured, until
from support.rude import LimitedSynapse
from support.transport import Party
from zmq_transport import ItemFlag, address_of

UNRULY = Path(__file__).parents[1] / "support" / "unruly.py"
TASK_KIND = SignalType.TASK.code
TOLD_S, LATE_S = 0.5, 0.3
GRACE_S = 1.0

pytestmark = pytest.mark.asyncio


class Sender(Party):
    """A client of the bare transport, as a caller that encodes by itself."""

    def __init__(self, synapse, namespace):
        super().__init__(synapse, namespace=namespace)

    async def ask(self, body, task=None, ttl_ms=5000, neuron="notes"):
        """Send a body as a TASK and return the Signal that comes back."""
        task = task or os.urandom(16)
        had = len(self.of("on_replies"))
        self.client.send_task(address_of(neuron), task, task, TASK_KIND, body, ttl_ms)
        await until(lambda: len(self.of("on_replies")) > had, what="a reply")
        return Signal.decode(self.of("on_replies")[-1][-1])


@pytest.fixture(scope="module")
def synapse():
    with Children() as children:
        yield LimitedSynapse(children)


@pytest.fixture
def unruly(children, synapse, namespace):
    """A worker whose Neurons misbehave."""
    child = children.start(UNRULY, synapse.url, namespace)
    child.line("ready")
    return child


def fields(**changes):
    """Return the bytes of a TASK with some of its fields changed."""
    names = ("v", "id", "trace_id", "parent_id", "type", "directed", "ts", "payload", "meta")
    good = Signal(type=SignalType.TASK, payload={"input": {"n": 1}}).encode()
    values = dict(zip(names, msgpack.unpackb(good), strict=True))
    return msgpack.packb([*(values | changes).values()])


def deep(number):
    """Return the bytes of a TASK whose input is nested so deep."""
    return fields(payload={"input": "?"}).replace(b"\xa1?", b"\x91" * number + b"\xc0")


BAD = {
    "nothing": b"",
    "text": b"GET / HTTP/1.1",
    "random": bytes(range(200, 256)),
    "a map": msgpack.packb({"type": "TASK"}),
    "too few fields": msgpack.packb(["1", "evt_"]),
    "an unknown type": fields(type=250),
    "a type of another kind": fields(type="TASK"),
    "another type": fields(type=SignalType.PLAN.code),
    "another major version": fields(v="2"),
    "no version": fields(v=None),
    "no input": fields(payload={}),
    "a payload that is a list": fields(payload=[1]),
    "an extension": fields(payload={"input": msgpack.ExtType(5, b"\x00" * 16)}),
    "a timestamp": fields(payload={"input": msgpack.Timestamp(1)}),
    "a number over 64 bits": fields(payload={"input": msgpack.ExtType(2, b"\xff" * 9)}),
    "1,000 deep": deep(1000),
    "100,000 deep": deep(100_000),
    "a short id": fields(id="evt_1"),
    "surplus bytes": fields() + b"\x00",
}


async def test_what_is_no_task_is_an_error_and_the_function_is_not_called(
    synapse, unruly, namespace
):
    async with Sender(synapse, namespace) as sender:
        replies = {name: await sender.ask(body) for name, body in BAD.items()}
        good = await sender.ask(fields(payload={"input": {"n": 2}}))

    assert {name: reply.payload.get("code") for name, reply in replies.items()} == dict.fromkeys(
        BAD, "BAD_SIGNAL"
    )
    assert all(each.payload["recoverable"] is False for each in replies.values())
    assert "100,000 deep" in replies
    assert good.output == {"got": {"n": 2}}
    assert unruly.lines("ran", 1) == ['{"n": 2}']


@pytest.mark.parametrize("field", ["id", "trace_id"])
async def test_a_task_with_an_id_of_the_right_length_that_is_none_has_an_outcome(
    field, synapse, unruly, namespace
):
    async with Sender(synapse, namespace) as sender:
        reply = await sender.ask(fields(**{field: "trc_" + "!" * 26}))
        good = await sender.ask(fields(payload={"input": {"n": 2}}))

    assert reply.type in (SignalType.ERROR, SignalType.AGENT_OUTPUT)
    assert good.output == {"got": {"n": 2}}


async def test_a_task_whose_time_is_over_when_it_is_sent_comes_back_and_is_not_run(
    synapse, unruly, namespace
):
    async with Sender(synapse, namespace) as sender:
        sender.client.send_task(
            address_of("notes"), os.urandom(16), bytes(16), TASK_KIND, fields(), 0
        )
        ((_, reason),) = await until(lambda: sender.of("on_bounce"))
        await sender.ask(fields(payload={"input": "fence"}))

    assert reason == "expired"
    assert unruly.lines("ran", 1) == ['"fence"']


# -- the same task again ---------------------------------------------------------------------------


async def test_a_task_that_comes_again_while_it_runs_is_not_run_again(synapse, unruly, namespace):
    body, task = fields(payload={"input": {"n": 1}}), os.urandom(16)
    async with Sender(synapse, namespace) as sender:
        for _ in range(3):
            sender.client.send_task(address_of("stubborn"), task, task, TASK_KIND, body, 5000)
        await asyncio.to_thread(unruly.line, "holding 1")
        await until(lambda: synapse.count("drop.duplicate_task") == 2)
        unruly.tell("release")
        await until(lambda: sender.of("on_replies"))
        fence = await sender.ask(fields(payload={"input": "fence"}))

    assert [each[1] for each in sender.of("on_replies")].count(task) == 1
    assert fence.output == {"got": "fence"}
    assert unruly.lines("holding", 1) == ["1"]


async def test_a_task_that_comes_again_after_its_end_gets_the_stored_reply(
    synapse, unruly, namespace
):
    body, task = fields(payload={"input": {"n": 1}}), os.urandom(16)
    async with Sender(synapse, namespace) as sender:
        first = await sender.ask(body, task)
        second = await sender.ask(body, task)

    assert unruly.lines("ran", 1) == ['{"n": 1}']
    assert second == first


# -- functions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("neuron", ["kills", "leaves"])
async def test_a_function_that_ends_its_process_is_a_lost_worker(
    neuron, synapse, unruly, namespace, join
):
    async with join(url=synapse.url) as caller:
        asked = asyncio.create_task(caller.dispatch_and_wait(neuron=neuron, input={}))
        await asyncio.to_thread(unruly.wait)
        ended_at_s = time.perf_counter()
        error = await asked
        told_s = time.perf_counter() - ended_at_s
        left = await caller.registry_snapshot()
    measured(f"told of a worker that {neuron}", told_s)

    assert error.payload["code"] == "WORKER_LOST"
    assert error.payload["recoverable"] is True
    assert told_s < TOLD_S + LATE_S
    assert left == []


async def test_tasks_to_a_worker_that_just_died_end_within_half_a_second(
    children, synapse, namespace, join
):
    worker = children.worker(synapse.url, namespace, axon("held"))
    async with join(url=synapse.url) as caller:
        held = asyncio.create_task(caller.dispatch_and_wait(neuron="worker", input={"n": 1}))
        await asyncio.to_thread(worker.line, "holding 1")
        worker.send(9)
        began_s = time.perf_counter()
        replies = await asyncio.gather(
            held, *(caller.dispatch_and_wait(neuron="worker", input={"n": n}) for n in range(20))
        )
        took_s = time.perf_counter() - began_s
        left = await caller.registry_snapshot()
    measured("tasks to a worker that was killed just before, the last outcome", took_s)

    assert replies[0].payload["code"] == "WORKER_LOST"
    # Those that provably did not arrive may say so.
    assert {each.payload["code"] for each in replies} <= {"WORKER_LOST", "NO_SUCH_NEURON"}
    assert took_s < TOLD_S + LATE_S
    assert left == []


async def counts_of(worker):
    """Return the counters of the worker."""
    number = len(worker.lines("counts", 0)) + 1
    worker.tell("counts")
    return json.loads((await asyncio.to_thread(worker.lines, "counts", number))[-1])


async def test_a_function_that_ignores_a_stop_is_a_cancel_timeout_and_a_leaked_place(
    synapse, unruly, namespace, join
):
    trace_id = new_trace_id()
    async with join("caller", synapse.url) as caller, join("other", synapse.url) as other:
        asked = asyncio.create_task(
            caller.dispatch_and_wait(
                neuron="stubborn", input={"n": 1}, trace_id=trace_id, timeout_s=GRACE_S + 1.5
            )
        )
        await asyncio.to_thread(unruly.line, "holding 1")
        await other.emit_stop(trace_id)
        await asyncio.to_thread(unruly.line, "ignored 1")
        ended = (await asyncio.gather(asked, return_exceptions=True))[0]
        counts = await counts_of(unruly)

    assert isinstance(ended, Signal), ended
    assert ended.payload["code"] == "CANCEL_TIMEOUT"
    assert counts["leaked_places"] == 1


async def test_a_function_that_ignores_the_end_of_its_worker_is_a_cancel_timeout(synapse, join):
    release, holding = asyncio.Event(), asyncio.Event()

    async def stubborn(input, context):
        while not release.is_set():
            holding.set()
            with contextlib.suppress(asyncio.CancelledError):
                await release.wait()

    worker = join("worker", synapse.url)
    worker.attach_axon(Axon(neuron_id="stubborn", neuron_fn=stubborn))
    async with worker, join("caller", synapse.url) as caller:
        asked = asyncio.create_task(caller.dispatch_and_wait(neuron="stubborn", input={}))
        await holding.wait()
        await worker.stop(drain_s=0.1)
        ended = await asked
        release.set()

    assert ended.payload["code"] == "CANCEL_TIMEOUT"
    assert worker.counts["leaked_places"] == 1


async def test_two_replies_and_a_late_one_are_one_outcome_and_nothing_strange(
    synapse, namespace, join
):
    strange, before = [], synapse.count("drop.reply_unknown")
    asyncio.get_running_loop().set_exception_handler(lambda _, context: strange.append(context))
    async with Party(synapse, namespace=namespace) as rude, join(url=synapse.url) as caller:
        rude.take_seat("rude")
        await until(lambda: rude.of("on_registered"))
        asked = asyncio.create_task(caller.ask(neuron="rude", input={}))
        given = await until(lambda: rude.of("on_tasks"))
        for n in (1, 2):
            reply(rude, given[0], {"n": n})
        output = await asked

        with pytest.raises(TimeoutError):
            await caller.ask(neuron="rude", input={}, timeout_s=0.05)
        await until(lambda: rude.of("on_cancel"))
        reply(rude, rude.of("on_tasks")[1], {"n": 3})
        await until(lambda: caller.counts.get("drop.late_reply"), what="the late reply")
        unknown = synapse.count("drop.reply_unknown") - before

    assert output == {"n": 1}
    assert unknown == 1
    assert caller.counts["drop.late_reply"] == 1
    assert strange == []


def reply(party, given, output):
    """Settle a task as a worker does."""
    caller, task, _ = given
    signal = Signal(type=SignalType.AGENT_OUTPUT, payload={"output": output})
    party.client.send_reply(
        caller, task, task, signal.type.code, signal.encode(), 0, ItemFlag.SETTLES
    )
