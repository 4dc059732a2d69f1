"""The verbs that host the Axons of sources."""

from __future__ import annotations

from ...axon_source import AxonSource
from ...errors import DendriteProtocolError
from .base import DendriteBase, verb


class SourceVerbs(DendriteBase):
    """The `source` methods of a Dendrite."""

    @verb
    async def add_source(self, source: AxonSource) -> None:
        """Host the Axons of a source, such as an `McpServer`, as they come and go.

        On a running Dendrite it returns when the first ones are registered; else `start` does that.

        Raises:
            TypeError: It is no source.
            ValueError: It is attached already, or one of its Axons has an id that is taken.
            SynapseUnreachable: The Synapse did not acknowledge an Axon within 5 s.
            SynapseRefused: The Synapse refused one.
            AccessRefused: The key of this Dendrite may not host one.
            DendriteProtocolError: The Dendrite was stopped.
            Exception: What the source raised, as `ToolServerUnreachable`.
        """
        if isinstance(source, type) and hasattr(source, "supply"):
            raise TypeError(f"a source is an object: give {source.__name__}(...)")
        if not callable(getattr(source, "supply", None)) or not hasattr(source, "counts"):
            raise TypeError(
                "expected a source, with counts and supply as an McpServer has, got "
                f"{source!r:.80}; an Axon is hosted by add_axon"
            )
        if self._state == "stopped":
            raise DendriteProtocolError("this Dendrite is stopped: make a new one")
        if self._state == "new":
            self._sources.attach(source)
            return
        await self._sources.add(source)
        await self._subscriptions.settle()

    @verb
    async def remove_source(self, source: AxonSource) -> None:
        """Take the Axons of a source away and end it; its jobs may run for 10 s.

        Raises:
            ValueError: It is not attached.
        """
        await self._sources.remove(source)
