"""Records REGISTER, HEARTBEAT and DEREGISTER of a namespace in a registry store."""

from __future__ import annotations

import asyncio

from ...signals import Signal
from ...stores import Recorder, RegistryStore
from .handlers import Handler
from .roster import Roster
from .subscriptions import Subscriptions


class RegistryRecorder:
    """Updates a registry store while its Dendrite runs.

    Args:
        store: The store; it is written in a thread.
        subscriptions: Deliver the presence Signals.
        roster: Answers which Axons were live before.
    """

    def __init__(self, store: RegistryStore, subscriptions: Subscriptions, roster: Roster) -> None:
        self._store = store
        self._roster = roster
        self._recorder = Recorder(store)
        subscriptions.add(Handler(self._record, frozenset(Recorder.TYPES)))

    async def start(self) -> None:
        """Record the Axons that are live already.

        Raises:
            SynapseUnreachable: The Synapse does not answer within 5 s.
            RegistryStoreError: The store cannot write.
        """
        for record in await self._roster.find():
            await asyncio.to_thread(self._store.upsert, record)

    def _record(self, signal: Signal) -> None:
        """Record one Signal; not `async def`, so it runs in a thread, where a store may block."""
        self._recorder.take(signal)
