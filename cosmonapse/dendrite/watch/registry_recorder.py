"""Recording: who comes, lives and goes, written into a registry store."""

from __future__ import annotations

import asyncio

from ...signals import Signal
from ...stores import Recorder, RegistryStore
from .handlers import Handler
from .roster import Roster
from .subscriptions import Subscriptions


class RegistryRecorder:
    """Keeps a registry store up to date while its Dendrite runs.

    Args:
        store: Where it writes, in a thread.
        watching: Where it hears of changes.
        roster: Who was there before.
    """

    def __init__(self, store: RegistryStore, subscriptions: Subscriptions, roster: Roster) -> None:
        self._store = store
        self._roster = roster
        self._recorder = Recorder(store)
        subscriptions.add(Handler(self._record, frozenset(Recorder.TYPES)))

    async def start(self) -> None:
        """Write down who is there already.

        Raises:
            SynapseUnreachable: The Synapse does not answer within 5 s.
            RegistryStoreError: The store cannot write.
        """
        for record in await self._roster.find():
            await asyncio.to_thread(self._store.upsert, record)

    def _record(self, signal: Signal) -> None:
        """Not `async def`, so it runs in a thread, where a store may block."""
        self._recorder.take(signal)
