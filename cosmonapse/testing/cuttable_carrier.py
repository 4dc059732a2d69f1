"""A carrier whose connection can be taken away and made anew. Decides nothing but that.

Spec: docs/spec/08-port.md, the carrier port. To the client a cut looks as the end of a connection
does, and to the far end as well. For `cosmonapse.testing`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import zmq_transport as wire_side
from zmq_transport.kernel import read_target
from zmq_transport.wire.batch import singles

_PUBLISH = int(wire_side.Verb.PUBLISH)
Passes = Callable[[Callable[[], object]], None]


class _CuttableEvents:
    """Receives the events of one connection; ignores them once the connection was cut.

    Args:
        events: The receiver of the events.
    """

    def __init__(self, events: wire_side.CarrierEvents) -> None:
        self._events = events
        self.is_cut = False
        self.subscriptions: set[bytes] = set()

    def on_message(self, head: bytes, body: bytes) -> None:
        """See the port."""
        if not self.is_cut:
            self._events.on_message(head, body)

    def on_writable(self) -> None:
        """See the port."""
        if not self.is_cut:
            self._events.on_writable()

    def on_disconnected(self) -> None:
        """See the port."""
        if not self.is_cut:
            self._events.on_disconnected()

    def on_publication(self, topic: bytes, header: bytes, body: bytes) -> None:
        """See the port."""
        if not self.is_cut:
            self._events.on_publication(topic, header, body)

    def on_subscription(self, joins: bool, topic: bytes) -> None:
        """See the port."""
        if self.is_cut:
            return
        (self.subscriptions.add if joins else self.subscriptions.discard)(topic)
        self._events.on_subscription(joins, topic)

    def on_access_refused(self, error: wire_side.AccessRefused) -> None:
        """See the port."""
        if not self.is_cut:
            self._events.on_access_refused(error)

    def on_broadcast_refused(self, error: wire_side.AccessRefused) -> None:
        """See the port."""
        if not self.is_cut:
            self._events.on_broadcast_refused(error)

    def on_dropped(self, reason: str) -> None:
        """See the port."""
        if not self.is_cut:
            self._events.on_dropped(reason)


class CuttableCarrier:
    """Moves the frames of one client until a test cuts it; see `zmq_transport.Carrier`.

    Args:
        connection: Makes a carrier that is not yet open; called once for each connection.
        passes: Receives each broadcast as a call that sends it; makes that call, later, or never.
    """

    def __init__(self, connection: Callable[[], wire_side.Carrier], passes: Passes) -> None:
        self._connection = connection
        self._passes = passes
        self._carrier = connection()
        self._events: wire_side.CarrierEvents
        self._current: _CuttableEvents | None = None
        self._topics: dict[bytes, None] = {}
        self._closed = False
        self._publishes = False

    @property
    def is_cut(self) -> bool:
        """Return whether the connection is cut, closed or was never opened."""
        return self._current is None or self._current.is_cut

    @property
    def endpoint(self) -> str:
        """The endpoint that it connects to, as text."""
        return self._carrier.endpoint

    @property
    def address(self) -> str:
        """See the port."""
        return self._carrier.address

    async def open(self, events: wire_side.CarrierEvents) -> None:
        """See the port."""
        self._events = events
        await self._connect()

    async def _connect(self) -> None:
        current = _CuttableEvents(self._events)
        await self._carrier.open(current)
        self._current = current
        for topic in self._topics:
            self._carrier.subscribe(topic)
        if self._publishes:
            self._carrier.open_publisher()

    def lose(self) -> None:
        """End the connection without a report, as the death of the process does."""
        if self._current is not None:
            self._current.is_cut = True
        self._carrier.close()

    def cut(self) -> None:
        """End the connection, and report it to the client as a network does."""
        if self.is_cut or self._current is None:
            return
        listeners = self._current.subscriptions
        self.lose()
        for topic in listeners:  # a publisher whose far end is gone knows of no listeners
            self._events.on_subscription(False, topic)
        self._events.on_disconnected()

    async def mend(self) -> None:
        """Make a new connection, unless the client closed; it introduces itself again."""
        if self.is_cut and not self._closed:
            self._carrier = self._connection()
            await self._connect()

    def diagnosis(self) -> wire_side.Diagnosis:
        """Say what was seen on the way so far."""
        if self.is_cut:
            return wire_side.Diagnosis(wire_side.Cause.NO_ANSWER, "the line is cut")
        return self._carrier.diagnosis()

    def send(self, head: bytes, body: bytes) -> wire_side.Sent:
        """See the port; a message sent over a line that was cut is lost."""
        target = read_target(head)
        if target is None or target[0] != _PUBLISH:
            return self._send(head, body)
        # A publication that is handed over is a broadcast, too. One that waits counts as sent.
        sent = wire_side.Sent.OK

        def send() -> None:
            nonlocal sent
            sent = self._send(head, body)

        self._passes(send)
        return sent

    def _send(self, head: bytes, body: bytes) -> wire_side.Sent:
        return wire_side.Sent.OK if self.is_cut else self._carrier.send(head, body)

    @property
    def is_alone(self) -> bool:
        """See the port."""
        return not self.is_cut and self._carrier.is_alone

    def pass_over(self, fabric: Sequence[str]) -> None:
        """See the port."""
        if not self.is_cut:
            self._carrier.pass_over(fabric)

    def poll_soon(self) -> None:
        """See the port."""
        if not self.is_cut:
            self._carrier.poll_soon()

    def join(self, listen_port: int, publish_port: int) -> bool:
        """See the port."""
        return not self.is_cut and self._carrier.join(listen_port, publish_port)

    def open_publisher(self) -> None:
        """See the port."""
        self._publishes = True
        if not self.is_cut:
            self._carrier.open_publisher()

    def subscribe(self, topic: bytes) -> None:
        """See the port."""
        self._topics[topic] = None
        if not self.is_cut:
            self._carrier.subscribe(topic)

    def unsubscribe(self, topic: bytes) -> None:
        """See the port."""
        self._topics.pop(topic, None)
        if not self.is_cut:
            self._carrier.unsubscribe(topic)

    def publish(self, topic: bytes, header: bytes, body: bytes) -> None:
        """See the port; a batch passes as single messages, as they were published."""
        for message in singles(topic, header, body):
            self._passes(functools.partial(self._publish, *message))

    def _publish(self, topic: bytes, header: bytes, body: bytes) -> None:
        if not self.is_cut:
            self._carrier.publish(topic, header, body)

    def close(self) -> None:
        """See the port."""
        self._closed = True
        self.lose()
