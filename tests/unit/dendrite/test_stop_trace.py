"""A trace is stopped: what runs on it ends everywhere, and who waits is told."""

import asyncio
import threading

import pytest

from cosmonapse import Axon, BadSignal, DendriteProtocolError, Signal, SignalType, new_trace_id
from cosmonapse.ids import id_bytes
from support.processes import until
from support.watching import kept

pytestmark = pytest.mark.asyncio


class Held:
    """A function that waits for ever, and what became of it."""

    def __init__(self, cleans_up_s=0.0):
        self.ran, self.ended, self.undone = [], [], []
        self.clean = asyncio.Event()
        self.cleans_up = bool(cleans_up_s)

    async def coroutine(self, input, context):
        self.ran.append(input)
        try:
            await asyncio.Event().wait()
        finally:
            if self.cleans_up:
                await self.clean.wait()
            self.ended.append(input)

    async def undo(self, task):
        assert task.payload["input"] in self.ended
        self.undone.append(task.payload["input"])


@pytest.fixture
def held():
    return Held()


@pytest.fixture
def worker(join, held):
    """Start a worker Dendrite with one Axon of that id."""

    async def make(name="worker", function=held.coroutine, **settings):
        made = join(
            Axon(neuron_id=name, neuron_fn=function, **settings), dendrite_id=name, role="worker"
        )
        await made.start()
        return made

    return make


def ask(caller, trace_id, input=1, neuron="worker"):
    return asyncio.create_task(
        caller.dispatch_and_wait(neuron=neuron, input=input, trace_id=trace_id)
    )


async def test_running_and_queued_tasks_end_and_those_of_other_traces_do_not(join, worker, held):
    await worker(concurrency=2)
    caller, stopper = [await join(dendrite_id=n).__aenter__() for n in ("caller", "stopper")]
    trace_id = new_trace_id()
    other = ask(caller, new_trace_id(), "other")
    asked = [ask(caller, trace_id, n) for n in range(3)]
    await until(lambda: len(held.ran) == 2)

    (stopped,) = await stopper.stop_trace(trace_id, collect_acks=True, timeout_s=5.0)
    replies = await asyncio.gather(*asked)

    assert {reply.payload["code"] for reply in replies} == {"CANCELLED"}
    assert stopped.payload == {"cancelled": 3, "rolled_back": 0, "node": "worker"}
    assert held.ran == ["other", 0]
    assert held.ended == [0]
    assert not other.done()


async def test_our_own_tasks_end_and_their_worker_counts_them(join, worker, held):
    await worker()
    caller = await join(dendrite_id="caller").__aenter__()
    trace_id = new_trace_id()
    asked = ask(caller, trace_id)
    await until(lambda: held.ran)

    (stopped,) = await caller.stop_trace(trace_id, collect_acks=True, timeout_s=5.0)

    assert (await asked).payload["code"] == "CANCELLED"
    assert stopped.payload["cancelled"] == 1


async def test_a_function_that_cleans_up_is_not_disturbed_by_a_second_stop(join, worker):
    held = Held(cleans_up_s=1)
    await worker(function=held.coroutine, rollback_fn=held.undo)
    caller = await join(dendrite_id="caller").__aenter__()
    trace_id = new_trace_id()
    asked = ask(caller, trace_id)
    await until(lambda: held.ran)
    stops = [
        asyncio.create_task(
            caller.stop_trace(trace_id, rollback=True, collect_acks=True, timeout_s=5.0)
        )
        for _ in range(2)
    ]
    reply = await asked

    assert reply.payload["code"] == "CANCELLED"
    assert held.ended == []
    held.clean.set()
    answers = [each.payload for (each,) in await asyncio.gather(*stops)]
    assert sorted(each["cancelled"] for each in answers) == [0, 1]
    assert sum(each["rolled_back"] for each in answers) == 1
    assert held.undone == [1]


