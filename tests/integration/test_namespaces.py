"""Namespaces never see each other, and a Synapse may serve some only."""

import asyncio
import signal

import pytest

from cosmonapse import SignalType, SynapseRefused
from support.processes import axon, until
from support.watching import kept

NAMED = (
    "on_agent_output",
    "on_deregister_signal",
    "on_error_signal",
    "on_heartbeat_signal",
    "on_register_signal",
    "on_task_signal",
    "on_thought_delta",
)


async def work(worker, caller, beats):
    """Let a namespace see every kind of Signal that a decorator is named for."""
    await caller.ask(neuron="streams", input={"count": 3})
    await caller.dispatch_and_wait(neuron="fails", input={"why": "so"})
    await until(lambda: beats)
    worker.send(signal.SIGTERM)
    await asyncio.to_thread(worker.wait)


@pytest.mark.asyncio
async def test_every_decorator_sees_its_own_namespace_and_nothing_of_another(
    url, namespace, join, children
):
    other = f"{namespace}-other"
    ours, theirs = join("ours"), join("theirs", namespace=other)
    our_lists = {name: kept(getattr(ours, name)) for name in NAMED}
    their_lists = {name: kept(getattr(theirs, name)) for name in NAMED}
    async with ours, theirs, join("caller") as caller, join(namespace=other) as fence:
        worker = children.worker(
            url, namespace, axon("stream", "streams"), axon("fails", "fails"), heartbeat_s=0.05
        )
        await work(worker, caller, our_lists["on_heartbeat_signal"])
        await until(lambda: all(our_lists.values()), what="every decorator")
        await fence.dispatch_and_wait(neuron="fence", input={})
        await until(lambda: their_lists["on_error_signal"])

    seen = [sig for signals in their_lists.values() for sig in signals]
    assert {sig.directed.id for sig in seen} == {"fence"}
    assert {sig.directed.id for signals in our_lists.values() for sig in signals} == {
        "streams",
        "fails",
    }


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("target", "code"),
    [
        ({"neuron": "worker"}, "NO_SUCH_NEURON"),
        ({"capabilities": ["text"]}, "NO_CAPABLE_NEURON"),
    ],
)
async def test_a_neuron_of_another_namespace_cannot_be_reached(
    target, code, url, namespace, join, children
):
    children.worker(url, namespace, axon(capabilities=["text"]))
    async with join() as insider, join(namespace=f"{namespace}-other") as outsider:
        reached = await insider.dispatch_and_wait(**target, input={})
        refused = await outsider.dispatch_and_wait(**target, input={})

    assert reached.type is SignalType.AGENT_OUTPUT
    assert refused.payload["code"] == code


@pytest.mark.asyncio
async def test_a_trace_of_another_namespace_cannot_be_watched(url, namespace, join, children):
    children.worker(url, namespace, axon())
    async with join() as caller, join(namespace=f"{namespace}-other") as outsider:
        task = await caller.dispatch_task(neuron="worker", input={})
        inside = kept(caller.on_signal(trace_id=task.trace_id))
        outside = kept(outsider.on_signal(trace_id=task.trace_id))
        await outsider.dispatch_and_wait(neuron="nobody", input={})

        await caller.ask(neuron="worker", input={}, trace_id=task.trace_id)
        await until(lambda: inside)
        await outsider.dispatch_and_wait(neuron="nobody", input={}, trace_id=task.trace_id)
        await until(lambda: outside)

    assert {sig.directed.id for sig in outside} == {"nobody"}


@pytest.mark.asyncio
async def test_a_namespace_that_is_not_served_is_refused_with_the_names_of_those_that_are(
    join, children
):
    _, url = children.synapse("--namespace", "api-demo", "--namespace", "staging")

    async with join(url=url, namespace="staging"):
        with pytest.raises(SynapseRefused) as caught:
            await join(url=url, namespace="api-dmeo").start()

    assert all(name in str(caught.value) for name in ("api-dmeo", "api-demo", "staging", url))
