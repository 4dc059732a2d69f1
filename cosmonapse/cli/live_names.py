"""The names of live Neurons: for the completion in a shell, and for who misspelt one."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Iterable

import click

from ..configuration import checked_namespace, chosen
from ..dendrite import Dendrite
from ..errors import CosmonapseError
from ..registry import NeuronRecord
from ..runtime.loops import run
from ..synapse import connect_synapse

_LOOK_S = 1.0
_MOST_NEAR = 3


def near_text(neuron: str, records: Iterable[NeuronRecord]) -> str:
    """Return a question with the ids that a wrong one may mean; empty if none is near it."""
    names = sorted({each.neuron_id for each in records} - {neuron})
    near = difflib.get_close_matches(neuron, names, _MOST_NEAR, 0.5)
    return f"did you mean {' or '.join(near)}?" if near else ""


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
