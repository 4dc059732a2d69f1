"""Publishes Signals of this Dendrite to every subscriber, our own handlers included.

Spec: docs/spec/05-broadcast.md.
"""

from __future__ import annotations

import asyncio

from ...errors import SignalTooLarge
from ...ids import id_bytes
from ...kernel import encode_signal
from ...signals import Signal
from ...transport import Outcome, Transport
from .origins import MEANT, meant_for
from .subscriptions import Subscriptions

FIRST_PAUSE_S = 0.001
LONGEST_PAUSE_S = 0.05
_LEFT = (Outcome.SENT, Outcome.WAITING)


class Publisher:
    """Publishes Signals.

    Args:
        transport: Carries them to other Dendrites.
        subscriptions: Our own handlers, which are fed here; the copies from the Synapse carry our
            instance id and are skipped.
    """

    def __init__(self, transport: Transport, subscriptions: Subscriptions) -> None:
        self._transport = transport
        self._subscriptions = subscriptions

    def publish(self, signal: Signal, *, seldom: bool = False) -> int:
        """Publish to all, our own handlers included; return the number of messages sent.

        Args:
            signal: The Signal.
            seldom: True if it is no reason to open a connection for it.

        Raises:
            AccessRefused: Our key may not publish this type.
            UnencodableValue: It holds a value that no Signal can carry.
            SignalTooLarge: It is over the limit.
        """
        subscriptions = self._subscriptions
        subscriptions.own_rights.check_emit(signal.type)
        body, limit = encode_signal(signal), self._transport.max_signal_bytes
        if len(body) > limit:
            raise SignalTooLarge(len(body), limit)
        self.show(signal)
        return self.publish_again(signal, body, seldom=seldom)

    def show(self, signal: Signal) -> None:
        """Pass a Signal of ours to our own handlers only."""
        subscriptions = self._subscriptions
        if subscriptions.may_want(signal.type, signal.trace_id):
            if subscriptions.senders.have_names:
                subscriptions.senders.mark_own(signal)
            subscriptions.feed(signal)

    def publish_again(self, signal: Signal, body: bytes, *, seldom: bool = False) -> int:
        """Publish to other Dendrites only; return the number of messages sent."""
        kind, trace = signal.type.code, id_bytes(signal.trace_id)
        if signal.type in MEANT:
            return self._publish_meant(signal, kind, trace, body)
        return self._transport.publish(kind, trace, body, seldom=seldom)

    def _publish_meant(self, signal: Signal, kind: int, trace: bytes, body: bytes) -> int:
        """Hand a Signal over to those for whom it is meant; return the number of messages."""
        transport = self._transport
        to, peer, capabilities = meant_for(signal, self._subscriptions.origins, transport.instance)
        if to and transport.takes_published:
            address = transport.address_of(None, capabilities) if capabilities else b""
            sent = transport.send_published(to, kind, trace, body, peer, address)
            return int(sent in _LEFT)
        return transport.publish(kind, trace, body, seldom=True)


async def publish_until_subscribed(publisher: Publisher, signal: Signal, within_s: float) -> bool:
    """Publish a Signal repeatedly until a subscriber is known.

    A subscription is in force at the Synapse before it is known here (08-port, P26).

    Returns:
        False if no other Dendrite subscribed within `within_s` seconds.

    Raises:
        UnencodableValue: It holds a value that no Signal can carry.
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
