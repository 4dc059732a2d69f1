"""Callers are told which workers there are. Spec: docs/spec/09-resync.md. Pure.

After a restart nobody but its caller can say who may have had a task, so a caller has to know every
worker. It is told when one comes or is gone, never because of a task.
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
MAX_MET: Final = 65_536
"""Of how many workers is remembered that they have been here."""


class WorkerNews:
    """Tells news of workers at once, and what comes close behind it at the next tick."""

    def __init__(self) -> None:
        self._came: dict[Namespace, list[bytes]] = {}
        self._left: dict[Namespace, list[bytes]] = {}
        self._behind: dict[Peer, float] = {}
        self._met: dict[bytes, None] = {}
        self._quiet_until_s = 0.0

    @staticmethod
    def subscribe(peer: Peer) -> list[Directed]:
        """Tell `peer` from now on, beginning with all who are here."""
        peer.namespace.callers.add(peer)
        here = (each.instance for each in peer.namespace.peers if each.worker)
        return [(peer.connection, *page) for page in resync_messages.workers_pages(here)]

    def came(self, peer: Peer, now_s: float) -> list[Directed]:
        """Take `peer` for a worker: from now on tasks may be with it."""
        if peer.worker:
            return []
        peer.worker = True
        self._met.pop(peer.instance, None)
        self._met[peer.instance] = None
        if len(self._met) > MAX_MET:
            del self._met[next(iter(self._met))]
        self._came.setdefault(peer.namespace, []).append(peer.instance)
        return self._news(now_s) if now_s >= self._quiet_until_s else []

    def has_met(self, instance: bytes) -> bool:
        """Tell whether `instance` has been a worker here, now or before."""
        return instance in self._met

    def left(self, peer: Peer) -> None:
        """Note that a worker is gone and its tasks have been reported."""
        if peer.worker:
            peer.worker = False
            self._left.setdefault(peer.namespace, []).append(peer.instance)

    def unsent(self, peer: Peer, now_s: float) -> None:
        """Note that a letter found no room: `peer` is told anew who is here."""
        self._behind[peer] = now_s + _AGAIN_S

    def tick(self, now_s: float) -> list[Directed]:
        """Return the news for everyone, and all for those who missed some."""
        messages: list[Directed] = []
        for peer in [each for each, at_s in self._behind.items() if at_s <= now_s]:
            del self._behind[peer]
            if not peer.gone and peer.absent_at_s is None:
                messages += self.subscribe(peer)
        return messages + self._news(now_s)

    def _news(self, now_s: float) -> list[Directed]:
        if not self._came and not self._left:
            return []
        self._quiet_until_s = now_s + _EVERY_S
        messages: list[Directed] = []
        for news, kind in ((self._left, WorkersFlag.LEFT), (self._came, 0)):
            for namespace, instances in news.items():
                messages += _to_all(namespace, resync_messages.workers_messages(instances, kind))
            news.clear()
        return messages


def _to_all(namespace: Namespace, messages: list[Message]) -> list[Directed]:
    return [
        (caller.connection, *message)
        for caller in namespace.callers
        if caller.absent_at_s is None
        for message in messages
    ]
