"""Who of those with keys is connected right now, for `cosmo keys list`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ..dendrite import Dendrite
from ..errors import AccessRefused, RemoteError, SynapseRefused
from ..key_ring import Member
from ..keys import Key
from ..synapse.access import user_tag
from .fabric import on_fabric

_MAX_NAMESPACES = 20


def connected(
    url: str, key: Key | None, namespaces: Iterable[str], members: Iterable[Member]
) -> Counter[str]:
    """Return how many Dendrites each name has in some namespaces, this program not counted.

    A namespace that this key may not enter, or that the Synapse does not serve, is left out.

    Raises:
        RemoteError: No Synapse answers, or it lets this key in nowhere.
        TimeoutError: It did not answer in time.
    """
    names = {user_tag(each.user): each.name for each in members if not each.is_local}
    found: Counter[str] = Counter()
    refusals: list[RemoteError] = []
    asked = list(dict.fromkeys(namespaces))[:_MAX_NAMESPACES]

    async def count(dendrite: Dendrite) -> None:
        for record in await dendrite.dendrites_snapshot():
            name = names.get(bytes.fromhex(record.instance)[-len(user_tag("")) :])
            if name is not None and record.dendrite_id != dendrite.dendrite_id:
                found[name] += 1

    for namespace in asked:
        try:
            on_fabric(url, key, namespace, count)
        except (AccessRefused, SynapseRefused) as error:
            refusals.append(error)
    if refusals and len(refusals) == len(asked):
        raise refusals[0]
    return found
