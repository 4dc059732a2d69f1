"""Who listens to which topic, and the sequence numbers of what they get.

Spec: docs/spec/05-broadcast.md. Pure. Both ends of the broadcast plane keep one: the proxy for its
copies of directed messages, a client for what it publishes. Nothing is made for a topic that nobody
listens to.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Set

from . import heads


class _TopicState:
    """One topic somebody listens to."""

    __slots__ = ("sequence", "subscriptions", "topic")

    def __init__(self, topic: bytes) -> None:
        self.topic = topic
        self.subscriptions = 0
        self.sequence = 0


class SubscribedTopics:
    """The topics of one namespace that have listeners.

    Args:
        publisher: Instance id that the headers name.
    """

    def __init__(self, publisher: bytes) -> None:
        self._publisher = publisher
        self._kinds: dict[int, _TopicState] = {}
        self._traces: dict[bytes, _TopicState] = {}

    def __bool__(self) -> bool:
        """Tell whether anyone listens to anything."""
        return bool(self._kinds or self._traces)

    def __len__(self) -> int:
        """Return the number of topics with listeners."""
        return len(self._kinds) + len(self._traces)

    def has_subscriber(self, kind: int, trace: bytes) -> bool:
        """Tell whether anyone listens to this kind or this trace."""
        return kind in self._kinds or trace in self._traces

    def has_any_subscriber(self, kinds: Set[int], traces: Iterable[bytes]) -> bool:
        """Tell whether anyone listens to one of these kinds or one of these traces."""
        if self._traces and not self._traces.keys().isdisjoint(traces):
            return True
        return not self._kinds.keys().isdisjoint(kinds)

    def joined(self, topic: bytes, kind: int | None, trace: bytes | None) -> bool:
        """Count one more listener; True if it is the first of its topic."""
        topic_state = self._find(kind, trace)
        if topic_state is None:
            topic_state = _TopicState(topic)
            if kind is not None:
                self._kinds[kind] = topic_state
            elif trace is not None:
                self._traces[trace] = topic_state
        topic_state.subscriptions += 1
        return topic_state.subscriptions == 1

    def left(self, kind: int | None, trace: bytes | None) -> bool:
        """Count one listener less; True if it was the last of its topic."""
        topic_state = self._find(kind, trace)
        if topic_state is None:
            return False
        topic_state.subscriptions -= 1
        if topic_state.subscriptions:
            return False
        if kind is not None:
            del self._kinds[kind]
        elif trace is not None:
            del self._traces[trace]
        return True

    def publications(
        self, kind: int, trace: bytes, caller: bytes, worker: bytes, body: bytes
    ) -> list[heads.Publication]:
        """Return the broadcast messages of one body: one a topic with listeners, so 0 to 2.

        The one for the trace goes first: whoever reacts to the other one reacts behind it, and so
        a trace stays in causal order.
        """
        made = []
        for topic_state in (self._traces.get(trace), self._kinds.get(kind)):
            if topic_state is not None:
                header = heads.pack_header(self._publisher, topic_state.sequence, caller, worker)
                topic_state.sequence += 1
                made.append((topic_state.topic, header, body))
        return made

    def _find(self, kind: int | None, trace: bytes | None) -> _TopicState | None:
        if kind is not None:
            return self._kinds.get(kind)
        return self._traces.get(trace) if trace is not None else None


class Gaps:
    """What a listener missed, by the sequence numbers of what it got.

    Args:
        max_streams: How many pairs of topic and publisher are remembered; over it the oldest is
            forgotten, and its next message starts a new count.
    """

    def __init__(self, max_streams: int = 65_536) -> None:
        self._next: OrderedDict[tuple[bytes, bytes], int] = OrderedDict()
        self._max_streams = max_streams
        self.missed = 0

    def seen(self, topic: bytes, publisher: bytes, sequence: int, count: int = 1) -> int:
        """Note `count` messages from `sequence` on; return how many are missing right before."""
        key = (topic, publisher)
        missing = max(0, sequence - self._next.get(key, sequence))
        self._next[key] = sequence + count
        if len(self._next) > self._max_streams:
            self._next.popitem(last=False)
        self.missed += missing
        return missing

    def forget(self, topic: bytes) -> None:
        """Forget a topic that is no longer listened to."""
        for key in [key for key in self._next if key[0] == topic]:
            del self._next[key]
