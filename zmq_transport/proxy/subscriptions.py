"""Decide which subscriptions are accepted, counted and forwarded to publishers. Pure.

Spec: docs/spec/05-broadcast.md. The XPUB socket runs in manual mode: no subscription is in force
before it is accepted here.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from ..errors import WireError
from ..wire import heads
from ..wire.drops import drop_counter, ignored_counter
from .tables import PUBLISH, Output, Tables

SYNC: Final = "sync"
ACCEPT: Final = "accept"
FORWARD: Final = "forward"
IGNORE: Final = "ignore"
_MAX_IGNORED: Final = 10_000


class Subscriptions:
    """Accepts subscriptions within bounds, and decides when publishers must know."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._topics: Counter[bytes] = Counter()
        self._by_host: Counter[str] = Counter()
        self._hosts: dict[bytes, list[str]] = {}
        self._ignored: Counter[bytes] = Counter()
        self._count = 0

    def __len__(self) -> int:
        """Return the number of accepted subscriptions."""
        return self._count

    def subscribe(self, topic: bytes, host: str) -> str:
        """Decide about a subscription.

        Args:
            topic: The topic, as the socket reported it.
            host: The network address of the subscriber.

        Returns:
            `SYNC` (answer it at once), `ACCEPT`, `FORWARD` (accept it and subscribe at publishers)
            or `IGNORE`.
        """
        try:
            namespace, kind, trace = self._served(topic)
            self._check_room(host)
        except WireError as error:
            self._tables.counts[ignored_counter(error.reason)] += 1
            self._remember_ignored(topic, error)
            return IGNORE
        # 05-broadcast, "Subscriptions at the proxy" 2: one client may not exhaust the memory, and
        # a socket knows only the network address of a subscriber.
        self._count += 1
        self._topics[topic] += 1
        self._by_host[host] += 1
        self._hosts.setdefault(topic, []).append(host)
        if kind is None and trace is None:
            return SYNC
        # 05-broadcast, "Subscriptions at the proxy" 5: publishers need only the first and the last.
        first = self._tables.peers.namespace(namespace).subscribed.subscribe(topic, kind, trace)
        return FORWARD if first else ACCEPT

    def unsubscribe(self, topic: bytes) -> bool:
        """Remove one subscription; True if publishers must know: it was the last of its topic."""
        # 05-broadcast, "Subscriptions at the proxy" 2: an unsubscription does not name its
        # subscriber. One that was ignored goes first, or it would erase an accepted one.
        if self._ignored[topic]:
            self._ignored[topic] -= 1
            if not self._ignored[topic]:
                del self._ignored[topic]
            return False
        if not self._topics[topic]:
            del self._topics[topic]
            return False
        self._count -= 1
        self._remove_one(topic)
        name, kind, trace = heads.read_topic(topic)
        namespace = self._tables.peers.namespaces.get(name)
        last = namespace is not None and namespace.subscribed.unsubscribe(kind, trace)
        if namespace is not None:
            self._tables.peers.discard_if_empty(namespace)
        return last

    def _remove_one(self, topic: bytes) -> None:
        self._topics[topic] -= 1
        host = self._hosts[topic].pop()
        self._by_host[host] -= 1
        if not self._by_host[host]:
            del self._by_host[host]
        if not self._topics[topic]:
            del self._topics[topic], self._hosts[topic]

    def _remember_ignored(self, topic: bytes, error: WireError) -> None:
        """Remember a subscription over a limit, to recognise its unsubscription.

        When both unsubscribe in the other order, the topic counts as subscribed for longer: a cost,
        never a loss.
        """
        if error.reason.startswith("max_topics") and len(self._ignored) < _MAX_IGNORED:
            self._ignored[topic] += 1

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
