"""Deadlines and callers that change their mind: the function at the worker ends too."""

import asyncio
import time

import pytest

from cosmonapse import new_trace_id
from support.processes import axon, until
from support.watching import about, kept

LATE_S = 0.5


@pytest.mark.asyncio
async def test_a_timeout_names_neuron_trace_and_time_and_cancels_the_function(
    url, namespace, join, children
):
    worker = children.worker(url, namespace, axon("held"))
    trace_id = new_trace_id()
    async with join() as caller:
        asked_at_s = time.perf_counter()
        with pytest.raises(TimeoutError) as caught:
            await caller.dispatch_and_wait(
                neuron="worker", input={"n": 1}, timeout_s=0.3, trace_id=trace_id
            )
        took_s = time.perf_counter() - asked_at_s
        await asyncio.to_thread(worker.line, "cancelled 1")

    assert all(fact in str(caught.value) for fact in ("'worker'", trace_id, "0.3 s"))
    assert 0.3 <= took_s <= 0.3 + LATE_S


@pytest.mark.asyncio
async def test_of_a_hundred_deadlines_each_is_a_timeout_error_and_none_a_reply(
    url, namespace, join, children
):
    children.worker(url, namespace, axon("held", concurrency=100))
    async with join() as caller:
        ended = await asyncio.gather(
            *(
                caller.dispatch_and_wait(
                    neuron="worker", input={"n": n}, timeout_s=0.2 + n * 0.00137
                )
                for n in range(100)
            ),
            return_exceptions=True,
        )

    assert {type(each) for each in ended} == {TimeoutError}


@pytest.mark.asyncio
async def test_a_deadline_that_passed_while_the_loop_was_busy_is_a_timeout_error(
    url, namespace, join, children
):
    worker = children.worker(url, namespace, axon("held"))
    async with join() as caller:
        asked = [
            asyncio.create_task(
                caller.dispatch_and_wait(neuron="worker", input={"n": n}, timeout_s=0.2 * n)
            )
            for n in (1, 2)
        ]
        await asyncio.to_thread(worker.line, "holding 2")
        worker.line("cancelled 2")  # keeps the loop busy until both deadlines are over
        ended = await asyncio.gather(*asked, return_exceptions=True)

    assert [type(each) for each in ended] == [TimeoutError, TimeoutError]


@pytest.mark.asyncio
async def test_a_cancelled_caller_cancels_the_function(url, namespace, join, children):
    worker = children.worker(url, namespace, axon("held"))
    async with join() as caller:
        asked = asyncio.create_task(caller.dispatch_and_wait(neuron="worker", input={"n": 1}))
        await asyncio.to_thread(worker.line, "holding 1")
        asked.cancel()
        await asyncio.to_thread(worker.line, "cancelled 1")
        with pytest.raises(asyncio.CancelledError):
            await asked


@pytest.mark.asyncio
async def test_a_task_that_waits_behind_another_is_not_run_once_it_is_cancelled(
    url, namespace, join, children
):
    worker = children.worker(url, namespace, axon("gated", concurrency=1), axon("echo", "fence"))
    async with join() as caller:
        first = asyncio.create_task(caller.ask(neuron="worker", input={"n": 1}))
        await asyncio.to_thread(worker.line, "holding 1")
        with pytest.raises(TimeoutError):
            await caller.ask(neuron="worker", input={"n": 2}, timeout_s=0.1)
        await caller.ask(neuron="fence", input={})  # comes behind the CANCEL
        worker.tell("go")
        await first
        await caller.ask(neuron="worker", input={"n": 3})

    assert worker.lines("holding", 2) == ["1", "3"]


@pytest.mark.asyncio
async def test_the_function_of_a_caller_that_was_killed_is_cancelled(
    url, namespace, join, children
):
    worker = children.worker(url, namespace, axon("held"))
    code = (
        "import asyncio, sys; from cosmonapse import Dendrite, synapse_from_url\n"
        "async def main(url, namespace):\n"
        "    synapse = synapse_from_url(url)\n"
        "    async with Dendrite(synapse=synapse, namespace=namespace) as dendrite:\n"
        "        await dendrite.ask(neuron='worker', input={'n': 1})\n"
        "asyncio.run(main(*sys.argv[1:]))\n"
    )
    caller = children.start("-c", code, url, namespace)
    worker.line("holding 1")

    caller.kill()

    worker.line("cancelled 1", timeout_s=3.0)


@pytest.mark.asyncio
async def test_a_bystander_sees_one_outcome_of_a_task_that_ran_out_of_time(
    url, namespace, join, children
):
    worker = children.worker(url, namespace, axon("held"))
    watcher = join("watcher")
    errors = kept(watcher.on_error_signal)
    trace_id = new_trace_id()
    async with watcher, join("caller") as caller:
        with pytest.raises(TimeoutError):
            await caller.ask(neuron="worker", input={"n": 1}, timeout_s=0.2, trace_id=trace_id)
        await asyncio.to_thread(worker.line, "cancelled 1")
        await until(lambda: about(errors, trace_id))
        fence = await caller.dispatch_and_wait(neuron="nobody", input={})
        await until(lambda: about(errors, fence.trace_id))

    assert [sig.payload["code"] for sig in about(errors, trace_id)] == ["EXPIRED"]


@pytest.mark.asyncio
@pytest.mark.parametrize("way", ["cancel", "stop"])
async def test_a_bystander_sees_one_outcome_of_a_task_whose_caller_left(
    way, url, namespace, join, children
):
    worker = children.worker(url, namespace, axon("held"))
    watcher = join("watcher")
    errors = kept(watcher.on_error_signal)
    trace_id = new_trace_id()
    async with watcher, join("caller") as caller:
        asked = asyncio.create_task(caller.ask(neuron="worker", input={"n": 1}, trace_id=trace_id))
        await asyncio.to_thread(worker.line, "holding 1")
        if way == "cancel":
            asked.cancel()
        else:
            await caller.stop()
        await asyncio.gather(asked, return_exceptions=True)
        await asyncio.to_thread(worker.line, "cancelled 1")
        await until(lambda: about(errors, trace_id))
        fence = await watcher.dispatch_and_wait(neuron="nobody", input={})
        await until(lambda: about(errors, fence.trace_id))

    assert [sig.payload["code"] for sig in about(errors, trace_id)] == ["CANCELLED"]
