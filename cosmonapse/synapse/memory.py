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
from zmq_transport.proxy.counter_names import CUTS
from zmq_transport.proxy.engine import Engine
from zmq_transport.proxy.tables import CUT, SEND, Output
from zmq_transport.wire import heads
from zmq_transport.wire.bundle import split_bundle

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
        self.topics: set[bytes] = set()
        self.publishes = False
        self.knows_where = False
        self.joined = False
        self.arriving = 0
        self.leaving = 0
        self.full = False

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
        self._hub.post(self._hub.on_subscribe, self, topic)

    def unsubscribe(self, topic: bytes) -> None:
        """See the port."""
        self._hub.post(self._hub.on_unsubscribe, self, topic)

    def publish(self, topic: bytes, header: bytes, body: bytes) -> None:
        """See the port."""
        self._hub.post(self._hub.on_publication, self, topic, header, body)

    def close(self) -> None:
        """See the port."""
        self._hub.disconnect(self)


class MemoryHub:
    """The counterpart of a proxy on a network: an engine, and the frames to and from it.

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
        self._listening: dict[bytes, dict[MemoryCarrier, None]] = {}
        self._queue: deque[Callable[[], None]] = deque()
        self._scheduled = False
        self._ticking: asyncio.TimerHandle | None = None
        self._connections = 0
        self.engine = self._new_engine()

    def _new_engine(self) -> Engine:
        return Engine(
            epoch=os.urandom(16),
            now_s=time.monotonic(),
            settings=self._settings,
            lost_notice=lost_notice,
            access=self._access,
        )

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
        self.engine.subscriptions.opened(carrier.connection)
        if self._ticking is None:
            self._ticking = self._loop.call_later(_TICK_S, self._tick)
        self.post(self.on_message, carrier, carrier.connection, b"", b"")

    def disconnect(self, carrier: MemoryCarrier) -> None:
        """Remove a connection; the engine detects it as it would on a network."""
        if self._carriers.pop(carrier.connection, None) is None:
            return
        for topic in list(carrier.topics):
            self.on_unsubscribe(carrier, topic)
        self.engine.subscriptions.closed(carrier.connection)
        if not self._carriers and self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None

    def restart(self) -> None:
        """Lose everything, as a Synapse does that is killed and started again."""
        self._queue.clear()
        for topic in self._listening:  # a publisher without a far end has no listeners
            self._notify_now(False, topic)
        self._listening.clear()
        self.engine = self._new_engine()
        carriers = list(self._carriers.values())
        self._carriers.clear()
        for carrier in carriers:
            self._connect_again(carrier)

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
            try:
                self._queue.popleft()()
            except Exception:  # noqa: BLE001  # the last door: one message must not stop the rest
                _LOG.exception("a message could not be handled and is dropped")
        if self._queue:
            self._schedule()

    def _tick(self) -> None:
        self._ticking = self._loop.call_later(_TICK_S, self._tick)
        self._perform(self.engine.tick(time.monotonic()))

    # -- events of the carriers ------------------------------------------------------------------

    def on_message(
        self, carrier: MemoryCarrier, connection: bytes, head: bytes, body: bytes
    ) -> None:
        """Handle a directed message with the engine."""
        if head:
            carrier.leaving -= 1
        if carrier.full and carrier.leaving < self.high_water // 2:
            carrier.full = False
            self.post(carrier.events.on_writable)
        now_s = time.monotonic()
        self._perform(self.engine.on_message(connection, head, body, now_s, carrier.origin))

    def on_join(self, carrier: MemoryCarrier) -> None:
        """Report every subscribed topic to a publisher, and then the sentinel."""
        for topic in self._listening:
            carrier.events.on_subscription(True, topic)
        carrier.events.on_subscription(True, heads.LIVE_TOPIC)

    def on_subscribe(self, carrier: MemoryCarrier, topic: bytes) -> None:
        """Handle a subscription as the engine decides."""
        if carrier.connection not in self._carriers or topic in carrier.topics:
            return
        decision = self.engine.subscriptions.subscribe(topic, carrier.origin)
        if decision == "ignore":
            return
        carrier.topics.add(topic)
        if decision == "sync":
            _, _, header, body = self.engine.subscriptions.answer(topic)
            self.post(carrier.events.on_publication, topic, header, body)
            return
        self._listening.setdefault(topic, {})[carrier] = None
        if decision == "forward":
            self._notify_publishers(True, topic)

    def on_unsubscribe(self, carrier: MemoryCarrier, topic: bytes) -> None:
        """Handle the end of a subscription."""
        if topic not in carrier.topics:
            return
        carrier.topics.discard(topic)
        carriers = self._listening.get(topic, {})
        carriers.pop(carrier, None)
        if not carriers:
            self._listening.pop(topic, None)
        if self.engine.subscriptions.unsubscribe(topic, carrier.connection):
            self._notify_publishers(False, topic)

    def on_publication(
        self, carrier: MemoryCarrier, topic: bytes, header: bytes, body: bytes
    ) -> None:
        """Forward a broadcast message of a client."""
        frames = [topic, header, body]
        if self.engine.on_publication(frames, time.monotonic(), carrier.origin):
            self._broadcast(topic, header, body)

    # -- outputs of the engine -------------------------------------------------------------------

    def _perform(self, outputs: Iterable[Output]) -> None:
        waiting = deque(outputs)
        while waiting:
            code, first, second, body = waiting.popleft()
            if code == CUT:
                self._cut(first, body)
                continue
            if code != SEND:
                self._broadcast(first, second, body)
                continue
            carrier = self._carriers.get(first)
            if carrier is None or carrier.arriving >= self.high_water:
                now_s, busy = time.monotonic(), carrier is not None
                for head, part in split_bundle(second, body):
                    waiting.extend(self.engine.on_unsent(first, head, part, busy, now_s))
            else:
                carrier.arriving += 1
                self.post(self._deliver, carrier, first, second, body)

    def _cut(self, line: bytes, reason: str) -> None:
        """End a connection, and count it; as on a network, its client makes a new one."""
        carrier = self._carriers.get(line)
        if carrier is not None:
            self.engine.counts[CUTS[reason]] += 1
            held = set(carrier.topics)
            self.disconnect(carrier)
            carrier.topics = held
            self._connect_again(carrier)

    def _connect_again(self, carrier: MemoryCarrier) -> None:
        topics, carrier.topics = carrier.topics, set()
        carrier.arriving = carrier.leaving = 0
        carrier.joined = carrier.knows_where = False
        carrier.events.on_disconnected()
        self.connect(carrier)
        for topic in topics:
            carrier.subscribe(topic)

    def _deliver(self, carrier: MemoryCarrier, connection: bytes, head: bytes, body: bytes) -> None:
        if self._carriers.get(connection) is carrier:
            carrier.arriving -= 1
            carrier.events.on_message(head, bytes(body))

    def _broadcast(self, topic: bytes, header: bytes, body: bytes) -> None:
        for carrier in self._listening.get(topic, ()):
            self.post(carrier.events.on_publication, topic, header, bytes(body))

    def _notify_now(self, joins: bool, topic: bytes) -> None:
        for carrier in self._carriers.values():
            if carrier.joined:
                carrier.events.on_subscription(joins, topic)

    def _notify_publishers(self, joins: bool, topic: bytes) -> None:
        for carrier in self._carriers.values():
            if carrier.joined:
                self.post(carrier.events.on_subscription, joins, topic)


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

    def carrier(self, max_signal_bytes: int) -> MemoryCarrier:
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
