"""Publishes what a slot has for who listens, over the second line of its router. Pure.

Spec: docs/spec/14-nats.md, "Broadcasts". What is over a bound, or finds no line, is counted, and
those who listen see a gap; nothing of it holds up the messages to those who read.
"""

from __future__ import annotations

import functools

from .post import RouterContext
from .topic_queue import TopicQueue


class TopicPublisher:
    """Publishes in order, namespace by namespace. No call raises.

    Args:
        context: What the slots of a router share.
    """

    def __init__(self, context: RouterContext) -> None:
        self._context, self._line = context, context.topics
        self._queues: dict[str, TopicQueue] = {}

    def publish(self, namespace: str, subject: str, data: bytes) -> None:
        """Publish a message, or drop and count it."""
        counts = self._context.counts
        if not self._line.is_connected:
            counts["drop.no_topic_line"] += 1
        elif not self._context.topics_have_room:
            counts["full.topics"] += 1
        else:
            self._put(namespace, subject, data)

    def answer(self, namespace: str, subject: str, data: bytes) -> None:
        """Send the answer to a sync behind all that was published before it.

        It is small, and who listens waits for it: so it has more room than a publication. Without
        a second line nothing is left that it could pass.
        """
        if not self._line.is_connected:
            self._context.post.publish(subject, data)
        elif not self._context.has_room:
            self._context.counts["full.shared"] += 1
        else:
            self._put(namespace, subject, data)

    def forget(self) -> int:
        """Drop what waits for its turn; return how many messages these were."""
        dropped = 0
        for queue in self._queues.values():
            self._context.queued_topic_bytes -= queue.waiting_bytes
            dropped += len(queue)
        self._queues.clear()
        return dropped

    def _put(self, namespace: str, subject: str, data: bytes) -> None:
        queue = self._queues.get(namespace)
        if queue is None:
            if len(data) <= self._line.max_payload:
                self._line.publish(subject, data)
                return
            queue = TopicQueue(self._line.max_payload, self._context.numbers)
            self._queues[namespace] = queue
        queue.put(subject, data)
        self._context.queued_topic_bytes += len(data)
        self._line.pace(queue, functools.partial(self._hand_over, namespace, queue))

    def _hand_over(self, namespace: str, queue: TopicQueue, budget_bytes: int) -> int:
        """See `HandOver`."""
        if self._queues.get(namespace) is not queue:
            return 0
        before = queue.waiting_bytes
        parts = queue.take(budget_bytes)
        self._context.queued_topic_bytes += queue.waiting_bytes - before
        for subject, part in parts:
            self._line.publish(subject, part)
        if not queue:
            del self._queues[namespace]
        return sum(len(part) for _, part in parts)
