"""Publishing what somebody is known to wait for: again, until we know that he listens."""

from __future__ import annotations

import asyncio

from ..signals import Signal
from .publishing import Publisher

FIRST_PAUSE_S = 0.001
LONGEST_PAUSE_S = 0.05


async def publish_heard(publisher: Publisher, signal: Signal, within_s: float) -> bool:
    """Publish once somebody else listens; False if nobody does within `within_s` seconds.

    Whoever listens is in force at the Synapse before it is known to us.

    Raises:
        UnencodableValue: It holds what no Signal can carry.
        SignalTooLarge: It is over the limit.
    """
    if publisher.publish(signal):
        return True
    body, clock = signal.encode(), asyncio.get_running_loop().time
    until_s, pause_s = clock() + within_s, FIRST_PAUSE_S
    while (left_s := until_s - clock()) > 0:
        await asyncio.sleep(min(pause_s, left_s))
        if publisher.publish_again(signal, body):
            return True
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
    return False
