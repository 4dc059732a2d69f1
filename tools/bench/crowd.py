"""Many Dendrites that are connected and idle, in a few processes."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection
from types import MappingProxyType

from cosmonapse import Axon, Dendrite, synapse_from_url
from cosmonapse.bench.children import Child, answer

PROCESSES = 4
STARTS_S = 90.0
_AT_ONCE = 50
_FEW = 50  # one process is enough for so many
# Of the Synapse, and of a process of the crowd: counted, and a reserve.
DESCRIPTORS_EACH = 3
_OWN_DESCRIPTORS_EACH = 9
_RESERVE = 200


def descriptors_wanted(count: int) -> int:
    """Return how many descriptors one process needs for a crowd, the neediest of them."""
    each = max(DESCRIPTORS_EACH, -(-_OWN_DESCRIPTORS_EACH // PROCESSES))
    return count * each + _RESERVE


def descriptors() -> int:
    """Return how many this system allows a process."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def crowd(
    connection: Connection,
    url: str,
    namespace: str,
    count: int,
    axons: int,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Start Dendrites with some Axons each, and keep them until the parent wants no more."""
    os.environ.update(variables)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(_crowd(connection, url, namespace, count, axons))


async def _crowd(connection: Connection, url: str, namespace: str, count: int, axons: int) -> None:
    async def echo(given: object, context: object) -> object:
        return given

    where = synapse_from_url(url)
    dendrites = [Dendrite(synapse=where, namespace=namespace) for _ in range(count)]
    for number, dendrite in enumerate(dendrites):
        for axon in range(axons):
            dendrite.attach_axon(Axon(neuron_id=f"neuron-{number}-{axon}", neuron_fn=echo))
    connection.send(None)

    async def start() -> None:
        for first in range(0, count, _AT_ONCE):
            some = dendrites[first : first + _AT_ONCE]
            await asyncio.gather(*(each.start(timeout_s=30.0) for each in some))

    async def stop() -> None:
        await asyncio.gather(*(each.stop(drain_s=0.0) for each in dendrites))

    await answer(connection, {"start": start, "stop": stop})


def gathered(
    stack: ExitStack,
    url: str,
    namespace: str,
    count: int,
    axons: int = 1,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Sequence[Child]:
    """Start a crowd of about `count` Dendrites, and return its processes.

    Args:
        stack: Ends them.
        url: Of the Synapse.
        namespace: The namespace that they join.
        count: How many there shall be.
        axons: How many Axons each has.
        variables: Set in the environment of the processes.
    """
    processes = min(PROCESSES, -(-count // _FEW))
    each = max(1, count // processes)
    crowds = [
        stack.enter_context(Child(crowd, url, namespace, each, axons, dict(variables)))
        for _ in range(processes)
    ]
    for child in crowds:
        child.begin("start")
    for child in crowds:
        child.end(STARTS_S)
    return crowds


def dispersed(crowds: Sequence[Child]) -> None:
    """Stop the Dendrites of a crowd."""
    for child in crowds:
        child.begin("stop")
    for child in crowds:
        child.end(STARTS_S)
