"""The carrier over NATS: one connection for directed messages, a second one for who listens.

Spec: docs/spec/14-nats.md, "Connections". It says who its router is (`router_watch`), and makes a
connection to that one with an id of its own (`uplink`); both decide without a socket.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from nats.aio.msg import Msg

from zmq_transport import CarrierEvents, Cause, Diagnosis, Sent
from zmq_transport.errors import WireError
from zmq_transport.wire import heads

from . import subjects
from .credit import WINDOW
from .errors_of import Fault, refused
from .frames import JOIN, Tag, tag_of, topic_in, unpack_directed
from .line import NatsLine, is_no_responders
from .listening_line import REFUSALS, ListeningLine, NewLine
from .place import NatsPlace
from .router_watch import Move, RouterWatch
from .shares import unpack_beat
from .uplink import Uplink

TICK_S: Final = 0.1
PACE_BYTES: Final = 256 * 1024
"""So much of large messages is handed over at a time: what passes them waits for no more."""
MAX_WAITING_BYTES: Final = 8 * 1024 * 1024
"""Most bytes that wait for room in the socket; beyond, the carrier is busy."""
_ASK_AGAIN_S = 0.5
_GOING_AWAY = heads.pack(heads.Verb.GOING_AWAY)


class NatsCarrier:
    """Moves the frames of one client to and from a router; see `zmq_transport.Carrier`.

    Args:
        place: Where the nats-servers are.
        namespace: The namespace of the client.
        new_line: Makes the connections to the nats-server.
    """

    window: ClassVar[int] = WINDOW

    def __init__(
        self,
        place: NatsPlace,
        namespace: str,
        new_line: NewLine = NatsLine,
    ) -> None:
        self._place = place
        self._namespace = namespace
        self._new_line = new_line
        self._line: NatsLine
        self._is_open = False
        self._uplink: Uplink | None = None
        self._is_known = False
        self._ends: list[Callable[[], None]] = []
        self._inbox = ""
        self._asked_at_s = 0.0
        self._wants_room = False
        self._publishes = self._is_welcome = self._has_joined = False
        self._with_listeners: set[bytes] = set()
        self._pumped: Uplink | None = None
        self._pumps: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    is_alone = False
    """See the port: routers deal the namespaces among each other."""

    @property
    def endpoint(self) -> str:
        """The URL of the nats-server, for error texts."""
        return self._place.text

    @property
    def address(self) -> str:
        """See the port."""
        return self._place.text

    async def open(self, events: CarrierEvents) -> None:
        """See the port."""
        self._events = events
        self._watch = RouterWatch(self._namespace, time.monotonic())
        self._line = self._new_line(self._place, f"cosmo {self._namespace}", self)
        self._listening = ListeningLine(self._place, self._namespace, events, self._new_line)
        self._is_open = True
        self._line.start()
        self._tick()

    def diagnosis(self) -> Diagnosis:
        """See the port."""
        line = self._line
        if not line.is_connected:
            return Diagnosis(Cause.NOBODY, no_server(line))
        if self._uplink is None:
            text = (
                f"nats-server answers, but no Synapse serves the namespace {self._namespace} there"
            )
            return Diagnosis(Cause.STRANGER, text)
        second = self._listening.line
        if second is not None and not second.is_connected:
            text = f"it answers, but not on a second connection: {no_server(second)}"
            return Diagnosis(Cause.BROADCAST, text)
        return Diagnosis(Cause.SLOW, "connected to a Synapse, but it gave no answer in time")

    # -- the port: what the client asks for ------------------------------------------------------

    def send(self, head: bytes, body: bytes) -> Sent:
        """See the port."""
        uplink = self._uplink
        if (
            uplink is not None
            and uplink.has_room
            and self._line.waiting_bytes <= MAX_WAITING_BYTES
            and self._hand_over(uplink, uplink.put(head, body))
        ):
            return Sent.OK
        self._wants_room = True
        return Sent.BUSY

    def poll_soon(self) -> None:
        """See the port: what arrives is read anyway."""

    def pass_over(self, fabric: Sequence[str]) -> None:
        """See the port; it is never called, as no router stands by."""

    def join(self, listen_port: int, publish_port: int) -> bool:
        """See the port; the ports mean nothing here."""
        is_new = not self._is_welcome
        self._is_welcome = True
        self._join_publishers()
        return is_new

    def open_publisher(self) -> None:
        """See the port."""
        self._publishes = True
        self._join_publishers()

    def _join_publishers(self) -> None:
        uplink = self._uplink
        if not self._publishes or not self._is_welcome or self._has_joined or uplink is None:
            return
        self._has_joined = True
        subject = subjects.subscribed(self._namespace)
        self._ends.append(self._line.subscribe(subject, self._on_change))
        self._line.publish(uplink.up, JOIN, uplink.down)

    def subscribe(self, topic: bytes) -> None:
        """See the port."""
        if self._is_open:
            self._listening.subscribe(topic)

    def unsubscribe(self, topic: bytes) -> None:
        """See the port."""
        if self._is_open:
            self._listening.unsubscribe(topic)

    def publish(self, topic: bytes, header: bytes, body: bytes) -> None:
        """See the port."""
        uplink = self._uplink
        if (
            uplink is None
            or not uplink.has_room
            or self._line.waiting_bytes > MAX_WAITING_BYTES
            or not self._hand_over(uplink, uplink.put_publication(topic, header, body))
        ):
            self._events.on_dropped("publisher_full")

    def close(self) -> None:
        """See the port; what was sent before still leaves, in the background."""
        if not self._is_open:
            return
        self._is_open = False
        self._uplink = None
        if self._timer is not None:
            self._timer.cancel()
        for pump in self._pumps:
            pump.cancel()
        self._listening.close()
        self._line.close()

    # -- what goes up ----------------------------------------------------------------------------

    def _hand_over(self, uplink: Uplink, parts: list[bytes]) -> bool:
        """Send what an uplink returned, and what waits there bit by bit; False if that failed."""
        for part in parts:
            if not self._line.publish(uplink.up, part, uplink.down):
                return False
        if uplink.has_waiting and self._pumped is not uplink:
            self._pumped = uplink
            loop = asyncio.get_running_loop()
            pump = loop.create_task(self._pump(uplink), name=f"pieces {self._namespace}")
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)
        return True

    async def _pump(self, uplink: Uplink) -> None:
        """Send what waits, never more of it at a time than what others may wait for."""
        while uplink is self._uplink and uplink.has_waiting:
            for part in uplink.take(PACE_BYTES):
                self._line.publish(uplink.up, part, uplink.down)
            if not await self._line.flush():
                break
            self._tell_room()
        if self._pumped is uplink:
            self._pumped = None

    def _tell_room(self) -> None:
        uplink = self._uplink
        if (
            self._wants_room
            and uplink is not None
            and uplink.has_room
            and self._line.waiting_bytes <= MAX_WAITING_BYTES
        ):
            self._wants_room = False
            self._events.on_writable()

    def _tick(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)
        now_s = time.monotonic()
        self._follow(self._watch.tick(now_s))
        uplink = self._uplink
        if uplink is not None:
            life = uplink.sign_of_life(now_s)
            if life is not None:
                self._line.publish(uplink.up, life, uplink.down)
            self._tell_room()
        elif now_s - self._asked_at_s >= _ASK_AGAIN_S:
            self._ask()

    # -- which router ----------------------------------------------------------------------------

    def on_up(self) -> None:
        """Ask who serves the namespace."""
        self._line.subscribe(subjects.BEATS, self._on_beat)
        self._inbox = self._line.new_inbox()
        self._line.subscribe(self._inbox, self._on_beat)
        self._ask()

    def on_down(self, why: str) -> None:
        """Wait for the next connection to a nats-server."""
        self._watch.on_gone()
        self._end()

    def on_fault(self, fault: Fault) -> None:
        """Tell the client what the nats-server refuses."""
        if self._is_open and fault.kind in REFUSALS:
            self._events.on_access_refused(refused(self._place, fault, self._namespace))

    def _ask(self) -> None:
        self._asked_at_s = time.monotonic()
        if self._is_open and self._inbox:
            self._line.publish(subjects.WHO, b"", self._inbox)

    def _on_beat(self, message: Msg) -> None:
        if not self._is_open or is_no_responders(message):
            return
        try:
            beat = unpack_beat(message.data)
        except WireError as error:
            self._events.on_dropped(error.reason)
            return
        self._follow(self._watch.on_beat(beat, time.monotonic()))

    def _follow(self, move: Move) -> None:
        if move is Move.STAY:
            return
        self._end()
        if not self._is_open:
            return
        if move is Move.BEGIN:
            self._begin()
        else:
            self._ask()

    def _begin(self) -> None:
        """Make a connection to the router, under an id that no earlier one had."""
        line = self._line
        uplink = self._uplink = Uplink(
            self._namespace,
            self._place.token,
            self._watch.router,
            os.urandom(8).hex(),
            line.max_payload,
            self.window,
        )
        self._ends.append(
            line.subscribe(uplink.down, lambda message: self._on_message(uplink, message))
        )
        self._hand_over(uplink, uplink.put(b"", b""))  # the probe, which the router answers

    def _end(self) -> None:
        """End the connection to the router; the next one is another connection."""
        if self._uplink is None:
            return
        self._uplink = None
        for end in self._ends:
            end()
        self._ends.clear()
        self._is_known = self._is_welcome = self._has_joined = False
        self._listening.turn_to(None)
        topics, self._with_listeners = self._with_listeners, set()
        # A publisher without a far end has no listeners.
        for topic in topics - {heads.LIVE_TOPIC}:
            self._events.on_subscription(False, topic)
        if heads.LIVE_TOPIC in topics:
            self._events.on_subscription(False, heads.LIVE_TOPIC)
        self._events.on_disconnected()

    # -- what comes down -------------------------------------------------------------------------

    def _on_message(self, uplink: Uplink, message: Msg) -> None:
        if uplink is not self._uplink:
            return
        if is_no_responders(message):
            self._follow(self._watch.on_gone())
            return
        self._watch.heard(time.monotonic())
        if not self._is_known:
            self._is_known = True
            # Not before: what comes by the other connection must not overtake the probe.
            self._listening.turn_to(uplink)
        try:
            self._handle(uplink, message.data)
        except WireError as error:
            self._events.on_dropped(error.reason)

    def _handle(self, uplink: Uplink, data: bytes) -> None:
        whole = uplink.read(data)
        if whole is None:
            return
        tag = tag_of(whole)
        if tag == Tag.DIRECTED:
            head, body = unpack_directed(whole)
            self._events.on_message(head, body)
            if head == _GOING_AWAY:
                self._follow(self._watch.on_farewell(time.monotonic()))
        elif tag == Tag.READ:
            if uplink.was_read(whole):
                self._tell_room()
            else:
                self._follow(self._watch.on_gone())
        elif tag == Tag.ASK:
            self._line.publish(uplink.up, uplink.answer(time.monotonic()), uplink.down)
        else:
            self._on_listeners(whole)

    def _on_change(self, message: Msg) -> None:
        if not self._has_joined:
            return
        try:
            self._on_listeners(message.data)
        except WireError as error:
            self._events.on_dropped(error.reason)

    def _on_listeners(self, data: bytes) -> None:
        """Tell the client that a topic gained or lost its listeners; the same again is no news."""
        tag, topic = tag_of(data), topic_in(data)
        if tag not in (Tag.JOINS, Tag.LEAVES):
            raise WireError("bad_frame", f"tag {tag} does not come down")
        joins = tag == Tag.JOINS
        if joins == (topic in self._with_listeners):
            return
        (self._with_listeners.add if joins else self._with_listeners.discard)(topic)
        self._events.on_subscription(joins, topic)


def no_server(line: NatsLine) -> str:
    """Return for people why a line is not connected."""
    if not line.last_error:
        return "no connection to a nats-server came about yet"
    tries = f"{line.attempts} {'try' if line.attempts == 1 else 'tries'}"
    return f"no nats-server answers there ({tries}; the last one: {line.last_error})"
