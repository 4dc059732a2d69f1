"""One of the 256 slots at the router that serves it: an engine, and the clients of its namespaces.

Spec: docs/spec/14-nats.md, "Routers". It lives from the first message after the router took the
slot until another one takes it. What a client may do, nats-server holds by the subject that it
sends to; so everything that a message says is held against the subject that it came by.
"""

from __future__ import annotations

import functools
import os
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from zmq_transport.access.origin import Origin
from zmq_transport.errors import WireError
from zmq_transport.proxy.engine import Engine
from zmq_transport.proxy.hub import Hub
from zmq_transport.sockets.sent import Sent
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.drops import drop_counter
from zmq_transport.wire.heads import Verb

from ...signals import TYPE_OF_CODE
from ..lost_notice import lost_notice
from . import subjects
from .far_client import FORGOTTEN, FarClient, is_probe
from .frames import (
    ASK,
    Tag,
    pack_directed,
    pack_publication,
    pack_read,
    pack_topic,
    tag_of,
    topic_in,
    unpack_directed,
    unpack_publication,
    unpack_read,
)
from .post import RouterContext
from .topic_publisher import TopicPublisher

IDLE_S: Final = 60.0
"""How long an engine without clients is kept: what they had here is with them."""
KEPT_S: Final = 2.0
"""How long messages of a connection are still read that nobody reads at any more: they may have
been on their way."""
_QUIET_S = 2.0
_HELLO = int(Verb.HELLO)