async def test_every_dendrite_with_an_axon_answers_and_the_last_answer_is_waited_for(join, worker):
    for name in ("one", "two", "three"):
        await worker(name)
    caller = await join(dendrite_id="caller").__aenter__()
    trace_id = new_trace_id()
    stops, seen = kept(caller.on_signal(SignalType.STOP)), kept(caller.on_trace(trace_id))

    answers = await caller.stop_trace(trace_id, reason="enough", collect_acks=True, timeout_s=60.0)
    await until(lambda: len(seen) == 4)

    assert {each.payload["node"] for each in answers} == {"one", "two", "three"}
    assert {each.payload["cancelled"] for each in answers} == {0}
    assert {each.parent_id for each in answers} == {stops[0].id}
    assert stops[0].payload == {"rollback": False, "reason": "enough"}
    assert {sig.id for sig in seen} == {sig.id for sig in (stops[0], *answers)}


async def test_where_nobody_hosts_an_axon_nothing_is_waited_for(join):
    caller = await join(dendrite_id="caller").__aenter__()

    async with asyncio.timeout(5.0):
        assert await caller.stop_trace(new_trace_id(), collect_acks=True, timeout_s=60.0) == []


async def test_a_dendrite_that_hosts_and_stops_stops_itself(join, held):
    both = join(Axon(neuron_id="worker", neuron_fn=held.coroutine), dendrite_id="both")
    await both.start()
    trace_id = new_trace_id()
    asked = ask(both, trace_id)
    await until(lambda: held.ran)

    (stopped,) = await both.stop_trace(trace_id, collect_acks=True, timeout_s=5.0)

    assert (await asked).payload["code"] == "CANCELLED"
    assert stopped.payload == {"cancelled": 1, "rolled_back": 0, "node": "both"}


async def test_a_stop_that_is_only_emitted_ends_functions_too(join, worker, held):
    await worker()
    caller = await join(dendrite_id="caller").__aenter__()
    trace_id = new_trace_id()
    stopped = kept(caller.on_signal(SignalType.STOPPED))
    asked = ask(caller, trace_id)
    await until(lambda: held.ran)

    stop = await caller.emit_stop(trace_id, reason="enough")

    assert (await asked).payload["code"] == "CANCELLED"
    await until(lambda: stopped)
    assert (stopped[0].parent_id, stopped[0].payload["cancelled"]) == (stop.id, 1)


@pytest.mark.parametrize("scope", ["all", "terminal"])
async def test_whoever_waits_for_an_answer_is_told_and_an_answer_comes_too_late(
    scope, join, worker
):
    async def asks(input, context):
        return {"__clarification__": True, "question": "which one?"}

    await worker(function=asks)
    caller = await join(dendrite_id="caller").__aenter__()
    trace_id, questions = new_trace_id(), kept(caller.on_clarification)
    elsewhere = {"neuron": "worker", "input": {}, "answer_elsewhere": True}
    asked = asyncio.create_task(caller.dispatch_and_wait(trace_id=trace_id, **elsewhere))
    pathway = await caller.dispatch(trace_id=trace_id, scope=scope, **elsewhere)
    await until(lambda: len(questions) == 2)

    await caller.stop_trace(trace_id)
    last = await pathway.wait_for(SignalType.ERROR, 2.0)

    assert (await asked).payload["code"] == "CANCELLED"
    assert last.payload["code"] == "CANCELLED"
    for question in questions:
        assert await caller.respond_to_clarification(question, answer="late") is None


# -- rolling back --------------------------------------------------------------------------------


async def test_what_was_cancelled_is_rolled_back_and_what_never_began_is_not(join, worker, held):
    await worker(concurrency=2, rollback_fn=held.undo)
    caller = await join(dendrite_id="caller").__aenter__()
    trace_id = new_trace_id()
    asked = [ask(caller, trace_id, n) for n in range(3)]
    await until(lambda: len(held.ran) == 2)

    (stopped,) = await caller.stop_trace(trace_id, True, collect_acks=True, timeout_s=5.0)
    await asyncio.gather(*asked)

    assert (stopped.payload["cancelled"], stopped.payload["rolled_back"]) == (3, 2)
    assert sorted(held.undone) == [0, 1]


async def test_without_rollback_nothing_is_undone(join, worker, held):
    await worker(rollback_fn=held.undo)
    caller = await join(dendrite_id="caller").__aenter__()
    trace_id = new_trace_id()
    ask(caller, trace_id)
    await until(lambda: held.ran)

    await caller.stop_trace(trace_id, collect_acks=True, timeout_s=5.0)

    assert held.undone == []


