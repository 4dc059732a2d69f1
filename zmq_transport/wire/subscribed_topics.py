"""Topics that have subscribers, and the sequence numbers of their messages.

Spec: docs/spec/05-broadcast.md. Pure. Both publishers of the broadcast plane have one: the proxy
for its copies of directed messages, a client for its own messages. No message is made for a topic
without subscribers.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Set
from typing import Final

from . import heads


class TopicState:
    """One topic that has subscribers.

    Attributes:
        topic: The topic.
        subscriptions: The number of its subscribers.
        sequence: The number of its next message.
    """

    __slots__ = ("sequence", "subscriptions", "topic")

    def __init__(self, topic: bytes) -> None:
        self.topic = topic
        self.subscriptions = 0
        self.sequence = 0


class SubscribedTopics:
    """The topics of one namespace that have subscribers.

    Args:
        publisher: Instance id (16 bytes) for the headers.
    """

    def __init__(self, publisher: bytes) -> None:
        self._publisher = publisher
        self.kinds: dict[int, TopicState] = {}
        self.traces: dict[bytes, TopicState] = {}

    def __bool__(self) -> bool:
        """Return whether any topic has a subscriber."""
        return bool(self.kinds or self.traces)

    def __len__(self) -> int:
        """Return the number of topics that have subscribers."""
        return len(self.kinds) + len(self.traces)

    def topics(self) -> list[bytes]:
        """Return the topics that have subscribers."""
        return [each.topic for each in (*self.kinds.values(), *self.traces.values())]

    def has_subscriber(self, kind: int, trace: bytes) -> bool:
        """Return whether this kind or this trace has a subscriber; ask it before a copy."""
        return kind in self.kinds or trace in self.traces

    def has_any_subscriber(self, kinds: Set[int], traces: Iterable[bytes]) -> bool:
        """Return whether one of these kinds or one of these traces has a subscriber."""
        if self.traces and not self.traces.keys().isdisjoint(traces):
            return True
        return not self.kinds.keys().isdisjoint(kinds)

    def subscribe(self, topic: bytes, kind: int | None, trace: bytes | None) -> bool:
        """Count one more subscriber; return whether it is the first of its topic."""
        topic_state = self._find(kind, trace)
        if topic_state is None:
            topic_state = TopicState(topic)
            if kind is not None:
                self.kinds[kind] = topic_state
            elif trace is not None:
                self.traces[trace] = topic_state
        topic_state.subscriptions += 1
        return topic_state.subscriptions == 1

    def unsubscribe(self, kind: int | None, trace: bytes | None) -> bool:
        """Count one subscriber less; return whether it was the last of its topic."""
        topic_state = self._find(kind, trace)
        if topic_state is None:
            return False
        topic_state.subscriptions -= 1
        if topic_state.subscriptions:
            return False
        if kind is not None:
            del self.kinds[kind]
        elif trace is not None:
            del self.traces[trace]
        return True

    def publications(
        self, kind: int, trace: bytes, caller: bytes, worker: bytes, body: bytes
    ) -> list[heads.Publication]:
        """Return the broadcast messages of one body, one for each subscribed topic: 0 to 2."""
        made = []
        for topic_state in self.topics_of(kind, trace):
            header = heads.pack_header(self._publisher, topic_state.sequence, caller, worker)
            topic_state.sequence += 1
            made.append((topic_state.topic, header, body))
        return made

    def topics_of(self, kind: int, trace: bytes) -> list[TopicState]:
        """Return the subscribed topics of a message, in the order in which it goes out: 0 to 2."""
        # 05, Publishing 3: the trace goes first. A subscriber of the kind that publishes in answer
        # then does so after both, and the trace stays in causal order.
        of_kind = self.kinds.get(kind)
        of_trace = self.traces.get(trace) if self.traces else None
        if of_trace is not None:
            return [of_trace] if of_kind is None else [of_trace, of_kind]
        return [] if of_kind is None else [of_kind]

    def _find(self, kind: int | None, trace: bytes | None) -> TopicState | None:
        if kind is not None:
            return self.kinds.get(kind)
        return self.traces.get(trace) if trace is not None else None


MAX_LEAP: Final = 1 << 20
"""The largest number of missing messages that is believed."""


class Gaps:
    """Count the broadcast messages that are missing, by the sequence numbers of those received.

    Args:
        max_streams: Maximum number of (topic, publisher) pairs. Over it the oldest pair is dropped,
            and its next message starts a new count (05, Sequence numbers 3).
    """

    def __init__(self, max_streams: int = 65_536) -> None:
        self._next: OrderedDict[tuple[bytes, bytes], int] = OrderedDict()
        self._max_streams = max_streams
        self.missed = 0

    def seen(self, topic: bytes, publisher: bytes, sequence: int, count: int = 1) -> int:
        """Record `count` messages from `sequence` on; return how many are missing before them."""
        key = (topic, publisher)
        # 05, Sequence numbers 2: a lower number is a new count and no gap, and so is the first one.
        missing = max(0, sequence - self._next.get(key, sequence))
        # 05, Sequence numbers 4: it is a new count, and that something is missing is told.
        if missing > MAX_LEAP:
            missing = 1
        self._next[key] = sequence + count
        if len(self._next) > self._max_streams:
            self._next.popitem(last=False)
        self.missed += missing
        return missing

    def forget(self, topic: bytes) -> None:
        """Remove the counts of a topic that is no longer subscribed to."""
        for subscribed, publisher in [*self._next]:
            if subscribed == topic:
                del self._next[subscribed, publisher]
