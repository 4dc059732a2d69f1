"""Subscriptions at the proxy: which are accepted, counted, passed on.

Spec: docs/spec/05-broadcast.md. Pure. The XPUB socket runs in manual mode, so that nothing is
listened to before this says so.
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
    """Accepts subscriptions within bounds and knows who has to hear of them."""

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
        """Say what to do with a subscription.

        Args:
            topic: As it came.
            host: The network address it came from.

        Returns:
            `SYNC` (answer it at once), `ACCEPT`, `FORWARD` (accept it and tell publishers) or
            `IGNORE` (and count).
        """
        try:
            namespace, kind, trace = self._served(topic)
            self._check_room(host)
        except WireError as error:
            self._tables.counts[ignored_counter(error.reason)] += 1
            self._remember_ignored(topic, error)
            return IGNORE
        self._count += 1
        self._topics[topic] += 1
        self._by_host[host] += 1
        self._hosts.setdefault(topic, []).append(host)
        if kind is None and trace is None:
            return SYNC
        first = self._tables.peers.namespace(namespace).subscribed.joined(topic, kind, trace)
        return FORWARD if first else ACCEPT

    def unsubscribe(self, topic: bytes) -> bool:
        """Count a listener less; True if publishers have to hear that it was the last one."""
        if self._ignored[topic]:
            self._ignored[topic] -= 1
            if not self._ignored[topic]:
                del self._ignored[topic]
            return False
        if not self._topics[topic]:
            del self._topics[topic]
            return False
        self._count -= 1
        self._topics[topic] -= 1
        host = self._hosts[topic].pop()
        self._by_host[host] -= 1
        if not self._by_host[host]:
            del self._by_host[host]
        if not self._topics[topic]:
            del self._topics[topic], self._hosts[topic]
        name, kind, trace = heads.read_topic(topic)
        namespace = self._tables.peers.namespaces.get(name)
        last = namespace is not None and namespace.subscribed.left(kind, trace)
        if namespace is not None:
            self._tables.peers.leave_namespace(namespace)
        return last

    def _remember_ignored(self, topic: bytes, error: WireError) -> None:
        """Remember who was over a cap, so that its leaving is not taken for another's.

        When both leave in the other order the topic stays listened to for a while: a cost, never
        a loss.
        """
        if error.reason.startswith("max_topics") and len(self._ignored) < _MAX_IGNORED:
            self._ignored[topic] += 1

    def answer(self, topic: bytes) -> Output:
        """Return the message that answers a sync subscription."""
        header = heads.pack_header(self._tables.epoch, 0, heads.NOBODY, heads.NOBODY)
        return PUBLISH, topic, header, b""

    def published(self, frames: list[bytes]) -> bool:
        """Tell whether a client's broadcast message may be passed on; count it if not."""
        try:
            self._check_publication(frames)
        except WireError as error:
            self._tables.counts[drop_counter(error.reason)] += 1
            return False
        self._tables.counts["published"] += 1
        return self._tables.may_publish(len(frames[2]))

    def _served(self, topic: bytes) -> heads.Topic:
        read = heads.read_topic(topic)
        served = self._tables.settings.namespaces
        if served and read[0] not in served:
            raise WireError("foreign_namespace", f"{read[0]} is not served here")
        return read

    def _check_room(self, host: str) -> None:
        settings = self._tables.settings
        if len(self) >= settings.max_topics:
            raise WireError("max_topics", f"{settings.max_topics} subscriptions are here")
        if self._by_host[host] >= settings.max_topics_per_host:
            raise WireError("max_topics_per_host", f"{host} has too many subscriptions")

    def _check_publication(self, frames: list[bytes]) -> None:
        if len(frames) != 3:
            raise WireError("frame_count", f"3 frames, not {len(frames)}")
        topic, header, body = frames
        _, kind, trace = self._served(topic)
        if kind is None and trace is None:
            raise WireError("bad_topic", "nobody but the proxy answers a sync")
        if len(header) == heads.HEADER_BYTES:
            heads.unpack_header(header)
        else:
            heads.read_batch(header, len(body))
        if len(body) > self._tables.settings.max_body_bytes:
            raise WireError("too_large", f"{len(body):,} bytes")