async def test_a_rollback_that_raises_is_counted_and_the_others_are_done(join, worker, held):
    def undo(task):
        if task.payload["input"] == 0:
            raise RuntimeError("cannot")

    hosting = await worker(rollback_fn=undo)
    caller = await join(dendrite_id="caller").__aenter__()
    trace_id = new_trace_id()
    asked = [ask(caller, trace_id, n) for n in range(3)]
    await until(lambda: len(held.ran) == 3)

    (stopped,) = await caller.stop_trace(trace_id, True, collect_acks=True, timeout_s=5.0)
    await asyncio.gather(*asked)

    assert (stopped.payload["cancelled"], stopped.payload["rolled_back"]) == (3, 2)
    assert hosting.counts["rollback_failed"] == 1


async def test_a_function_in_a_thread_is_rolled_back_after_the_thread_has_ended(join, worker):
    began, ended, undone = threading.Event(), threading.Event(), []

    def looks(input, context):
        began.set()
        while not context.cancelled:
            threading.Event().wait(0.001)
        ended.set()

    await worker(function=looks, rollback_fn=lambda task: undone.append(ended.is_set()))
    caller = await join(dendrite_id="caller").__aenter__()
    trace_id = new_trace_id()
    ask(caller, trace_id)
    await until(began.is_set)

    (stopped,) = await caller.stop_trace(trace_id, True, collect_acks=True, timeout_s=5.0)

    assert stopped.payload["rolled_back"] == 1
    assert undone == [True]


# -- what it costs, and what makes no sense ------------------------------------------------------


async def test_stops_are_listened_to_while_an_axon_is_hosted_and_not_longer(join, worker):
    caller = await join(dendrite_id="caller").__aenter__()
    hosting = await worker()

    assert not caller._subscriptions.may_want(SignalType.STOP, "")
    assert hosting._subscriptions.may_want(SignalType.STOP, "")
    await hosting.detach_axon("worker")
    assert not hosting._subscriptions.may_want(SignalType.STOP, "")


async def test_nothing_is_left_behind_by_a_stop(join, worker, held):
    hosting = await worker()
    caller = await join(dendrite_id="caller").__aenter__()
    trace_id = new_trace_id()
    asked = ask(caller, trace_id)
    await until(lambda: held.ran)

    await caller.stop_trace(trace_id, collect_acks=True, timeout_s=5.0)
    await asked
    await until(lambda: not hosting._stop_receiver._tasks)

    assert not hosting._stop_receiver._stopped_traces
    assert not hosting._inbox._stopped
    assert not caller._subscriptions._table


async def test_a_stop_with_a_trace_that_is_no_id_is_dropped(join, worker):
    hosting = await worker()

    hosting._stop_receiver._on_stop(Signal(type=SignalType.STOP, trace_id="trc_" + "!" * 26))

    assert hosting.counts["drop.bad_stop"] == 1


async def test_a_trace_that_is_no_id_and_a_dendrite_that_does_not_run_are_refused(join):
    caller = await join(dendrite_id="caller").__aenter__()

    with pytest.raises(BadSignal):
        await caller.stop_trace("mine")
    with pytest.raises(BadSignal):
        await caller.emit_stop("mine")
    with pytest.raises(ValueError, match="timeout_s"):
        await caller.stop_trace(new_trace_id(), timeout_s=0)
    with pytest.raises(DendriteProtocolError, match="async with"):
        await join().stop_trace(new_trace_id())


async def test_a_worker_that_obeys_gets_no_cancel_and_a_deaf_one_does(join, worker, held):
    await worker("obeys")
    deaf = await worker("deaf")
    deaf._subscriptions.remove(deaf._stop_receiver._on_stop)
    caller = await join(dendrite_id="caller").__aenter__()
    cancels, send_cancel = [], caller._transport.send_cancel
    caller._transport.send_cancel = lambda task, trace: (
        cancels.append(task) or send_cancel(task, trace)
    )
    trace_id = new_trace_id()
    asked = [ask(caller, trace_id, name, name) for name in ("obeys", "deaf")]
    await until(lambda: len(held.ran) == 2)

    await caller.stop_trace(trace_id)
    replies = await asyncio.gather(*asked)
    await until(lambda: len(held.ended) == 2)

    assert [reply.payload["code"] for reply in replies] == ["CANCELLED"] * 2
    assert cancels == [id_bytes(replies[1].parent_id)]
