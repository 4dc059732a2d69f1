"""Publishing: a Signal of ours for everyone who watches, us included."""

from __future__ import annotations

from ..errors import SignalTooLarge
from ..ids import id_bytes
from ..signals import Signal
from ..transport import Transport
from .watching import Watching

_NOBODY = bytes(16)


class Publisher:
    """Shows Signals of this Dendrite to whoever watches.

    Args:
        transport: Who carries them to others.
        watching: Our own handlers; the copies that come back to us are known to be ours.
    """

    def __init__(self, transport: Transport, watching: Watching) -> None:
        self._transport = transport
        self._watching = watching

    def publish(self, signal: Signal) -> int:
        """Publish, also to our own handlers; return how many messages that took.

        Raises:
            UnencodableValue: It holds what no Signal can carry.
            SignalTooLarge: It is over the limit.
        """
        body, limit = signal.encode(), self._transport.max_signal_bytes
        if len(body) > limit:
            raise SignalTooLarge(len(body), limit)
        if self._watching.may_want(signal.type, signal.trace_id):
            self._watching.feed(signal)
        return self.publish_again(signal, body)

    def publish_again(self, signal: Signal, body: bytes) -> int:
        """Publish to others only."""
        trace, own = id_bytes(signal.trace_id), self._transport.instance
        if not self._transport.is_heard(signal.type.code, trace):
            return 0
        return self._transport.publish(signal.type.code, trace, own, _NOBODY, body)
