"""Workers that are asked to end: they finish what runs, take leave, and say nothing ugly."""

import asyncio
import signal

import pytest

from support.processes import axon, until
from support.watching import kept


@pytest.mark.asyncio
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
async def test_serve_lets_the_running_task_finish_and_exits_with_0(
    number, url, namespace, join, children
):
    worker = children.worker(url, namespace, axon("gated"))
    watcher = join("watcher")
    left = kept(watcher.on_deregister_signal)
    async with watcher, join("caller") as caller:
        asked = asyncio.create_task(caller.ask(neuron="worker", input={"n": 1}))
        await asyncio.to_thread(worker.line, "holding 1")
        worker.send(number)
        await until(lambda: left)
        refused = await caller.dispatch_and_wait(neuron="worker", input={"n": 2})
        worker.tell("go")
        output = await asked
        code = await asyncio.to_thread(worker.wait)

    assert output == {"n": 1}
    assert refused.payload["code"] == "NO_SUCH_NEURON"
    assert [sig.payload.get("reason") for sig in left] == ["signal"]
    assert code == 0
    assert worker.err == []


@pytest.mark.asyncio
async def test_a_worker_that_waits_for_an_event_of_its_own_takes_leave_on_ctrl_c(
    url, namespace, join, children
):
    worker = children.worker(url, namespace, axon(), until="event")
    worker.may_complain = True  # Python prints its KeyboardInterrupt there
    watcher = join("watcher")
    left = kept(watcher.on_deregister_signal)
    async with watcher:
        worker.send(signal.SIGINT)
        await until(lambda: left, timeout_s=1.0)
        code = await asyncio.to_thread(worker.wait)

    assert [(sig.directed.id, sig.payload) for sig in left] == [("worker", {})]
    assert code == -signal.SIGINT
    assert worker.err[-1].text == "KeyboardInterrupt"


@pytest.mark.asyncio
async def test_a_synapse_that_is_stopped_tells_its_dendrites_and_lets_them_end(
    namespace, join, children
):
    synapse, url = children.synapse()
    worker = children.worker(url, namespace, axon())
    async with join(url=url) as caller:
        await caller.ask(neuron="worker", input={})
        synapse.send(signal.SIGTERM)
        assert await asyncio.to_thread(synapse.wait) == 0

        worker.send(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait) == 0


@pytest.mark.asyncio
async def test_a_plain_handler_that_never_returns_does_not_keep_its_process(children):
    program = """
import asyncio, threading
from cosmonapse import Dendrite, MemorySynapse

async def main():
    entered = threading.Event()
    async with Dendrite(synapse=MemorySynapse()) as dendrite:
        @dendrite.on_plan
        def hangs(sig):
            entered.set()
            threading.Event().wait()
        await dendrite.emit_plan(steps=["wait"])
        await asyncio.to_thread(entered.wait)
    print("left", flush=True)

asyncio.run(main())
"""

    child = children.start("-c", program)

    child.line("left")
    assert await asyncio.to_thread(child.wait, 5) == 0
