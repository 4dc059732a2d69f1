"""`Dendrite.open_tasks`: what is listed, for whom, and what an older Synapse means."""

import asyncio
import contextlib

import pytest
import pytest_asyncio

from cosmonapse import Axon, Dendrite, DendriteProtocolError, MemorySynapse, SynapseRefused
from support.processes import until

pytestmark = pytest.mark.asyncio


RIGHTS = {
    "host": ["serve"],
    "ada": ["dispatch"],
    "ben": ["dispatch"],
    "eve": ["watch"],
}


@pytest_asyncio.fixture
async def join_as_users():
    """A Dendrite of each of four users: one that hosts, two that call, one that watches."""
    synapse = MemorySynapse("listed", rights=RIGHTS)
    async with contextlib.AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                Dendrite(synapse=synapse.as_user(user), dendrite_id=f"{user}-web")
            )
            for user in RIGHTS
        ]


async def test_each_key_sees_what_it_sent_and_a_watcher_all_of_it(join_as_users):
    host, ada, ben, eve = join_as_users
    running = []

    async def hold(given, context):
        running.append(given)
        await asyncio.Event().wait()

    await host.add_axon(Axon(neuron_id="holder", neuron_fn=hold))
    sent = [await caller.dispatch(neuron="holder", input={}) for caller in (ada, ben)]
    await until(lambda: len(running) == 2)

    seen = [await each.open_tasks() for each in (ada, ben, eve)]
    for pathway in sent:
        await pathway.close()

    assert [[(task.user, task.caller) for task in tasks] for tasks in seen] == [
        [("ada", "ada-web")],
        [("ben", "ben-web")],
        [("ada", "ada-web"), ("ben", "ben-web")],
    ]


async def test_a_synapse_that_cannot_tell_is_told_as_older(monkeypatch):
    async with Dendrite(synapse=MemorySynapse()) as dendrite:

        async def cannot(timeout_s):
            return None

        monkeypatch.setattr(dendrite._transport, "open_tasks", cannot)
        with pytest.raises(SynapseRefused, match="of an older version, which cannot list open"):
            await dendrite.open_tasks()


async def test_one_that_does_not_run_lists_nothing():
    with pytest.raises(DendriteProtocolError):
        await Dendrite(synapse=MemorySynapse()).open_tasks()
