"""Tells the MCP clients that listen when the list of tools has changed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from ..errors import CosmonapseError
from ..runtime.extras import missing_extra
from ..signals import Signal, SignalType
from .gateway import Gateway

try:
    import mcp_types as types
    from mcp.server.context import ServerRequestContext
    from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged
except ImportError as error:
    raise missing_extra("mcp", "mcp", error) from None

_SETTLE_S = 0.2
"""Many Axons register at once: one notice is enough."""
_RECHECK_S = 5.0
"""Who registers right after the first client came may not know yet that somebody listens."""


class ToolChanges:
    """The clients that listen. While there is one, it watches who registers and leaves.

    Args:
        gateway: Its Dendrite watches.
        fingerprint: Returns a value that differs if the list does.
    """

    def __init__(self, gateway: Gateway, fingerprint: Callable[[], Awaitable[object]]) -> None:
        self._gateway = gateway
        self._fingerprint = fingerprint
        self._bus = InMemorySubscriptionBus()
        self._handler = ListenHandler(self._bus)
        self._listening = 0
        self._watching: asyncio.Task[None] | None = None
        self._beginning = asyncio.Lock()

    async def listen(
        self,
        context: ServerRequestContext[Any, Any],
        params: types.SubscriptionsListenRequestParams,
    ) -> types.SubscriptionsListenResult:
        """Serve the stream of one client, until it leaves or the gateway ends."""
        async with self._watched(), self._gateway.open(self):
            return await self._handler(context, params)

    async def close(self) -> None:
        """End all streams: their clients receive the last event."""
        self._handler.close()

    @contextlib.asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        self._listening += 1
        try:
            async with self._beginning:
                if self._watching is None:
                    # Before the client is told that it listens: it hears of what changes later.
                    watching = self._watch(await self._seen())
                    self._watching = asyncio.create_task(watching, name="watch the tools")
            yield
        finally:
            self._listening -= 1
            if self._listening == 0 and self._watching is not None:
                self._watching.cancel()
                self._watching = None

    async def _watch(self, last: object) -> None:
        changed = asyncio.Event()

        def note(signal: Signal) -> None:
            changed.set()

        dendrite = self._gateway.dendrite
        async with (
            dendrite.on_signal(SignalType.REGISTER) as on_register,
            dendrite.on_signal(SignalType.DEREGISTER) as on_deregister,
        ):
            on_register(note)
            on_deregister(note)
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_RECHECK_S):
                        await changed.wait()
                    await asyncio.sleep(_SETTLE_S)
                changed.clear()
                now = await self._seen()
                if now != last and now is not None:
                    last = now
                    await self._bus.publish(ToolsListChanged())

    async def _seen(self) -> object:
        """Return the fingerprint of now; None while the Synapse is away."""
        self._gateway.forget_cards()
        with contextlib.suppress(CosmonapseError, TimeoutError):
            return await self._fingerprint()
        return None
