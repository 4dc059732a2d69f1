"""Who in a Dendrite takes which event of the transport. See `cosmonapse.transport.Receiver`."""

from __future__ import annotations

import asyncio
import logging

from .dispatch import Dispatcher
from .inbox import Inbox
from .presence import Presence
from .watching import Watching

_LOG = logging.getLogger(__name__)


class Switchboard:
    """Connects the transport, which comes first, with the parts that are built upon it."""

    _dispatcher: Dispatcher
    _inbox: Inbox
    _presence: Presence
    _watching: Watching

    def __init__(self, dendrite_id: str) -> None:
        self._dendrite_id = dendrite_id

    def connect(
        self, dispatcher: Dispatcher, inbox: Inbox, presence: Presence, watching: Watching
    ) -> None:
        """Wire the parts up; nothing arrives before the transport is opened."""
        self._dispatcher = dispatcher
        self._inbox = inbox
        self._presence = presence
        self._watching = watching

    def on_task(
        self,
        caller: bytes,
        address: str,
        task: bytes,
        trace: bytes,
        kind: int,
        ttl_ms: int,
        flags: int,
        body: bytes,
    ) -> None:
        """Take a TASK of ours to do."""
        self._inbox.on_task(caller, address, task, trace, kind, ttl_ms, flags, body)

    def on_cancel(self, caller: bytes, task: bytes) -> None:
        """Take a TASK back."""
        self._inbox.on_cancel(caller, task)

    def on_reply(
        self,
        worker: bytes,
        task: bytes,
        trace: bytes,
        kind: int,
        index: int,
        flags: int,
        body: bytes,
    ) -> None:
        """Take a reply to a TASK of ours."""
        self._dispatcher.on_reply(worker, task, trace, kind, index, flags, body)

    def on_bounce(self, task: bytes, reason: str) -> None:
        """Learn that a TASK of ours was not delivered."""
        self._dispatcher.on_bounce(task, reason)

    def on_lost(self, task: bytes, reason: str) -> None:
        """Learn that a TASK of ours is lost."""
        self._dispatcher.on_lost(task, reason)

    def on_heard(self, kind: int, trace: bytes, caller: bytes, worker: bytes, body: bytes) -> None:
        """Take a broadcast Signal."""
        self._watching.on_heard(kind, trace, caller, worker, body)

    def on_missed(self, count: int) -> None:
        """Learn of a gap."""
        self._watching.on_missed(count)

    def on_registered(self, neuron_id: str, refusal: str) -> None:
        """Learn that an Axon can be reached, or why not."""
        self._presence.on_registered(neuron_id, refusal)

    def on_welcomed(self, fresh: bool) -> None:
        """Announce the Axons again: the Synapse may have forgotten them."""
        self._inbox.answers.resume(asyncio.get_running_loop().time())
        self._presence.announce()

    def on_away(self, why: str) -> None:
        """Tell the log; the transport comes back by itself."""
        self._inbox.answers.pause()
        _LOG.warning("dendrite %s lost its Synapse (%s), reconnecting", self._dendrite_id, why)