class Slot:
    """An engine on NATS. It is the port of its hub, too.

    Args:
        context: What the slots of a router share.
        now_s: Monotonic clock.
        on_forgotten: Is told of each connection of which nothing is known any more.

    Attributes:
        engine: Decides.
        clients: By connection id.
        topics: Publishes for who listens.
    """

    def __init__(
        self, context: RouterContext, now_s: float, on_forgotten: Callable[[FarClient], None]
    ) -> None:
        self._context, self._post = context, context.post
        self._on_forgotten = on_forgotten
        self.engine = Engine(
            epoch=os.urandom(16),
            now_s=now_s,
            settings=context.settings,
            lost_notice=lost_notice,
            tap=context.tap,
            counts=context.counts,
        )
        self.engine.questions.whole = context.whole_state
        context.engines.append(self.engine)
        self.clients: dict[bytes, FarClient] = {}
        self._hub = Hub(self.engine, self)
        self._namespaces: Counter[str] = Counter()
        self.topics = TopicPublisher(context)
        self._wanting: dict[FarClient, None] = {}
        self._idle_since_s = now_s
        self._handlers: Mapping[int, Callable[[FarClient, bytes, float], None]] = {
            Tag.DIRECTED: self._on_directed,
            Tag.PUBLICATION: self._on_publication,
            Tag.SUBSCRIBE: self._on_subscribe,
            Tag.UNSUBSCRIBE: self._on_unsubscribe,
            Tag.JOIN: self._on_join,
            Tag.READ: self._on_read,
            Tag.ASK: self._on_ask,
        }

    # -- connections -----------------------------------------------------------------------------

    def open(self, subject: str, now_s: float) -> FarClient:
        """Begin with a connection that has sent its first message."""
        context = self._context
        number = next(context.numbers)
        far = FarClient(number, subject, context.settings, self._post.max_payload, now_s)
        self.clients[far.connection] = far
        self._hub.opened(far.connection)
        self._namespaces[far.namespace] += 1
        if context.always_publish and self._namespaces[far.namespace] == 1:
            self._listen_to_all(far.namespace)
        return far

    def _listen_to_all(self, namespace: str) -> None:
        """Make publishers send, and the engine copy, whatever the types of Signals are."""
        own = _own_connection(namespace)
        self._hub.opened(own)
        for code in TYPE_OF_CODE:
            origin = Origin(host=f"router/{namespace}", line=own)
            self._hub.on_subscribe(own, heads.kind_topic(namespace, code), origin)

    def on_gone(self, far: FarClient, now_s: float) -> None:
        """Handle that nobody reads at a connection; what it has sent before may come yet."""
        if far.gone_at_s is None:
            far.gone_at_s = now_s
            self._hub.on_unreachable(far.connection, now_s)
            self._hub.closed(far.connection)

    def cut(self, connection: bytes, reason: str) -> None:
        """See `HubPort`: the client learns that this router knows nothing of its connection."""
        far = self.clients.get(connection)
        if far is not None:
            self._post.publish(far.down, FORGOTTEN)
            self._forget(far)

    def check(self, now_s: float) -> bool:
        """Find connections that have ended or fell silent; call it about once a second.

        Returns:
            True if it has had no client for so long that it can be closed.
        """
        for far in list(self.clients.values()):
            silent_s = now_s - far.seen_at_s
            if far.gone_at_s is not None:
                if now_s - far.gone_at_s >= KEPT_S:
                    self._forget(far)
            elif not far.is_absent and silent_s > self._context.dead_after_s:
                far.is_absent = True
                self._hub.on_unreachable(far.connection, now_s)
            elif silent_s > _QUIET_S and not self._is_probed(far):
                self._post.publish(far.down, pack_read(far.incoming.totals), self._gone(far))
        if self.clients:
            self._idle_since_s = now_s
        return now_s - self._idle_since_s >= IDLE_S

    def stood_still(self, late_s: float) -> None:
        """Hold a time in which this router did not run against nobody."""
        for far in self.clients.values():
            far.seen_at_s += late_s

    def close(self) -> None:
        """Forget everything, and tell nobody."""
        for far in list(self.clients.values()):
            self._forget(far)
        self.topics.forget()
        self._context.engines.remove(self.engine)

    def _forget(self, far: FarClient) -> None:
        self._hub.closed(far.connection)
        del self.clients[far.connection]
        self._wanting.pop(far, None)
        self._context.partial_bytes -= far.partial_bytes
        self._context.queued_bytes -= far.outgoing.waiting_bytes
        self._namespaces[far.namespace] -= 1
        if not self._namespaces[far.namespace]:
            del self._namespaces[far.namespace]
            self._hub.closed(_own_connection(far.namespace))
        self._on_forgotten(far)

    def _is_probed(self, far: FarClient) -> bool:
        """Return whether the engine finds out by itself whether a connection is there."""
        return not far.is_absent and self.engine.is_admitted(far.connection)

    def _gone(self, far: FarClient) -> str:
        return subjects.gone(self._context.router, f"{far.number:x}")

    # -- from clients ----------------------------------------------------------------------------

    def on_data(self, far: FarClient, data: bytes, now_s: float) -> None:
        """Handle a message of a client; one that is none is counted."""
        far.seen_at_s = now_s
        if far.is_absent:
            self._come_back(far, now_s)
        try:
            whole = self._read(far, data)
            if whole is None:
                return
            handler = self._handlers.get(tag_of(whole))
            if handler is None:
                self._drop("bad_frame")
            else:
                handler(far, whole, now_s)
        except WireError as error:
            self._drop(error.reason)

    def _drop(self, reason: str) -> None:
        self._context.counts[drop_counter(reason)] += 1

    def _come_back(self, far: FarClient, now_s: float) -> None:
        peer = self.engine.tables.peers.by_connection.get(far.connection)
        if peer is None:
            far.is_absent = False
            # What is a probe of a new connection to the engine: it asks for a HELLO.
            self._hub.on_message(far.connection, b"", b"", now_s, far.origin)
        elif peer.absent_at_s is None:
            far.is_absent = False

    def _read(self, far: FarClient, data: bytes) -> bytes | None:
        before = far.partial_bytes
        try:
            whole = far.read(data)
        finally:
            self._context.partial_bytes += far.partial_bytes - before
        if whole is None and self._context.is_too_partial:
            self._context.counts["cut.unfinished"] += 1
            self._hub.on_unreachable(far.connection, far.seen_at_s)
            self.cut(far.connection, "unfinished")
        return whole

    def _on_directed(self, far: FarClient, data: bytes, now_s: float) -> None:
        head, body = unpack_directed(data)
        if not self.engine.is_admitted(far.connection):
            hello = _hello_in(head, body)
            refusal = "" if hello is None else self._refusal(far, hello)
            if refusal:
                _, connection, *message = self.engine.admission.refused(far.connection, refusal)
                self.send(connection, *message)
                return
        self._hub.on_message(far.connection, head, body, now_s, far.origin)

    def _refusal(self, far: FarClient, hello: greetings.Hello) -> str:
        """Return why a HELLO is refused that an engine alone would welcome; empty if it is not."""
        if hello.namespace != far.namespace:
            self._context.counts["drop.foreign_namespace"] += 1
            return f"over this connection one enters {far.namespace}, not {hello.namespace}"
        is_new = hello.instance not in self.engine.tables.peers.by_instance
        if is_new and self._context.has_all_clients:
            return f"{self._context.settings.max_peers} clients are here"
        return ""

    def _on_publication(self, far: FarClient, data: bytes, now_s: float) -> None:
        topic, header, body = unpack_publication(data)
        _check_own(far, topic)
        self._hub.on_publication(far.connection, topic, header, body, now_s, far.origin)

    def _on_subscribe(self, far: FarClient, data: bytes, now_s: float) -> None:
        topic = topic_in(data)
        _check_own(far, topic)
        self._hub.on_subscribe(far.connection, topic, far.origin)

    def _on_unsubscribe(self, far: FarClient, data: bytes, now_s: float) -> None:
        self._hub.on_unsubscribe(far.connection, topic_in(data))

    def _on_join(self, far: FarClient, data: bytes, now_s: float) -> None:
        self._hub.on_join(far.connection)

    def _on_read(self, far: FarClient, data: bytes, now_s: float) -> None:
        if not far.credit.was_read(unpack_read(data)):
            # It has read what this router did not send: it takes it for one that it knew before.
            self._post.publish(far.down, FORGOTTEN)
            raise WireError("bad_totals", "more was read than was sent, or less than before")
        if far.outgoing:
            self._pace(far)
        self._offer_room(far, now_s)

    def _on_ask(self, far: FarClient, data: bytes, now_s: float) -> None:
        self._post.publish(far.down, pack_read(far.incoming.totals))

    def _offer_room(self, far: FarClient, now_s: float) -> None:
        if far in self._wanting and self._has_room(far):
            del self._wanting[far]
            self._hub.on_writable(far.connection, now_s)

    # -- time ------------------------------------------------------------------------------------

    def tick(self, now_s: float) -> None:
        """Do what depends on time; call it every 100 ms."""
        self._hub.tick(now_s)
        for far in list(self._wanting):
            self._offer_room(far, now_s)

    def go_away(self) -> None:
        """Tell every client that this router leaves."""
        self._hub.go_away()

    def flush(self) -> None:
        """End a turn: what was gathered goes out."""
        self._hub.flush()

    # -- the port of the hub ---------------------------------------------------------------------

    def send(self, connection: bytes, head: bytes, body: Any) -> Sent:
        """See `HubPort`."""
        far = self.clients.get(connection)
        if far is None or far.gone_at_s is not None:
            return Sent.UNREACHABLE
        if is_probe(head):
            # Past all that waits, as only its way matters: nobody there is found out at once.
            self._hand(far, pack_directed(head, body), self._gone(far))
            return Sent.OK
        if not self._has_room(far):
            self._wanting[far] = None
            return Sent.BUSY
        before = far.outgoing.waiting_bytes
        data = far.put(head, body)
        if data is None:
            self._context.queued_bytes += far.outgoing.waiting_bytes - before
            self._pace(far)
        else:
            self._hand(far, data)
        return Sent.OK

    def publish(self, topic: bytes, header: bytes, body: Any) -> None:
        """See `HubPort`."""
        namespace, subject = _place_of(topic)
        self.topics.publish(namespace, subject, pack_publication(topic, header, body))

    def answer(self, connection: bytes, topic: bytes, header: bytes, body: bytes) -> None:
        """See `HubPort`."""
        far = self.clients.get(connection)
        if far is not None:
            data = pack_publication(topic, header, body)
            self.topics.answer(far.namespace, far.heard, data)

    def tell(self, joins: bool, topic: bytes) -> None:
        """See `HubPort`."""
        namespace, _, _ = heads.read_topic(topic)
        self._post.publish(subjects.subscribed(namespace), _told(joins, topic))

    def tell_one(self, connection: bytes, joins: bool, topic: bytes) -> None:
        """See `HubPort`; topics of other namespaces are left out."""
        far = self.clients.get(connection)
        if far is not None and (topic == heads.LIVE_TOPIC or _is_own(far, topic)):
            self._post.publish(far.down, _told(joins, topic))

    def _has_room(self, far: FarClient) -> bool:
        return far.has_room and self._context.has_room

    def _hand(self, far: FarClient, data: bytes, reply: str = "") -> None:
        self._post.publish(far.down, data, reply)
        if far.credit.sent(len(data)):
            self._post.publish(far.down, ASK)

    def _pace(self, far: FarClient) -> None:
        self._post.pace(far, functools.partial(self._hand_over, far))

    def _hand_over(self, far: FarClient, budget_bytes: int) -> int:
        """See `HandOver`."""
        if self.clients.get(far.connection) is not far:
            return 0
        before = far.outgoing.waiting_bytes
        parts = far.take(budget_bytes)
        self._context.queued_bytes += far.outgoing.waiting_bytes - before
        for part in parts:
            self._hand(far, part)
        return sum(map(len, parts))


def _own_connection(namespace: str) -> bytes:
    """Return the connection under which a router listens for itself; longer than any other."""
    return b"router/" + namespace.encode()


def _is_own(far: FarClient, topic: bytes) -> bool:
    return topic.startswith(far.namespace.encode() + b"/")


def _check_own(far: FarClient, topic: bytes) -> None:
    if not _is_own(far, topic):
        raise WireError("foreign_namespace", f"a topic outside of {far.namespace}")


def _hello_in(head: bytes, body: bytes) -> greetings.Hello | None:
    """Return a HELLO; None for another message, and for one of which the engine says what it is."""
    if not head or len(head) > heads.MAX_HEAD_BYTES:
        return None
    try:
        _, [(verb, *_), *_], _ = heads.unpack_items(head)
        return greetings.unpack_hello(body) if verb == _HELLO else None
    except WireError:
        return None


def _told(joins: bool, topic: bytes) -> bytes:
    return pack_topic(Tag.JOINS if joins else Tag.LEAVES, topic)


@functools.lru_cache(maxsize=4096)
def _place_of(topic: bytes) -> tuple[str, str]:
    """Return the namespace and the subject of a topic."""
    namespace, _, _ = heads.read_topic(topic)
    return namespace, subjects.of_topic(topic)
