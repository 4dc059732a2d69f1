"""Handlers in force: who listens to no task pays for no task."""

import asyncio
from unittest import mock

import pytest

from cosmonapse import Axon, SignalType, new_trace_id
from cosmonapse.dendrite.watch.handlers import Handler, HandlerTable
from cosmonapse.dendrite.watch.subscriptions import Subscriptions
from cosmonapse.payloads import STREAMED
from support.processes import until
from support.watching import kept

OF_TASKS = {
    *STREAMED,
    SignalType.TASK,
    SignalType.AGENT_OUTPUT,
    SignalType.FINAL,
    SignalType.ERROR,
    SignalType.CLARIFICATION,
    SignalType.PERMISSION,
    SignalType.ESCALATION,
}
TRACE = new_trace_id()


@pytest.fixture
def subscriptions():
    return Subscriptions(mock.Mock())


def ignore(signal):
    pass


@pytest.mark.parametrize("signal_type", list(SignalType))
def test_a_handler_of_a_type_watches_tasks_if_tasks_or_replies_have_that_type(
    signal_type, subscriptions
):
    subscriptions.add(Handler(ignore, frozenset({signal_type})))

    assert subscriptions.watches_tasks == (signal_type in OF_TASKS)


@pytest.mark.parametrize(
    ("handler", "watches"),
    [
        (Handler(ignore, trace_id=TRACE), True),
        (Handler(ignore, frozenset({SignalType.BID}), trace_id=TRACE), False),
        (Handler(ignore, frozenset({SignalType.BID}), trace_id=TRACE, ordered=True), True),
        (Handler(ignore, frozenset({SignalType.BID, SignalType.FINAL}), trace_id=TRACE), True),
    ],
)
def test_a_handler_of_a_trace_watches_tasks_unless_its_types_exclude_them(
    handler, watches, subscriptions
):
    subscriptions.add(handler)

    assert subscriptions.watches_tasks is watches


def test_tasks_are_watched_until_the_last_handler_that_wants_them_is_removed(subscriptions):
    def watch(signal):
        pass

    subscriptions.add(Handler(watch, frozenset({SignalType.TASK})))
    subscriptions.add(Handler(ignore, frozenset({SignalType.STOP})))
    assert subscriptions.watches_tasks

    subscriptions.remove(watch)

    assert not subscriptions.watches_tasks
    assert subscriptions.may_want(SignalType.STOP, "")


@pytest.mark.asyncio
@pytest.mark.parametrize("streams", [False, True])
async def test_a_task_asks_no_table_of_handlers_while_only_stops_are_listened_to(streams, join):
    async def answer(input, context):
        if streams:
            await context.think("so")
        return {"n": 1}

    axons = [Axon(neuron_id=name, neuron_fn=answer) for name in ("here", "there")]
    caller, worker = (join(axon, dendrite_id=axon.neuron_id) for axon in axons)
    await worker.start()
    await caller.start()
    assert caller._subscriptions.may_want(SignalType.STOP, "")

    with mock.patch.object(HandlerTable, "may_want", autospec=True) as asked:
        for neuron in ("here", "there"):
            assert await caller.ask(neuron=neuron, input={}) == {"n": 1}

    assert asked.call_count == 0


@pytest.mark.asyncio
async def test_whoever_settles_while_another_settles_waits_as_well():
    loop, syncs = asyncio.get_running_loop(), []

    async def sync(timeout_s):
        syncs.append(loop.create_future())
        await syncs[-1]

    subscriptions = Subscriptions(mock.Mock(sync=sync))
    subscriptions.topics()
    subscriptions.add(Handler(ignore, frozenset({SignalType.PLAN})))
    first, second = (asyncio.create_task(subscriptions.settle()) for _ in range(2))
    await asyncio.sleep(0)

    assert not second.done()
    subscriptions.add(Handler(ignore, frozenset({SignalType.BID})))
    for each in syncs:
        each.set_result(None)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert len(syncs) > 2
    assert not first.done()
    assert not second.done()
    for each in syncs[2:]:
        each.set_result(None)
    await asyncio.gather(first, second)
    assert not subscriptions.out_of_date
    await subscriptions.close()


@pytest.mark.asyncio
async def test_a_handler_that_comes_while_tasks_run_sees_the_next_reply(join):
    axon = Axon(neuron_id="worker", neuron_fn=lambda input, context: input)
    both = join(axon)
    await both.start()
    await both.ask(neuron="worker", input=1)
    seen = kept(both.on_agent_output)

    await both.ask(neuron="worker", input=2)

    await until(lambda: seen)
    assert [signal.output for signal in seen] == [{"value": 2}]
