"""Who of those with keys is connected right now, for `cosmo keys list`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable

from ..dendrite import Dendrite
from ..errors import RemoteError, SynapseRefused
from ..key_ring import Member
from ..keys import Key
from ..runtime.loops import run
from ..synapse import connect_synapse
from ..synapse.access import user_tag

_CONNECT_S = 1.0  # mostly no Synapse is waited for: this is about keys first
_MAX_NAMESPACES = 20
_TAG_BYTES = len(user_tag(""))


def connected(
    url: str, key: Key | None, namespaces: Iterable[str], members: Iterable[Member]
) -> tuple[Counter[str], list[str]]:
    """Return how many Dendrites each name has, this program not counted, and in which namespaces.

    At most 20 namespaces are asked. One that this key may not enter, or that the Synapse does not
    serve, is left out.

    Raises:
        RemoteError: No Synapse answers, or it lets this key in nowhere.
        TimeoutError: It did not answer in time.
    """
    names = {user_tag(each.user): each.name for each in members if not each.is_local}
    found: Counter[str] = Counter()
    refusals: list[RemoteError] = []
    own = f"cosmo-keys-{os.getpid()}"
    asked = list(dict.fromkeys(namespaces))[:_MAX_NAMESPACES]

    async def count(namespace: str) -> None:
        synapse = await connect_synapse(url, key=key, timeout_s=_CONNECT_S)
        async with Dendrite(synapse=synapse, namespace=namespace, dendrite_id=own) as dendrite:
            for record in await dendrite.dendrites_snapshot():
                name = names.get(bytes.fromhex(record.instance)[-_TAG_BYTES:])
                if name is not None and record.dendrite_id != own:
                    found[name] += 1

    counted: list[str] = []
    for namespace in asked:
        try:
            run(count(namespace))
            counted.append(namespace)
        except SynapseRefused as error:
            refusals.append(error)
    if refusals and len(refusals) == len(asked):
        raise refusals[0]
    return found, counted
