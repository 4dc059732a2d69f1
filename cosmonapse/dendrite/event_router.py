"""Routes the events of the transport to the parts of a Dendrite.

Spec: docs/spec/08-port.md. Implements `transport.Receiver`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from .caller.dispatcher import Dispatcher
from .watch.subscriptions import Subscriptions
from .worker.inbox import Inbox
from .worker.registration import Registration

_LOG = logging.getLogger(__name__)


class EventRouter:
    """Connects the transport, which is made first, with the parts that are built on it."""

    # `connect` sets each of these to the method of the part itself: one call less on the hot path.
    on_tasks: Callable[..., None]
    on_cancel: Callable[[bytes, bytes], None]
    on_replies: Callable[..., None]
    on_bounce: Callable[[bytes, str], None]
    on_lost: Callable[[bytes, str], None]
    on_registered: Callable[[str, str], None]
    on_published: Callable[[bytes, int, bytes, bytes], None]

    def __init__(self, dendrite_id: str) -> None:
        self._dendrite_id = dendrite_id

    def connect(
        self,
        dispatcher: Dispatcher,
        inbox: Inbox,
        registration: Registration,
        subscriptions: Subscriptions,
    ) -> None:
        """Connect the parts; no event arrives before the transport is opened."""
        self._inbox = inbox
        self._dispatcher = dispatcher
        self._registration = registration
        self.on_tasks = inbox.on_tasks
        self.on_cancel = inbox.on_cancel
        self.on_replies = dispatcher.plain_calls.on_replies
        self.on_bounce = dispatcher.on_bounce
        self.on_lost = dispatcher.on_lost
        self._subscriptions = subscriptions
        self.on_registered = registration.on_registered
        self.on_published = subscriptions.on_published

    def on_heard(
        self, kind: int, trace: bytes, caller: bytes, worker: bytes, bodies: list[bytes]
    ) -> None:
        """Handle the broadcast Signals of a message."""
        self._subscriptions.on_heard(kind, trace, caller, worker, bodies)

    def on_missed(self, count: int) -> None:
        """Handle a gap in the broadcast Signals."""
        self._subscriptions.on_missed(count)

    def on_welcomed(self, fresh: bool) -> None:
        """Register the Axons again: after a restart the Synapse does not know them."""
        now_s = asyncio.get_running_loop().time()
        self._inbox.reply_cache.resume(now_s)
        away_s = self._dispatcher.absence.end(now_s)
        if away_s is not None:  # whoever reads that it was lost wants to know when that is over
            text = "dendrite %s is back at its Synapse after %.1f s"
            _LOG.warning(text, self._dendrite_id, away_s)
        self._subscriptions.on_welcomed()
        self._registration.announce()

    def on_away(self, why: str) -> None:
        """Log that the connection is lost; the transport reconnects by itself."""
        self._inbox.reply_cache.pause()
        self._dispatcher.absence.begin(asyncio.get_running_loop().time(), why)
        _LOG.warning("dendrite %s lost its Synapse (%s), reconnecting", self._dendrite_id, why)
