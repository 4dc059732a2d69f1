"""The rights and origins of Dendrites again, over sockets and real keys instead of memory."""

import asyncio

import pytest
import pytest_asyncio

from cosmonapse import Dendrite
from support.keyed_synapse import KeyedSynapse
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
    shared, made = await asyncio.to_thread(KeyedSynapse, tmp_path / "keys", rights), []

    async def make(user, *axons, start=True, **settings):
        dendrite = Dendrite(**{"synapse": shared.as_user(user), "dendrite_id": user, **settings})
        made.append(dendrite)
        for axon in axons:
            dendrite.attach_axon(axon)
        if start:
            await dendrite.start()
        return dendrite

    make.synapse = shared
    yield make
    for dendrite in reversed(made):
        await dendrite.stop(drain_s=0.0)
    await asyncio.to_thread(shared.close)


globals().update(
    {
        name: test
        for module in (test_origin, test_rights)
        for name, test in vars(module).items()
        if name.startswith("test_") and "without_keys" not in name
    }
)
