"""Announce to callers which workers come and leave. Spec: docs/spec/09-resync.md. Pure.

After a restart only its caller can say which workers may have had a task, so a caller has to know
every worker. It receives a list, and then each change; a task never causes a message here.
"""

from __future__ import annotations

from typing import Final

from ..wire import resync_messages
from ..wire.resync_messages import Message, WorkersFlag
from .peers import Namespace, Peer

Directed = tuple[bytes, bytes, bytes]
"""connection, head, body"""

_EVERY_S = 0.1
_AGAIN_S = 0.5
MAX_REMEMBERED: Final = 65_536
"""How many workers are remembered as having been here."""


class WorkerNews:
    """Announces changes at once, and those within 0.1 s of the last ones at the next tick."""

    def __init__(self) -> None:
        self._added: dict[Namespace, dict[bytes, None]] = {}
        self._removed: dict[Namespace, dict[bytes, None]] = {}
        self._resend_at_s: dict[Peer, float] = {}
        self._remembered: dict[bytes, None] = {}
        self._wait_until_s = 0.0

    @staticmethod
    def add_caller(peer: Peer) -> list[Directed]:
        """Send `peer` all changes from now on; return the complete list, which comes first."""
        peer.namespace.callers.add(peer)
        here = (each.instance for each in peer.namespace.peers if each.worker)
        return [(peer.connection, *page) for page in resync_messages.workers_pages(here)]

    def on_request(self, peer: Peer, now_s: float) -> list[Directed]:
        """Return the complete list for a caller that asks for news; if it has it already, later."""
        # A question of a few bytes must not cost the list of all workers each time.
        if peer in peer.namespace.callers:
            self._resend_at_s.setdefault(peer, now_s + _AGAIN_S)
            return []
        return self.add_caller(peer)

    def add_worker(self, peer: Peer, now_s: float) -> list[Directed]:
        """Mark `peer` as a worker, which may have tasks from now on, and announce it."""
        if peer.worker:
            return []
        peer.worker = True
        self._remembered.pop(peer.instance, None)
        self._remembered[peer.instance] = None
        if len(self._remembered) > MAX_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._added.setdefault(peer.namespace, {})[peer.instance] = None
        # When a thousand workers start at once, each at once to every caller would be too much.
        return self._news(now_s) if now_s >= self._wait_until_s else []

    def was_worker(self, instance: bytes) -> bool:
        """Return whether `instance` is or was a worker of this proxy."""
        return instance in self._remembered

    def remove_worker(self, peer: Peer) -> None:
        """Announce at the next tick that a worker is gone; its tasks have been reported."""
        if peer.worker:
            peer.worker = False
            # LEFT goes ahead of those that came: one that came and left since then is not here.
            self._added.get(peer.namespace, {}).pop(peer.instance, None)
            self._removed.setdefault(peer.namespace, {})[peer.instance] = None

    def on_unsent(self, peer: Peer, now_s: float) -> None:
        """Send the complete list to `peer` later: news found its queue full."""
        self._resend_at_s[peer] = now_s + _AGAIN_S

    def tick(self, now_s: float) -> list[Directed]:
        """Return the news for all callers, and the complete list for those that missed some."""
        messages: list[Directed] = []
        for peer in [each for each, at_s in self._resend_at_s.items() if at_s <= now_s]:
            del self._resend_at_s[peer]
            if not peer.gone and peer.absent_at_s is None:
                messages += self.add_caller(peer)
        return messages + self._news(now_s)

    def _news(self, now_s: float) -> list[Directed]:
        if not self._added and not self._removed:
            return []
        self._wait_until_s = now_s + _EVERY_S
        messages: list[Directed] = []
        # LEFT first: a worker that left and came back within a tick is here.
        for news, kind in ((self._removed, WorkersFlag.LEFT), (self._added, 0)):
            for namespace, instances in news.items():
                messages += _to_callers(
                    namespace, resync_messages.workers_messages(instances, kind)
                )
            news.clear()
        return messages


def _to_callers(namespace: Namespace, messages: list[Message]) -> list[Directed]:
    return [
        (caller.connection, *message)
        for caller in namespace.callers
        if caller.absent_at_s is None
        for message in messages
    ]
