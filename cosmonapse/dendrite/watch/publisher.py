"""Publishing: a Signal of ours for everyone who watches, us included."""

from __future__ import annotations

import asyncio

from ...errors import SignalTooLarge
from ...ids import id_bytes
from ...signals import Signal
from ...transport import Transport
from .subscriptions import Subscriptions

FIRST_PAUSE_S = 0.001
LONGEST_PAUSE_S = 0.05
_NOBODY = bytes(16)


class Publisher:
    """Shows Signals of this Dendrite to whoever watches.

    Args:
        transport: Who carries them to others.
        watching: Our own handlers; the copies that come back to us are known to be ours.
    """

    def __init__(self, transport: Transport, subscriptions: Subscriptions) -> None:
        self._transport = transport
        self._subscriptions = subscriptions

    def publish(self, signal: Signal) -> int:
        """Publish, also to our own handlers; return how many messages that took.

        Raises:
            UnencodableValue: It holds what no Signal can carry.
            SignalTooLarge: It is over the limit.
        """
        body, limit = signal.encode(), self._transport.max_signal_bytes
        if len(body) > limit:
            raise SignalTooLarge(len(body), limit)
        if self._subscriptions.may_want(signal.type, signal.trace_id):
            self._subscriptions.feed(signal)
        return self.publish_again(signal, body)

    def publish_again(self, signal: Signal, body: bytes) -> int:
        """Publish to others only."""
        trace, own = id_bytes(signal.trace_id), self._transport.instance
        if not self._transport.is_heard(signal.type.code, trace):
            return 0
        return self._transport.publish(signal.type.code, trace, own, _NOBODY, body)


async def publish_heard(publisher: Publisher, signal: Signal, within_s: float) -> bool:
    """Publish a Signal repeatedly until a subscriber is known.

    A subscription is in force at the Synapse before it is known here.

    Returns:
        False if nobody else subscribed within `within_s` seconds.

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
