"""The wait for a Synapse that is started after this program, without a limit."""

from __future__ import annotations

import asyncio
import logging

from ..errors import SynapseUnreachable
from ..transport import Synapse

_LOG = logging.getLogger(__name__)
_SAY_EVERY_S = 10.0
_LEAST_S = 0.5


async def wait_for_synapse(
    synapse: Synapse, dendrite_id: str, say_every_s: float = _SAY_EVERY_S
) -> None:
    """Return when a Synapse answers; say every 10 s in the log why it does not.

    Args:
        synapse: The Synapse.
        dendrite_id: The Dendrite that waits, for the log.
        say_every_s: The time between two lines.

    Raises:
        SynapseRefused: A Synapse of another version answers.
    """
    clock = asyncio.get_running_loop().time
    begun_at_s = said_at_s = clock()
    while True:
        tried_at_s = clock()
        try:
            await synapse.connect(max(_LEAST_S, said_at_s + say_every_s - tried_at_s))
            return
        except SynapseUnreachable as error:
            if clock() >= said_at_s + say_every_s:
                said_at_s = clock()
                _LOG.warning(
                    "dendrite %s has waited for its Synapse for %.0f s and goes on waiting: %s",
                    dendrite_id,
                    said_at_s - begun_at_s,
                    error,
                )
        await asyncio.sleep(max(0.0, _LEAST_S - (clock() - tried_at_s)))  # a name may fail at once
