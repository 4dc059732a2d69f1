"""The names of live Neurons, for the completion in a shell: quick, or none at all."""

from __future__ import annotations

import asyncio

import click

from ..configuration import checked_namespace, chosen
from ..dendrite import Dendrite
from ..errors import CosmonapseError
from ..runtime.loops import run
from ..synapse import connect_synapse

_LOOK_S = 1.0


def neurons_that_begin(context: click.Context, beginning: str) -> list[str]:
    """Return the ids of live Neurons that begin so, where a Synapse answers within a second."""
    given = context.params

    async def look() -> set[str]:
        async with asyncio.timeout(_LOOK_S):
            url, key = given.get("url") or None, given.get("key")
            synapse = await connect_synapse(url, key=key, timeout_s=_LOOK_S)
            namespace = checked_namespace(chosen("namespace", given.get("namespace")))
            async with Dendrite(
                synapse=synapse, namespace=namespace, dendrite_id="cosmo"
            ) as dendrite:
                return {each.neuron_id for each in await dendrite.find_neurons()}

    try:
        names = run(look())
    except (CosmonapseError, TimeoutError, OSError):
        return []
    return sorted(each for each in names if each.startswith(beginning))
