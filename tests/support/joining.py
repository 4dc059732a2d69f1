"""Dendrites of the users of one Synapse, in memory or over sockets with keys."""

import contextlib

from cosmonapse import Dendrite


@contextlib.asynccontextmanager
async def joining(shared):
    """Yield what starts Dendrites of users: `await join(user, *axons, start=True, **settings)`.

    Args:
        shared: The Synapse; it has `as_user`, and is `join.synapse`.
    """
    made = []

    async def join(user, *axons, start=True, **settings):
        dendrite = Dendrite(**{"synapse": shared.as_user(user), "dendrite_id": user, **settings})
        made.append(dendrite)
        for axon in axons:
            dendrite.attach_axon(axon)
        if start:
            await dendrite.start()
        return dendrite

    join.synapse = shared
    yield join
    for dendrite in reversed(made):
        await dendrite.stop(drain_s=0.0)
