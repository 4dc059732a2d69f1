"""A client's side of the broadcast plane: its topics, its publications, its subscribers.

Spec: docs/spec/05-broadcast.md. A thin shell around `subscribed_topics`; a carrier moves its
frames.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import NoReturn

from ..errors import LinkClosed, Unreachable, WireError
from ..kernel import read_broadcast
from ..wire import heads
from ..wire.batch import OpenBatch
from ..wire.drops import drop_counter, ignored_counter
from ..wire.subscribed_topics import Gaps, SubscribedTopics
from .carrier import Carrier

Heard = Callable[[int, bytes, bytes, bytes, list[bytes]], None]
"""(kind or -1, trace, caller, worker, bodies) of a broadcast message, or of a batch of them."""


class Broadcast:
    """Listens to topics of one namespace, and publishes on those that have subscribers.

    Attributes:
        on_sentinel: Is called with True when the subscribers of this client are known, and with
            False when the connection that tells them has ended.

    Args:
        instance: Instance id of the client, 16 bytes.
        namespace: The namespace of the client.
        carrier: Moves the frames.
        on_heard: Receives every message that arrives.
        on_missed: Receives the number of missing messages at each gap.
    """

    def __init__(
        self,
        instance: bytes,
        namespace: str,
        carrier: Carrier,
        on_heard: Heard,
        on_missed: Callable[[int], None],
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.subscribed = SubscribedTopics(instance)
        self.on_sentinel: Callable[[bool], None] = _ignore
        self._instance = instance
        self._namespace = namespace
        self._carrier = carrier
        self._on_heard = on_heard
        self._on_missed = on_missed
        self._gaps = Gaps()
        self._topics: Counter[bytes] = Counter()
        self._known: dict[bytes, tuple[int | None, bytes | None]] = {}
        self._turn = 0
        self._syncs: dict[bytes, asyncio.Future[None]] = {}
        self._subscribed_to: set[bytes] = set()
        self._confirmed: set[bytes] = set()
        self._batch = OpenBatch(instance)
        self._gathering = False

    def join(self, listen_port: int, publish_port: int) -> None:
        """Connect to the far end what is open; connect it again if the far end moved."""
        self._carrier.join(listen_port, publish_port)

    async def wait_until_live(self) -> None:
        """Return when every subscription made so far is in force, if there is any."""
        if self._topics:
            await self._sync()

    async def sync(self, timeout_s: float) -> None:
        """Return when every subscription made so far is in force at the far end.

        Raises:
            Unreachable: Not within `timeout_s` seconds.
            AccessRefused: The far end refuses this client.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._sync()
        except TimeoutError as error:
            raise Unreachable(self._carrier.endpoint, "no answer to a subscription") from error

    async def _sync(self) -> None:
        self._turn += 1
        topic = heads.sync_topic(self._namespace, self._instance, self._turn)
        answered = self._syncs[topic] = asyncio.get_running_loop().create_future()
        self._carrier.subscribe(topic)
        try:
            await answered
        finally:
            self._syncs.pop(topic, None)
            self._carrier.unsubscribe(topic)

    def listen(self, kind: int | None = None, trace: bytes | None = None) -> None:
        """Listen to a kind or a trace; calls add up. In force after the next `sync`."""
        topic = self._topic(kind, trace)
        self._known[topic] = kind, trace
        self._topics[topic] += 1
        if self._topics[topic] == 1:
            self._carrier.subscribe(topic)

    def unlisten(self, kind: int | None = None, trace: bytes | None = None) -> None:
        """Undo one `listen`."""
        topic = self._topic(kind, trace)
        self._topics[topic] -= 1
        if self._topics[topic] <= 0:
            del self._topics[topic]
            self._known.pop(topic, None)
            self._gaps.forget(topic)
            self._carrier.unsubscribe(topic)

    def publish(self, kind: int, trace: bytes, caller: bytes, worker: bytes, body: bytes) -> int:
        """Publish to the subscribers; return the number of messages: 0, 1 or 2."""
        topics = self.subscribed.topics_of(kind, trace)
        if not topics:
            return 0
        # The first message of a turn goes at once, and those that follow together at its end.
        is_first = not self._gathering
        if is_first:
            self._gathering = True
            asyncio.get_running_loop().call_soon(self._end_of_turn)
        batch = self._batch
        for topic in topics:
            sequence = topic.sequence
            topic.sequence = sequence + 1
            if not batch.add(topic.topic, sequence, caller, worker, body):
                self.flush()
                batch.add(topic.topic, sequence, caller, worker, body)
        if is_first:
            self.flush()
        self.counts["published"] += len(topics)
        return len(topics)

    def _end_of_turn(self) -> None:
        self._gathering = False
        self.flush()

    def flush(self) -> None:
        """Send the messages that were gathered in this turn."""
        message = self._batch.take()
        if message is not None:
            self._carrier.publish(*message)

    def close(self) -> None:
        """End every wait for a sync with `LinkClosed`, and drop the gathered messages."""
        self._batch.take()
        self.refuse(LinkClosed("the link was closed while it synchronised"))

    def refuse(self, error: Exception) -> None:
        """End every wait for a sync with an error."""
        for answered in self._syncs.values():
            if not answered.done():
                answered.set_exception(error)

    def on_publication(self, topic: bytes, header: bytes, body: bytes) -> None:
        """Handle a broadcast message, or the answer to a sync."""
        answered = self._syncs.get(topic)
        if answered is not None:
            if not answered.done():
                answered.set_result(None)
            return
        try:
            message = read_broadcast(header, body) or _refused(header, body)
            publisher, sequence, caller, worker, bodies = message
            known = self._known.get(topic)
            kind, trace = known if known is not None else _kind_and_trace(topic)
        except WireError as error:
            self.counts[drop_counter(error.reason)] += 1
            return
        missed = self._gaps.seen(topic, publisher, sequence, len(bodies))
        if missed:
            self._on_missed(missed)
        self._on_heard(-1 if kind is None else kind, trace or b"", caller, worker, bodies)

    def on_subscription(self, joins: bool, topic: bytes) -> None:
        """Record a subscription; the sentinel comes last, and goes with its connection."""
        if topic == heads.LIVE_TOPIC:
            self._on_sentinel(joins)
            return
        try:
            namespace, kind, trace = heads.read_topic(topic)
        except WireError as error:
            self.counts[ignored_counter(error.reason)] += 1
            return
        if namespace != self._namespace:
            return
        if joins:
            self._confirmed.add(topic)
            if topic not in self._subscribed_to:
                self._subscribed_to.add(topic)
                self.subscribed.subscribe(topic, kind, trace)
        else:
            self._confirmed.discard(topic)
            self._forget(topic)

    def _on_sentinel(self, joins: bool) -> None:
        # 05, Publishing 5: after a lost connection the topics with a listener come again, the
        # sentinel last. ZeroMQ keeps the others.
        if joins:
            for topic in self._subscribed_to - self._confirmed:
                self._forget(topic)
        else:
            self._confirmed.clear()
        self.on_sentinel(joins)

    def _forget(self, topic: bytes) -> None:
        if topic in self._subscribed_to:
            self._subscribed_to.remove(topic)
            _, kind, trace = heads.read_topic(topic)
            self.subscribed.unsubscribe(kind, trace)

    def _topic(self, kind: int | None, trace: bytes | None) -> bytes:
        if kind is not None:
            return heads.kind_topic(self._namespace, kind)
        if trace is not None:
            return heads.trace_topic(self._namespace, trace)
        raise ValueError("listen to a kind or to a trace")


def _refused(header: bytes, body: bytes) -> NoReturn:
    """Raise what is wrong with a broadcast message."""
    heads.read_batch(header, len(body))
    raise WireError("bad_header", f"a header of {len(header)} bytes belongs to no message")


def _ignore(joins: bool) -> None:
    pass


def _kind_and_trace(topic: bytes) -> tuple[int | None, bytes | None]:
    _, kind, trace = heads.read_topic(topic)
    return kind, trace
