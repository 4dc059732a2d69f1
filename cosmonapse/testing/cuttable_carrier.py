"""A carrier whose connection can be taken away and made anew. Decides nothing but that.

Spec: docs/spec/08-port.md, the carrier port. To the client a cut looks as the end of a connection
does, and to the far end as well. For `cosmonapse.testing`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import zmq_transport as wire_side
from zmq_transport.wire.batch import singles

Passes = Callable[[Callable[[], object]], None]


class _Ear:
    """Hears one connection; deaf once that was taken away, whatever it still brings.

    Args:
        events: Who is told.
    """

    def __init__(self, events: wire_side.CarrierEvents) -> None:
        self._events = events
        self.deaf = False
        self.subscriptions: set[bytes] = set()

    def on_message(self, head: bytes, body: bytes) -> None:
        """See the port."""
        if not self.deaf:
            self._events.on_message(head, body)

    def on_writable(self) -> None:
        """See the port."""
        if not self.deaf:
            self._events.on_writable()

    def on_disconnected(self) -> None:
        """See the port."""
        if not self.deaf:
            self._events.on_disconnected()

    def on_publication(self, topic: bytes, header: bytes, body: bytes) -> None:
        """See the port."""
        if not self.deaf:
            self._events.on_publication(topic, header, body)

    def on_subscription(self, joins: bool, topic: bytes) -> None:
        """See the port."""
        if self.deaf:
            return
        (self.subscriptions.add if joins else self.subscriptions.discard)(topic)
        self._events.on_subscription(joins, topic)

    def on_dropped(self, reason: str) -> None:
        """See the port."""
        if not self.deaf:
            self._events.on_dropped(reason)


class CuttableCarrier:
    """Moves the frames of one client, until somebody cuts it; see `zmq_transport.Carrier`.

    Args:
        connection: Makes a carrier that is not yet open; called once for each connection.
        passes: Gets each broadcast as a call that sends it, and makes that call, later, or never.
    """

    def __init__(self, connection: Callable[[], wire_side.Carrier], passes: Passes) -> None:
        self._connection = connection
        self._passes = passes
        self._carrier = connection()
        self._events: wire_side.CarrierEvents
        self._ear: _Ear | None = None
        self._topics: dict[bytes, None] = {}
        self._closed = False

    @property
    def is_cut(self) -> bool:
        """Tell whether it leads nowhere: cut, closed or never opened."""
        return self._ear is None or self._ear.deaf

    @property
    def endpoint(self) -> str:
        """Where it leads, for people."""
        return self._carrier.endpoint

    async def open(self, events: wire_side.CarrierEvents) -> None:
        """See the port."""
        self._events = events
        await self._connect()

    async def _connect(self) -> None:
        ear = _Ear(self._events)
        await self._carrier.open(ear)
        self._ear = ear
        for topic in self._topics:
            self._carrier.subscribe(topic)

    def lose(self) -> None:
        """End the connection and tell nobody, as the death of the process does."""
        if self._ear is not None:
            self._ear.deaf = True
        self._carrier.close()

    def cut(self) -> None:
        """End the connection, and let the client find out as it does on a network."""
        if self.is_cut or self._ear is None:
            return
        listeners = self._ear.subscriptions
        self.lose()
        for topic in listeners:  # a publisher whose far end is gone knows of no listeners
            self._events.on_subscription(False, topic)
        self._events.on_disconnected()

    async def mend(self) -> None:
        """Make a new connection, unless the client closed; it introduces itself again."""
        if self.is_cut and not self._closed:
            self._carrier = self._connection()
            await self._connect()

    def diagnosis(self) -> str:
        """Say for people what was seen on the way so far."""
        return "the line is cut" if self.is_cut else self._carrier.diagnosis()

    def send(self, head: bytes, body: bytes) -> wire_side.Sent:
        """See the port; what is sent over a line that was cut is lost."""
        return wire_side.Sent.OK if self.is_cut else self._carrier.send(head, body)

    def poll_soon(self) -> None:
        """See the port."""
        if not self.is_cut:
            self._carrier.poll_soon()

    def join(self, listen_port: int, publish_port: int) -> bool:
        """See the port."""
        return not self.is_cut and self._carrier.join(listen_port, publish_port)

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
        """See the port; what was put together passes one by one, as it was published."""
        for message in singles(topic, header, body):
            self._passes(functools.partial(self._publish, *message))

    def _publish(self, topic: bytes, header: bytes, body: bytes) -> None:
        if not self.is_cut:
            self._carrier.publish(topic, header, body)

    def close(self) -> None:
        """See the port."""
        self._closed = True
        self.lose()
