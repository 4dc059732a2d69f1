"""Decide which subscriptions are accepted, counted and forwarded to publishers. Pure.

Spec: docs/spec/05-broadcast.md. The XPUB socket runs in manual mode: no subscription is in force
before it is accepted here.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Container, Hashable
from typing import Final

from ..access.origin import UNKNOWN, Origin
from ..errors import WireError
from ..wire import heads
from ..wire.drops import ignored_counter
from .publications import served_topic
from .subscribing_rights import check_subscription
from .tables import PUBLISH, Output, Tables

SYNC: Final = "sync"
ACCEPT: Final = "accept"
FORWARD: Final = "forward"
IGNORE: Final = "ignore"


FREE_SYNCS: Final = 16
"""Sync topics of one connection that no cap counts, so that a neighbour can always start."""
_MAX_REFUSED: Final = 64
_MORE: Final = b""
"""Stands for refused topics that are not remembered; no topic is empty."""


class _ConnectionTopics:
    """What one connection holds.

    Attributes:
        origin: Where it comes from, as the transport verified it; its host never changes.
        topics: Those that are charged to it and to its host.
        syncs: Sync topics that are charged to nobody.
        refused: Topics that a cap refused, until it leaves them.
    """

    __slots__ = ("origin", "refused", "syncs", "topics")

    def __init__(self) -> None:
        self.origin = UNKNOWN
        self.topics: set[bytes] = set()
        self.syncs: set[bytes] = set()
        self.refused: set[bytes] = set()

    def note_refused(self, topic: bytes) -> None:
        """Remember that a topic was refused."""
        # 05-broadcast, "When what is used is live" 2: no sync is answered until it is left.
        self.refused.add(topic if len(self.refused) < _MAX_REFUSED else _MORE)


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

    def topics(self) -> list[bytes]:
        """Return the topics of which publishers know that they have subscribers."""
        namespaces = self._tables.peers.namespaces.values()
        return [topic for each in namespaces for topic in each.subscribed.topics()]

    # -- connections -----------------------------------------------------------------------------

    def opened(self, connection: Hashable) -> None:
        """Record a new connection; its name may have been that of one that ended."""
        self.closed(connection)
        self._subscribers[connection] = _ConnectionTopics()

    def closed(self, connection: Hashable) -> None:
        """Give back at once what a connection that ended was charged with; see `release`."""
        subscriber = self._subscribers.pop(connection, None)
        if subscriber is not None and subscriber.topics:
            self._charge(subscriber.origin.host, -len(subscriber.topics))
            self._released.append(subscriber.topics)

    def topics_of(self, connection: Hashable) -> Collection[bytes]:
        """Return the topics that are charged to a connection, sync topics among them."""
        subscriber = self._subscribers.get(connection)
        return () if subscriber is None else subscriber.topics

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

    def lines_of(self, users: Container[str]) -> list[Hashable]:
        """Return the lines over which users subscribe."""
        origins = [each.origin for each in self._subscribers.values()]
        return [each.line for each in origins if each.user in users]

    # -- topics ----------------------------------------------------------------------------------

    def subscribe(self, topic: bytes, origin: Origin) -> str:
        """Decide about a subscription.

        Args:
            topic: The topic, as the socket reported it.
            origin: The connection that it came over, as its line, and the address and user there.

        Returns:
            `SYNC` (answer it at once), `ACCEPT`, `FORWARD` (accept it and subscribe at publishers)
            or `IGNORE`.
        """
        try:
            namespace, kind, trace = served_topic(self._tables, topic)
            subscriber = self._subscriber_of(origin)
            check_subscription(self._tables, origin.user, topic, (namespace, kind, trace))
            if kind is None and trace is None:
                return self._on_sync(topic, subscriber)
            # 05-broadcast, "Subscriptions at the proxy" 3: a connection holds a topic once.
            if topic in subscriber.topics:
                return ACCEPT
            self._take_room(topic, subscriber)
        except WireError as error:
            self._tables.counts[ignored_counter(error.reason)] += 1
            return IGNORE
        # 05-broadcast, "Subscriptions at the proxy" 6: publishers need only the first and the last.
        first = self._tables.peers.namespace(namespace).subscribed.subscribe(topic, kind, trace)
        return FORWARD if first else ACCEPT

    def _on_sync(self, topic: bytes, subscriber: _ConnectionTopics) -> str:
        # 05-broadcast, "When what is used is live" 2: it proves that all before it is in force.
        if subscriber.refused:
            raise WireError("unproven_sync", "a subscription before it was refused")
        if topic in subscriber.topics or topic in subscriber.syncs:
            return SYNC
        # 05-broadcast, "Subscriptions at the proxy" 2: no cap that a neighbour has filled may keep
        # a client from its start.
        if len(subscriber.syncs) < FREE_SYNCS:
            subscriber.syncs.add(topic)
        else:
            self._take_room(topic, subscriber)
        return SYNC

    def _take_room(self, topic: bytes, subscriber: _ConnectionTopics) -> None:
        """Charge a topic to its connection.

        Raises:
            WireError: It is over a cap.
        """
        try:
            self._check_room(subscriber)
        except WireError:
            subscriber.note_refused(topic)
            raise
        subscriber.refused.discard(topic)
        subscriber.topics.add(topic)
        self._charge(subscriber.origin.host, 1)

    def _subscriber_of(self, origin: Origin) -> _ConnectionTopics:
        subscriber = self._subscribers.get(origin.line)
        if subscriber is None:
            raise WireError("no_connection", "the connection of a subscription has ended")
        subscriber.origin = origin
        return subscriber

    def unsubscribe(self, topic: bytes, connection: Hashable) -> bool:
        """Remove one subscription; True if publishers must know: it was the last of its topic."""
        subscriber = self._subscribers.get(connection)
        if subscriber is None:
            return False
        is_known = topic in subscriber.syncs or topic in subscriber.refused
        subscriber.syncs.discard(topic)
        subscriber.refused.discard(topic)
        # One that was ignored is held by nobody; 11-access, "What is checked" 6.
        if topic not in subscriber.topics:
            self._tables.counts["ignored.unsubscription"] += not is_known
            return False
        subscriber.topics.remove(topic)
        self._charge(subscriber.origin.host, -1)
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

    def _check_room(self, subscriber: _ConnectionTopics) -> None:
        # 05-broadcast, "Subscriptions at the proxy" 2: one client may not exhaust the memory, nor
        # use up what its neighbours at the same network address share with it.
        settings, host = self._tables.settings, subscriber.origin.host
        if len(subscriber.topics) >= settings.max_topics_per_connection:
            limit = settings.max_topics_per_connection
            raise WireError(
                "max_topics_per_connection", f"a connection has at most {limit:,} subscriptions"
            )
        if len(self) >= settings.max_topics:
            raise WireError("max_topics", f"the limit is {settings.max_topics:,} subscriptions")
        if self._by_host[host] >= settings.max_topics_per_host:
            raise WireError(
                "max_topics_per_host",
                f"the limit of {host} is {settings.max_topics_per_host:,} subscriptions",
            )
