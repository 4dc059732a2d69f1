"""The rights and origins of Dendrites again, over sockets and real keys instead of memory."""

import asyncio
import os

import pytest
import pytest_asyncio

from cosmonapse import Axon, Dendrite, new_trace_id, synapse_from_url
from support.joining import joining
from support.keyed_synapse import KeyedSynapse
from support.processes import until
from unit.dendrite import test_origin, test_rights

pytestmark = pytest.mark.asyncio


@pytest.fixture
def rights(request):
    """The rights of the users in the module that a test is of."""
    home = test_origin if hasattr(test_origin, request.function.__name__) else test_rights
    return dict(home.RIGHTS)


@pytest_asyncio.fixture
async def join_as(rights, tmp_path):
    """Start Dendrites of users, each with its key."""
    shared = await asyncio.to_thread(KeyedSynapse, tmp_path / "keys", rights)
    async with joining(shared) as join:
        yield join
    await asyncio.to_thread(shared.close)


async def test_who_runs_the_synapse_does_everything_over_its_unix_socket_without_a_key(tmp_path):
    path = tmp_path / "sock"
    shared = await asyncio.to_thread(KeyedSynapse, tmp_path / "keys", {"ada": ["member"]}, ipc=path)
    seen, local = [], synapse_from_url(f"cosmo+ipc://{path}")

    async def echo(input, context):
        return {"asked_by": context.task.origin}

    try:
        async with (
            Dendrite(synapse=local, dendrite_id="owner") as owner,
            Dendrite(synapse=shared.as_user("ada"), dendrite_id="ada") as ada,
        ):
            await owner.add_axon(Axon(neuron_id="local", neuron_fn=echo))
            owner.on_plan(lambda sig: seen.append(("owner", sig.origin)))
            ada.on_plan(lambda sig: seen.append(("ada", sig.origin)))
            await owner._subscriptions.settle()
            await ada._subscriptions.settle()

            asked = [await each.ask(neuron="local", input={}) for each in (owner, ada)]
            await owner.emit_plan(steps=[])
            await ada.emit_plan(steps=[])
            await until(lambda: len(seen) == 4)
            await owner.stop_trace(new_trace_id())
    finally:
        await asyncio.to_thread(shared.close)

    # It has no key, so others cannot tell who it is; it knows itself, and who has a key.
    uid = f"uid:{os.getuid()}"
    assert asked == [{"asked_by": None}, {"asked_by": "ada"}]
    assert sorted(seen, key=str) == [
        ("ada", "ada"),
        ("ada", None),
        ("owner", "ada"),
        ("owner", uid),
    ]


globals().update(
    {
        name: test
        for module in (test_origin, test_rights)
        for name, test in vars(module).items()
        if name.startswith("test_") and "without_keys" not in name
    }
)
