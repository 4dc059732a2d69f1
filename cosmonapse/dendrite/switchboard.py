"""Who in a Dendrite takes which event of the transport."""

from __future__ import annotations

import logging

from .dispatch import Dispatcher
from .inbox import Inbox
from .presence import Presence
from .watching import Watching

_LOG = logging.getLogger(__name__)


class Switchboard:
    """Connects the transport, which comes first, with the parts that are built upon it."""

    def __init__(self, dendrite_id: str) -> None:
        self._dendrite_id = dendrite_id

    def connect(
        self, dispatcher: Dispatcher, inbox: Inbox, presence: Presence, watching: Watching
    ) -> None:
        """Wire the parts up; until then nothing may arrive."""
        self._presence = presence
        self.on_task = inbox.on_task
        self.on_cancel = inbox.on_cancel
        self.on_reply = dispatcher.on_reply
        self.on_bounce = dispatcher.on_bounce
        self.on_lost = dispatcher.on_lost
        self.on_heard = watching.on_heard
        self.on_missed = watching.on_missed
        self.on_registered = presence.on_registered

    def on_welcomed(self, fresh: bool) -> None:
        """Announce the Axons again: the Synapse may have forgotten them."""
        self._presence.announce()

    def on_away(self, why: str) -> None:
        """Tell the log; the transport comes back by itself."""
        _LOG.warning("dendrite %s lost its Synapse (%s), reconnecting", self._dendrite_id, why)
