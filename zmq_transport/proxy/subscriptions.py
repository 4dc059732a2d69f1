"""Decide which subscriptions are accepted, counted and forwarded to publishers. Pure.

Spec: docs/spec/05-broadcast.md. The XPUB socket runs in manual mode: no subscription is in force
before it is accepted here.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable
from typing import Final

from ..errors import WireError
from ..wire import heads
from ..wire.drops import drop_counter, ignored_counter
from .tables import PUBLISH, Output, Tables

SYNC: Final = "sync"
ACCEPT: Final = "accept"
FORWARD: Final = "forward"
IGNORE: Final = "ignore"


class _ConnectionTopics:
    """What one connection holds."""

    __slots__ = ("host", "topics")

    def __init__(self) -> None:
        self.host = ""
        self.topics: set[bytes] = set()


class Subscriptions:
    """Accepts subscriptions within bounds, and decides when publishers must know.

    A subscription belongs to the connection that made it. The shell reports when connections open
    and end; the topics of one that ended are given back by `release`, in steps.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._subscribers: dict[Hashable, _ConnectionTopics] = {}
        self._by_host: Counter[str] = Counter()
        self._released: deque[set[bytes]] = deque()
        self._count = 0

    def __len__(self) -> int:
        """Return the number of accepted subscriptions."""
        return self._count

    # -- connections -----------------------------------------------------------------------------

    def opened(self, connection: Hashable) -> None:
        """Record a new connection; its name may have been that of one that ended."""
        self.closed(connection)
        self._subscribers[connection] = _ConnectionTopics()

    def closed(self, connection: Hashable) -> None:
        """Give back at once what a connection that ended was charged with; see `release`."""
        subscriber = self._subscribers.pop(connection, None)
        if subscriber is not None:
            self._give_back(subscriber)

    def _give_back(self, subscriber: _ConnectionTopics) -> None:
        topics, subscriber.topics = subscriber.topics, set()
        if topics:
            self._charge(subscriber.host, -len(topics))
            self._released.append(topics)

    def _charge(self, host: str, count: int) -> None:
        self._count += count
        self._by_host[host] += count
        if not self._by_host[host]:
            del self._by_host[host]

    def release(self, limit: int) -> list[bytes]:
        """Take back at most `limit` subscriptions of connections that ended.

        Returns:
            The topics of which publishers must know: these were the last subscriptions.
        """
        last: list[bytes] = []
        for _ in range(limit):
            if not self._released:
                break
            topics = self._released[0]
            topic = topics.pop()
            if not topics:
                self._released.popleft()
            if self._forget(topic):
                last.append(topic)
        return last

    # -- topics ----------------------------------------------------------------------------------

    def subscribe(self, topic: bytes, connection: Hashable, host: str) -> str:
        """Decide about a subscription.

        Args:
            topic: The topic, as the socket reported it.
            connection: The connection that it came over.
            host: The network address of the subscriber.

        Returns:
            `SYNC` (answer it at once), `ACCEPT`, `FORWARD` (accept it and subscribe at publishers)
            or `IGNORE`.
        """
        try:
            namespace, kind, trace = self._served(topic)
            subscriber = self._subscriber_of(connection, host)
            is_known = topic in subscriber.topics
            if not is_known:
                self._check_room(host)
        except WireError as error:
            self._tables.counts[ignored_counter(error.reason)] += 1
            return IGNORE
        is_sync = kind is None and trace is None
        # 05-broadcast, "Subscriptions at the proxy" 3: a connection holds a topic once.
        if is_known:
            return SYNC if is_sync else ACCEPT
        subscriber.topics.add(topic)
        self._charge(host, 1)
        if is_sync:
            return SYNC
        # 05-broadcast, "Subscriptions at the proxy" 6: publishers need only the first and the last.
        first = self._tables.peers.namespace(namespace).subscribed.subscribe(topic, kind, trace)
        return FORWARD if first else ACCEPT

    def _subscriber_of(self, connection: Hashable, host: str) -> _ConnectionTopics:
        subscriber = self._subscribers.get(connection)
        if subscriber is None:
            raise WireError("no_connection", "the connection of a subscription has ended")
        # 05-broadcast, "Subscriptions at the proxy" 4: last words of another host, whose connection
        # had this name before and ended.
        if subscriber.host != host:
            self._give_back(subscriber)
            subscriber.host = host
        return subscriber

    def unsubscribe(self, topic: bytes, connection: Hashable) -> bool:
        """Remove one subscription; True if publishers must know: it was the last of its topic."""
        subscriber = self._subscribers.get(connection)
        # One that was ignored is held by nobody.
        if subscriber is None or topic not in subscriber.topics:
            return False
        subscriber.topics.remove(topic)
        self._charge(subscriber.host, -1)
        return self._forget(topic)

    def _forget(self, topic: bytes) -> bool:
        """Count one subscriber of a topic less; True if it was the last."""
        name, kind, trace = heads.read_topic(topic)
        namespace = self._tables.peers.namespaces.get(name)
        if namespace is None:  # of a sync topic, whose namespace nobody else uses
            return False
        last = namespace.subscribed.unsubscribe(kind, trace)
        self._tables.peers.discard_if_empty(namespace)
        return last

    def answer(self, topic: bytes) -> Output:
        """Return the message that answers a sync subscription."""
        header = heads.pack_header(self._tables.epoch, 0, heads.NOBODY, heads.NOBODY)
        return PUBLISH, topic, header, b""

    def published(self, frames: list[bytes]) -> bool:
        """Return whether the broadcast message of a client may be forwarded; count it if not."""
        try:
            self._check_publication(frames)
        except WireError as error:
            self._tables.counts[drop_counter(error.reason)] += 1
            return False
        self._tables.counts["published"] += 1
        _, _, body = frames
        return self._tables.may_publish(len(body))

    def _served(self, topic: bytes) -> heads.Topic:
        namespace, kind, trace = heads.read_topic(topic)
        served = self._tables.settings.namespaces
        if served and namespace not in served:
            raise WireError("foreign_namespace", f"{namespace} is not served here")
        return namespace, kind, trace

    def _check_room(self, host: str) -> None:
        # 05-broadcast, "Subscriptions at the proxy" 2: one client may not exhaust the memory, and
        # a socket knows only the network address of a subscriber.
        settings = self._tables.settings
        if len(self) >= settings.max_topics:
            raise WireError("max_topics", f"the limit is {settings.max_topics:,} subscriptions")
        if self._by_host[host] >= settings.max_topics_per_host:
            raise WireError(
                "max_topics_per_host",
                f"the limit of {host} is {settings.max_topics_per_host:,} subscriptions",
            )

    def _check_publication(self, frames: list[bytes]) -> None:
        # 05-broadcast, "Copies" 4
        if len(frames) != 3:
            raise WireError("frame_count", f"a broadcast message has 3 frames, not {len(frames)}")
        topic, header, body = frames
        _, kind, trace = self._served(topic)
        if kind is None and trace is None:
            raise WireError("bad_topic", "only the proxy publishes on a sync topic")
        if len(header) == heads.HEADER_BYTES:
            heads.unpack_header(header)
        else:
            heads.read_batch(header, len(body))
        if len(body) > self._tables.settings.max_body_bytes:
            raise WireError("too_large", f"the body has {len(body):,} bytes")
