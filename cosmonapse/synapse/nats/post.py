"""What the parts of a router need to send. Spec: docs/spec/14-nats.md, "Routers". Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from itertools import count
from typing import Final, Protocol

import attrs

from zmq_transport.proxy.engine import Engine
from zmq_transport.proxy.settings import Settings
from zmq_transport.proxy.tables import MessageTap
from zmq_transport.wire.state_messages import ProxyState

HandOver = Callable[[int], int]
"""Hands over about that many bytes of what waits, at least one piece; returns how many these were,
0 when nothing waits any more."""


TOPICS_SHARE: Final = 8
"""Of the bytes that may wait for all clients, publications have one part in so many. As many more
may be in the hands of asyncio, where nobody can see them."""


class LineState(Protocol):
    """How a line of a router is."""

    @property
    def is_connected(self) -> bool:
        """Return whether there is a line now."""

    @property
    def max_payload(self) -> int:
        """Most bytes of one message."""

    @property
    def waiting_bytes(self) -> int:
        """The bytes that were handed over and are not written yet."""


class Post(LineState, Protocol):
    """Sends over a line of a router. No call waits."""

    def publish(self, subject: str, data: bytes, reply: str = "") -> None:
        """Send a message, and count it if there is no line."""

    def pace(self, key: Hashable, hand_over: HandOver) -> None:
        """Call `hand_over`, a piece at a time and in turn with others, until nothing waits there.

        Args:
            key: What the pieces belong to; a second call for the same one changes nothing.
            hand_over: Hands them over.
        """


@attrs.define
class RouterContext:
    """What the slots of a router share.

    Args:
        router: The id of the router, 16 bytes.
        post: Sends what is for one, and all about routers.
        topics: Sends what is for who listens.
        settings: The limits.
        counts: The counters of the router and of its engines.
        tap: Receives the facts of each message.
        always_publish: True to publish what happens in a namespace though nobody listens.
        dead_after_s: After how long without a word a connection counts as gone.
        whole_state: Tells the state of the router: it is given whether that leaves, and the
            monotonic clock.

    Attributes:
        engines: The engines of its slots.
        numbers: Numbers connections and messages in pieces.
        partial_bytes: The bytes of messages of all clients that are not whole yet.
        queued_bytes: The bytes that wait for their turn, for all clients together.
        queued_topic_bytes: Of those who listen, the same.
    """

    router: bytes
    post: Post
    topics: Post
    settings: Settings
    counts: Counter[str]
    tap: MessageTap | None = None
    always_publish: bool = False
    dead_after_s: float = 15.0
    whole_state: Callable[[bool, float], ProxyState] | None = None
    engines: list[Engine] = attrs.field(factory=list, init=False)
    numbers: Iterator[int] = attrs.field(factory=lambda: count(1), init=False)
    partial_bytes: int = attrs.field(default=0, init=False)
    queued_bytes: int = attrs.field(default=0, init=False)
    queued_topic_bytes: int = attrs.field(default=0, init=False)

    @property
    def has_all_clients(self) -> bool:
        """Return whether all engines together have as many clients as they may."""
        return sum(len(each.tables.peers) for each in self.engines) >= self.settings.max_peers

    @property
    def waiting_bytes(self) -> int:
        """The bytes that wait for all clients together."""
        return self.post.waiting_bytes + self.queued_bytes + self.waiting_topic_bytes

    @property
    def waiting_topic_bytes(self) -> int:
        """The bytes of these that wait for who listens."""
        return self.topics.waiting_bytes + self.queued_topic_bytes

    @property
    def has_room(self) -> bool:
        """Return whether one more message may wait."""
        return self.waiting_bytes < max(1, self.settings.max_waiting_bytes_of_all)

    @property
    def topics_have_room(self) -> bool:
        """Return whether one more publication may wait.

        nats-server holds up who publishes for one that does not read. What piles up then leaves
        room for messages to those who do.
        """
        most_bytes = self.settings.max_waiting_bytes_of_all // TOPICS_SHARE
        return self.waiting_topic_bytes < max(1, most_bytes) and self.has_room

    @property
    def is_too_partial(self) -> bool:
        """Return whether messages that are not whole hold too many bytes."""
        return self.partial_bytes > self.settings.max_waiting_bytes_of_all
