"""A Synapse in this process: the same engine and the same client, without sockets.

Frames go through one queue on one event loop, never from within a send. So nothing happens earlier
than it could on a network. Bodies are the same encoded bytes.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import logging
import os
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self, Unpack

import zmq_transport as wire_side
from zmq_transport.access.origin import Origin
from zmq_transport.proxy.engine import Engine
from zmq_transport.proxy.hub import Hub

from ..errors import DendriteProtocolError
from ..names import checked_name
from .access import GivenRights, access_of_rights
from .adapter import ClientSynapse, ErrorContext
from .limits import Limits, settings_of
from .lost_notice import lost_notice

_LOG = logging.getLogger(__name__)
_TICK_S = 0.1
_BATCH = 256
_HINT = "use memory:// inside one event loop, or a cosmo:// URL across processes"


class MemoryCarrier:
    """Moves the frames of one client to and from a hub; see `zmq_transport.Carrier`."""

    def __init__(self, synapse: MemorySynapse) -> None:
        self._synapse = synapse
        self._hub: MemoryHub
        self.user = synapse.user
        self.connection = b""
        self.events: wire_side.CarrierEvents
        self.topics: dict[bytes, None] = {}
        self.publishes = False
        self.knows_where = False
        self.joined = False
        self.arriving = 0
        self.leaving = 0
        self.full = self.was_refused = False

    @property
    def endpoint(self) -> str:
        """The URL of the Synapse, for error texts."""
        return self._synapse.url

    @property
    def address(self) -> str:
        """See the port."""
        return self.endpoint

    @property
    def origin(self) -> Origin:
        """Where its frames come from; the hub believes the user that was given to the Synapse."""
        return Origin(self.user, "memory", self.connection)

    async def open(self, events: wire_side.CarrierEvents) -> None:
        """See the port."""
        self.events = events
        self._hub = self._synapse.hub
        self._hub.connect(self)

    def diagnosis(self) -> wire_side.Diagnosis:
        """See the port."""
        text = "connected, but the greeting got no answer in time"
        return wire_side.Diagnosis(wire_side.Cause.SLOW, text)

    def send(self, head: bytes, body: bytes) -> wire_side.Sent:
        """See the port."""
        if self.leaving >= self._hub.high_water:
            self.full = True
            return wire_side.Sent.BUSY
        self.leaving += 1
        self._hub.post(self._hub.on_message, self, self.connection, head, body)
        return wire_side.Sent.OK

    is_alone = False
    """See the port: nobody stands by for a Synapse in this process."""

    def pass_over(self, fabric: Sequence[str]) -> None:
        """See the port; it is never called."""

    def poll_soon(self) -> None:
        """See the port."""

    def join(self, listen_port: int, publish_port: int) -> bool:
        """See the port."""
        is_new = not self.knows_where
        self.knows_where = True
        self._join_publisher()
        return is_new

    def open_publisher(self) -> None:
        """See the port."""
        self.publishes = True
        self._join_publisher()

    def _join_publisher(self) -> None:
        if self.publishes and self.knows_where and not self.joined:
            self.joined = True
            self._hub.post(self._hub.on_join, self)

    def subscribe(self, topic: bytes) -> None:
        """See the port."""
        self.topics[topic] = None
        self._hub.post(self._hub.on_subscribe, self, topic)

    def unsubscribe(self, topic: bytes) -> None:
        """See the port."""
        self.topics.pop(topic, None)
        self._hub.post(self._hub.on_unsubscribe, self, topic)

    def publish(self, topic: bytes, header: bytes, body: bytes) -> None:
        """See the port."""
        self._hub.post(self._hub.on_publication, self, topic, header, body)

    def close(self) -> None:
        """See the port."""
        self._hub.disconnect(self)


class MemoryHub:
    """The counterpart of a proxy on a network: a `Hub`, and the frames to and from it.

    It is the port of that hub. Whatever goes out is queued, never handed over at once.

    Args:
        url: For error texts.
        settings: The settings of the engine.
        access: Who may do what; None for everybody everything.
    """

    def __init__(
        self, url: str, settings: wire_side.Settings, access: wire_side.Access | None = None
    ) -> None:
        self.url = url
        self.high_water = settings.high_water
        self._loop = asyncio.get_running_loop()
        self._settings = settings
        self._access = access
        self._carriers: dict[bytes, MemoryCarrier] = {}
        self._queue: deque[Callable[[], None]] = deque()
        self._scheduled = False
        self._ticking: asyncio.TimerHandle | None = None
        self._connections = 0
        self._hub = self._new_hub()

    def _new_hub(self) -> Hub:
        engine = Engine(
            epoch=os.urandom(16),
            now_s=time.monotonic(),
            settings=self._settings,
            lost_notice=lost_notice,
            access=self._access,
        )
        return Hub(engine, self)

    @property
    def engine(self) -> Engine:
        """The engine; another one after `restart`."""
        return self._hub.engine

    def use_access(self, access: wire_side.Access) -> None:
        """Put another list of users in force at the next tick.

        Raises:
            ValueError: This hub has no users.
        """
        self.engine.use_access(access)
        self._access = access

    @property
    def usable(self) -> bool:
        """Return whether its event loop is the running one."""
        return asyncio.get_running_loop() is self._loop

    @property
    def dead(self) -> bool:
        """Return whether its event loop is closed."""
        return self._loop.is_closed()

    # -- connections -----------------------------------------------------------------------------

    def connect(self, carrier: MemoryCarrier) -> None:
        """Assign a connection to a carrier, and probe."""
        if not self.usable:
            raise DendriteProtocolError(f"{self.url} belongs to another event loop; {_HINT}")
        self._connections += 1
        carrier.connection = self._connections.to_bytes(5, "big")
        self._carriers[carrier.connection] = carrier
        self._hub.opened(carrier.connection)
        if self._ticking is None:
            self._ticking = self._loop.call_later(_TICK_S, self._tick)
        self.post(self.on_message, carrier, carrier.connection, b"", b"")

    def disconnect(self, carrier: MemoryCarrier) -> None:
        """Remove a connection; the engine detects it as it would on a network."""
        if self._carriers.pop(carrier.connection, None) is None:
            return
        self._hub.closed(carrier.connection)
        self._schedule()  # the turn that tells publishers
        if not self._carriers and self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None

    def restart(self) -> None:
        """Lose everything, as a Synapse does that is killed and started again."""
        self._queue.clear()
        publishers = [each for each in self._carriers.values() if each.joined]
        # A publisher without a far end has no listeners.
        for topic in self.engine.subscriptions.topics():
            for carrier in publishers:
                carrier.events.on_subscription(False, topic)
        self._hub = self._new_hub()
        carriers = list(self._carriers.values())
        self._carriers.clear()
        for carrier in carriers:
            self._connect_again(carrier)

    def _connect_again(self, carrier: MemoryCarrier) -> None:
        carrier.arriving = carrier.leaving = 0
        carrier.was_refused = carrier.joined = carrier.knows_where = False
        carrier.events.on_disconnected()
        self.connect(carrier)
        for topic in [*carrier.topics]:
            carrier.subscribe(topic)

    # -- one queue -------------------------------------------------------------------------------

    def post(self, action: Callable[..., None], *arguments: Any) -> None:
        """Call `action` after every earlier posted one."""
        self._queue.append(functools.partial(action, *arguments))
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        for _ in range(min(_BATCH, len(self._queue))):
            self._guarded(self._queue.popleft())
        self._guarded(self._hub.flush)
        if self._queue:
            self._schedule()

    @staticmethod
    def _guarded(action: Callable[[], None]) -> None:
        try:
            action()
        except Exception:  # noqa: BLE001  # the last door: one message must not stop the rest
            _LOG.exception("a message could not be handled and is dropped")

    def _tick(self) -> None:
        self._ticking = self._loop.call_later(_TICK_S, self._tick)
        self._hub.tick(time.monotonic())
        self._hub.flush()

    # -- events of the carriers ------------------------------------------------------------------

    def on_message(
        self, carrier: MemoryCarrier, connection: bytes, head: bytes, body: bytes
    ) -> None:
        """Handle a directed message."""
        if head and connection == carrier.connection:
            carrier.leaving -= 1
        if carrier.full and carrier.leaving <= self.high_water // 2:
            carrier.full = False
            self.post(carrier.events.on_writable)
        self._hub.on_message(connection, head, body, time.monotonic(), carrier.origin)

    def on_join(self, carrier: MemoryCarrier) -> None:
        """Handle a publisher that wants to know the topics."""
        self._hub.on_join(carrier.connection)

    def on_subscribe(self, carrier: MemoryCarrier, topic: bytes) -> None:
        """Handle a subscription."""
        if carrier.connection in self._carriers:
            self._hub.on_subscribe(carrier.connection, topic, carrier.origin)

    def on_unsubscribe(self, carrier: MemoryCarrier, topic: bytes) -> None:
        """Handle the end of a subscription."""
        self._hub.on_unsubscribe(carrier.connection, topic)

    def on_publication(
        self, carrier: MemoryCarrier, topic: bytes, header: bytes, body: bytes
    ) -> None:
        """Handle a broadcast message of a client."""
        connection, now_s = carrier.connection, time.monotonic()
        self._hub.on_publication(connection, topic, header, body, now_s, carrier.origin)

    # -- the port of the hub ---------------------------------------------------------------------

    def send(self, connection: bytes, head: bytes, body: Any) -> wire_side.Sent:
        """See `HubPort`."""
        carrier = self._carriers.get(connection)
        if carrier is None:
            return wire_side.Sent.UNREACHABLE
        if carrier.arriving >= self.high_water:
            carrier.was_refused = True
            return wire_side.Sent.BUSY
        carrier.arriving += 1
        self.post(self._deliver, carrier, connection, head, body)
        return wire_side.Sent.OK

    def _deliver(self, carrier: MemoryCarrier, connection: bytes, head: bytes, body: bytes) -> None:
        if self._carriers.get(connection) is not carrier:
            return
        carrier.arriving -= 1
        if carrier.was_refused and carrier.arriving <= self.high_water // 2:
            carrier.was_refused = False
            self.post(self._on_room, connection)
        carrier.events.on_message(head, bytes(body))

    def _on_room(self, connection: bytes) -> None:
        self._hub.on_writable(connection, time.monotonic())

    def publish(self, topic: bytes, header: bytes, body: Any) -> None:
        """See `HubPort`."""
        for connection in self._hub.listeners(topic):
            events = self._carriers[connection].events
            self.post(events.on_publication, topic, header, bytes(body))

    def answer(self, connection: bytes, topic: bytes, header: bytes, body: bytes) -> None:
        """See `HubPort`."""
        self.post(self._carriers[connection].events.on_publication, topic, header, body)

    def tell(self, joins: bool, topic: bytes) -> None:
        """See `HubPort`."""
        for carrier in self._carriers.values():
            if carrier.joined:
                self.post(carrier.events.on_subscription, joins, topic)

    def tell_one(self, connection: bytes, joins: bool, topic: bytes) -> None:
        """See `HubPort`."""
        carrier = self._carriers.get(connection)
        if carrier is not None:
            self.post(carrier.events.on_subscription, joins, topic)

    def cut(self, connection: bytes, reason: str) -> None:
        """See `HubPort`; as on a network, its client makes a new connection."""
        carrier = self._carriers.pop(connection, None)
        if carrier is not None:
            self._connect_again(carrier)


class MemorySynapse(ClientSynapse):
    """A Synapse in this process, for tests and for programs that need no other process.

    It has no port and no thread, and belongs to one event loop. Everything else is as on the
    network: order, bounces, namespaces, copies for listeners, size limits. Values are encoded and
    decoded.

    With `rights` it has users, as a Synapse with keys has. It believes who they say they are, as
    all of them are in this process: `as_user` returns it as one of them sees it, and is the only
    way to be one. A URL does not lead to it: `memory://name` is the Synapse of that name that has
    no users.

    Args:
        name: The name in `memory://name`, and in error texts.
        namespaces: The namespaces that are served; empty for any.
        rights: By the name of a user, its rights in words, such as `{"ada": ["dispatch"]}`. None
            lets everybody do everything.
        limits: See `Limits`; `handshake_s` has no effect here.

    Raises:
        InvalidName: `name`, a namespace or the name of a user is not a valid name.
        ValueError: A limit is out of range.
        InvalidKey: A right is unknown.
    """

    def __init__(
        self,
        name: str = "memory",
        namespaces: Iterable[str] = (),
        *,
        rights: Mapping[str, GivenRights] | None = None,
        **limits: Unpack[Limits],
    ) -> None:
        super().__init__(ErrorContext(f"memory://{checked_name('name', name)}", lambda _: _HINT))
        self.user = ""
        self._settings = settings_of(namespaces, limits)
        self._shared = _SharedHub(None if rights is None else access_of_rights(rights))

    def as_user(self, user: str) -> Self:
        """Return this Synapse as one of its users sees it.

        Raises:
            InvalidName: `user` is not a valid name.
        """
        seen = copy.copy(self)
        seen.user = checked_name("user", user)
        seen._transports = set()
        return seen

    def use_rights(self, rights: Mapping[str, GivenRights]) -> None:
        """Give its users other rights, within a tick; see `MemorySynapse`.

        Raises:
            InvalidName: The name of a user is not a valid name.
            InvalidKey: A right is unknown.
            ValueError: This Synapse has no users.
        """
        if self._shared.access is None:
            raise ValueError(f"{self.url} has no users: make it with MemorySynapse(rights=...)")
        access = access_of_rights(rights)
        self.hub.use_access(access)
        self._shared.access = access

    @property
    def hub(self) -> MemoryHub:
        """The hub of the running loop; a new one after the loop of the last one is closed."""
        shared = self._shared
        if shared.hub is None or shared.hub.dead:
            shared.hub = self._new_hub()
        return shared.hub

    def _new_hub(self) -> MemoryHub:
        return MemoryHub(self.url, self._settings, self._shared.access)

    @property
    def counts(self) -> dict[str, int]:
        """Every drop, bounce, copy and refusal so far, by name."""
        return dict(+self.hub.engine.counts)

    async def connect(self, timeout_s: float | None) -> None:
        """See the port."""
        if not self.hub.usable:
            raise DendriteProtocolError(f"{self.url} belongs to another event loop; {_HINT}")

    def carrier(self, namespace: str, max_signal_bytes: int) -> MemoryCarrier:
        """Return a carrier for one connection."""
        return MemoryCarrier(self)


class _SharedHub:
    """The hub that all users of one Synapse share, and who may do what at it."""

    def __init__(self, access: wire_side.Access | None) -> None:
        self.hub: MemoryHub | None = None
        self.access = access


_by_name: weakref.WeakValueDictionary[str, MemorySynapse] = weakref.WeakValueDictionary()


def memory_synapse(name: str) -> MemorySynapse:
    """Return the Synapse behind `memory://name`: the same one while a reference to it exists.

    It has no users, whatever `MemorySynapse` with rights was given that name.

    Raises:
        InvalidName: It is not a valid name.
    """
    synapse = _by_name.get(name)
    if synapse is None:
        synapse = _by_name[name] = MemorySynapse(name)
    return synapse
