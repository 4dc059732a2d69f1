"""The second connection of a client, for what it listens to.

Spec: docs/spec/14-nats.md, "Connections" 6. A client that listens to more than it can read is cut
by the nats-server. Then this connection is made anew, and the directed one never notices.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final, Protocol

from nats.aio.msg import Msg

from zmq_transport import CarrierEvents
from zmq_transport.errors import WireError
from zmq_transport.wire import heads

from . import subjects
from .errors_of import Fault, refused
from .frames import Tag, pack_topic, tag_of, unpack_publication
from .incoming import Incoming
from .line import LineEvents, NatsLine
from .place import NatsPlace
from .uplink import MOST_BYTES, Uplink

PING_S: Final = 1.0
"""How often the listening connection asks the nats-server for a sign of life. Answers wait behind
all that was not read yet: so one that is seconds behind ends, and what it missed is counted. The
nats-server would make whoever publishes wait for it, which is the router of everybody."""
REFUSALS: Final = ("authorization", "permission")
"""The kinds of faults that no other attempt mends."""


class NewLine(Protocol):
    """Makes a connection; see `NatsLine`."""

    def __call__(
        self, place: NatsPlace, name: str, events: LineEvents, ping_s: float = ..., /
    ) -> NatsLine:
        """Return one that is not started yet."""


class ListeningLine:
    """Subscribes to topics, and says so to the router of the client.

    Args:
        place: Where the nats-servers are.
        namespace: The namespace of the client.
        events: Takes what is heard.
        new_line: Makes the connection, which begins with the first topic.
    """

    def __init__(
        self,
        place: NatsPlace,
        namespace: str,
        events: CarrierEvents,
        new_line: NewLine,
    ) -> None:
        self._place = place
        self._namespace = namespace
        self._events = events
        self._new_line = new_line
        self._line: NatsLine | None = None
        self._topics: dict[bytes, Callable[[], None]] = {}
        self._uplink: Uplink | None = None
        self._end_heard: Callable[[], None] = _nothing

    @property
    def line(self) -> NatsLine | None:
        """The connection; None before the first topic."""
        return self._line

    def subscribe(self, topic: bytes) -> None:
        """Listen to a topic."""
        if topic in self._topics:
            return
        if self._line is None:
            name = f"cosmo listens {self._namespace}"
            self._line = self._new_line(self._place, name, self, PING_S)
            self._line.start()
        self._topics[topic] = self._subscribed(topic)
        self._say(Tag.SUBSCRIBE, topic)

    def unsubscribe(self, topic: bytes) -> None:
        """End to listen to a topic."""
        end = self._topics.pop(topic, None)
        if end is not None:
            end()
            self._say(Tag.UNSUBSCRIBE, topic)

    def turn_to(self, uplink: Uplink | None) -> None:
        """Tell a new router what this client listens to; None while there is no router."""
        self._end_heard()
        self._end_heard = _nothing
        self._uplink = uplink
        self._introduce()

    def close(self) -> None:
        """End the connection now."""
        self._topics.clear()
        if self._line is not None:
            self._line.close()

    # -- events of the line ----------------------------------------------------------------------

    def on_up(self) -> None:
        """Subscribe to everything again."""
        for topic in self._topics:
            self._topics[topic] = self._subscribed(topic)
        self._introduce()

    def on_down(self, why: str) -> None:
        """Wait for the next connection."""

    def on_fault(self, fault: Fault) -> None:
        """Let nobody wait for what the nats-server refuses."""
        if fault.kind in REFUSALS:
            self._events.on_broadcast_refused(refused(self._place, fault, self._namespace))

    # -- what is heard ---------------------------------------------------------------------------

    def _introduce(self) -> None:
        if self._uplink is None or self._line is None or not self._line.is_connected:
            return
        self._end_heard = self._line.subscribe(self._uplink.heard, self._taker())
        for topic in self._topics:
            self._say(Tag.SUBSCRIBE, topic)

    def _say(self, tag: Tag, topic: bytes) -> None:
        # Behind the subscription, and on its connection: when the router reads it, that is in
        # force.
        if self._uplink is not None and self._line is not None:
            self._line.publish(self._uplink.up, pack_topic(tag, topic))

    def _subscribed(self, topic: bytes) -> Callable[[], None]:
        if self._line is None or _is_sync(topic):
            return _nothing  # the answer to a sync comes to this client alone
        return self._line.subscribe(subjects.of_topic(topic), self._taker())

    def _taker(self) -> Callable[[Msg], None]:
        return functools.partial(self._on_message, Incoming(MOST_BYTES, MOST_BYTES))

    def _on_message(self, incoming: Incoming, message: Msg) -> None:
        try:
            publication = _publication_in(incoming, message.data)
        except WireError as error:
            self._events.on_dropped(error.reason)
            return
        if publication is not None:
            self._events.on_publication(*publication)


def _publication_in(incoming: Incoming, data: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Return what a message says, None if it is a piece and not the last one.

    Raises:
        WireError: It is no broadcast message, or over a limit.
    """
    whole = incoming.read(data)
    if whole is None:
        return None
    if tag_of(whole) != Tag.PUBLICATION:
        raise WireError("bad_frame", f"tag {tag_of(whole)} is not for who listens")
    return unpack_publication(whole)


def _is_sync(topic: bytes) -> bool:
    _, kind, trace = heads.read_topic(topic)
    return kind is None and trace is None


def _nothing() -> None:
    """End a subscription that was never made."""
