"""The carrier over ZeroMQ: a line for the directed plane, a SUB and an XPUB beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..access.curve_keys import ClientKeys
from ..errors import AccessFault, Cause
from ..sockets.carriers import DEFAULT_CARRIER
from ..sockets.endpoints import Endpoint, IpcEndpoint, Target, endpoint_in
from ..sockets.sent import Sent
from .broadcast_sockets import BroadcastSockets
from .carrier import CarrierEvents
from .curve import Curve
from .diagnosis import Diagnosis
from .dialer import Dialer
from .lines import line_of
from .refusals import refused


class ZmqCarrier:
    """Moves frames to and from a proxy; see `Carrier`.

    Args:
        target: The directed endpoint of the proxy, or those of several of which one leads.
        max_body_bytes: The sockets disconnect a peer that sends a larger body.
        carrier: What moves the directed messages: `zmtp` or `libzmq`.
        keys: The keys, used over TCP only, where `libzmq` then moves the messages: it has CURVE.
    """

    def __init__(
        self,
        target: Target,
        max_body_bytes: int,
        carrier: str = DEFAULT_CARRIER,
        keys: ClientKeys | None = None,
    ) -> None:
        self._target = target
        self._max_body_bytes = max_body_bytes
        self._curve = curve_for(target, keys)
        self._new_line = line_of(carrier, self._curve)
        self._is_open = False
        self.send: Callable[[bytes, bytes], Sent] = _busy
        """See the port. The line's own, as every message passes here."""

    @property
    def endpoint(self) -> str:
        """The proxy, for error texts."""
        return str(self._target)

    @property
    def address(self) -> str:
        """See the port."""
        return str(self._dialer.address) if self._is_open else ""

    @property
    def user(self) -> str:
        """The name of the key that the sockets show; empty without one."""
        return "" if self._curve is None else self._curve.user

    async def open(self, events: CarrierEvents) -> None:
        """See the port."""
        self._events = events
        self._line = self._new_line(events, self._max_body_bytes)
        self.send = self._line.send
        self._broadcasts = BroadcastSockets(
            events, self._max_body_bytes, self._on_broadcast_refused, self._curve
        )
        self._dialer = Dialer(
            self._line, self._target, events.on_disconnected, self._on_refused, self._curve
        )
        self._is_open = True
        self._dialer.start()

    def diagnosis(self) -> Diagnosis:
        """See the port."""
        if not self._dialer.is_established:
            return self._dialer.diagnosis()
        address = self._dialer.address
        if self._dialer.has_met_standby and not self._broadcasts.is_joined:
            return self._dialer.diagnosis()  # one that holds a HELLO says nothing itself
        if not self._broadcasts.is_joined:
            text = f"connected to {address}, but the greeting got no answer in time"
            return Diagnosis(Cause.SLOW, text)
        if (found := self._broadcasts.diagnosis()) is not None:
            return Diagnosis(Cause.BROADCAST, f"it answers at {address}, but {found.text}")
        return Diagnosis(
            Cause.SLOW, f"connected to {address}, but a subscription was not answered in time"
        )

    @property
    def is_alone(self) -> bool:
        """See the port."""
        return self._dialer.is_alone

    def pass_over(self, fabric: Sequence[str]) -> None:
        """See the port."""
        # From a Unix socket to the network is no step that a proxy decides: nothing is kept secret
        # there without a key.
        named = () if isinstance(self._target, IpcEndpoint) else fabric
        others = [at for each in named if (at := endpoint_in(each)) is not None]
        self._dialer.pass_over(fabric, others)

    def poll_soon(self) -> None:
        """See the port."""
        self._line.poll_soon()

    def join(self, listen_port: int, publish_port: int) -> bool:
        """See the port."""
        self._dialer.on_welcomed()
        # At the address that said WELCOME: another address of its name may be another machine.
        return self._broadcasts.join(*self._dialer.address.broadcast(listen_port, publish_port))

    def open_publisher(self) -> None:
        """See the port."""
        if self._is_open:
            self._broadcasts.open_publisher()

    def subscribe(self, topic: bytes) -> None:
        """See the port."""
        if self._is_open:
            self._broadcasts.subscribe(topic)

    def unsubscribe(self, topic: bytes) -> None:
        """See the port."""
        if self._is_open:
            self._broadcasts.unsubscribe(topic)

    def publish(self, topic: bytes, header: bytes, body: bytes) -> None:
        """See the port."""
        if self._is_open:
            self._broadcasts.publish(topic, header, body)

    def close(self) -> None:
        """Release every socket now."""
        if self._is_open:
            self._is_open = False
            self.send = _busy
            self._dialer.close()
            self._broadcasts.close()

    def _on_refused(self, address: Endpoint, fault: AccessFault) -> None:
        # A refused socket of libzmq is dead for good: all are connected anew after a WELCOME.
        self._broadcasts.rest()
        self._events.on_access_refused(refused(str(address), fault, self.user))

    def _on_broadcast_refused(self, fault: AccessFault) -> None:
        self._events.on_broadcast_refused(refused(str(self._dialer.address), fault, self.user))


def curve_for(target: Target, keys: ClientKeys | None) -> Curve | None:
    """Return what the sockets to a proxy show; None without keys, and on this machine."""
    return None if keys is None or isinstance(target, IpcEndpoint) else Curve(keys)


def _busy(head: bytes, body: bytes) -> Sent:
    return Sent.BUSY
