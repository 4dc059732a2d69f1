"""A Synapse with users forgets everything: tasks go on at who had them, and nobody takes them."""

import asyncio

import pytest

from cosmonapse import Axon, Dendrite, MemorySynapse

pytestmark = pytest.mark.asyncio


@pytest.fixture
def office():
    return MemorySynapse(
        "office", rights={"ada": ["dispatch"], "ben": ["serve=echo"], "eve": ["serve=thief"]}
    )


@pytest.mark.parametrize("ends", ["before", "after"])
@pytest.mark.parametrize("target", [{"neuron": "echo"}, {"capabilities": ["sum"]}])
async def test_a_task_ends_once_over_a_restart(office, target, ends):
    started, go_on = asyncio.Event(), asyncio.Event()
    calls = []

    async def echo(input, context):
        calls.append(input)
        started.set()
        await go_on.wait()
        return {"echo": input}

    worker = Dendrite(synapse=office.as_user("ben"))
    worker.attach_axon(Axon(neuron_id="echo", neuron_fn=echo, capabilities=["sum"]))
    thief = Dendrite(synapse=office.as_user("eve"))
    thief.attach_axon(Axon(neuron_id="thief", neuron_fn=echo, capabilities=["count"]))
    caller = Dendrite(synapse=office.as_user("ada"))
    async with worker, thief, caller:
        answer = asyncio.create_task(caller.ask(input=1, timeout_s=10, **target))
        await asyncio.wait_for(started.wait(), 5)
        if ends == "before":
            go_on.set()
            await asyncio.sleep(0)
        office.hub.restart()
        go_on.set()

        assert await asyncio.wait_for(answer, 15) == {"echo": 1}
    assert calls == [1]
    assert "drop.claim_forbidden" not in office.counts
