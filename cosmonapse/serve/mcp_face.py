"""Neurons as tools of MCP: over streamable HTTP at /mcp, or over stdin and stdout."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Sequence

import anyio

from ..runtime.extras import check_versions, missing_extra
from ..runtime.os_signals import stop_signal
from ..synapse.connect import KeyLike
from .gateway import Gateway, GatewaySettings
from .mcp_lines import lines_of_stdio
from .mcp_server import ToolServer

try:
    check_versions("mcp", "mcp", "starlette", "uvicorn")
    from mcp.server.streamable_http_manager import (
        StreamableHTTPASGIApp,
        StreamableHTTPSessionManager,
    )
    from mcp.server.transport_security import TransportSecuritySettings
    from mcp_types import INTERNAL_ERROR
    from starlette.responses import JSONResponse
    from starlette.routing import BaseRoute, Route
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
except ImportError as error:
    raise missing_extra("mcp", "mcp", error) from None

_log = logging.getLogger(__name__)
PATH = "/mcp"
MAX_SESSIONS = 1_000
"""The most sessions of clients of 2025-11-25; those of 2026-07-28 have none."""
SESSION_IDLE_S = 600.0
"""How long a session lives without a request or a stream under way."""
_FULL = (
    f"this gateway has {MAX_SESSIONS:,} open sessions, and no more: end those not needed by "
    f"DELETE, or try again later; one that is idle for {SESSION_IDLE_S / 60:.0f} minutes ends"
)
_START_S = 5.0
"""How long the Synapse may take to answer at the start of --mcp=stdio."""


class McpFace:
    """Tools of MCP over streamable HTTP, for clients of both protocol eras.

    Args:
        gateway: What the faces share.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.tools = ToolServer(gateway)
        self._sessions = StreamableHTTPSessionManager(
            self.tools.server,
            # The guard in front of all faces checks Host and Origin.
            security_settings=TransportSecuritySettings(enable_dns_rebinding_protection=False),
            max_request_body_size=gateway.settings.max_body_bytes,
            session_idle_timeout=SESSION_IDLE_S,
            max_sessions=MAX_SESSIONS,
        )
        self._counts = gateway.counts

    def routes(self) -> Sequence[BaseRoute]:
        """See `Face`. A Route, because a Mount answers /mcp with a redirect."""
        return [Route(PATH, _CountedSessions(StreamableHTTPASGIApp(self._sessions), self._counts))]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """See `Face`."""
        # It warns of each session that it refuses, which is counted.
        logging.getLogger("mcp.server.streamable_http_manager").setLevel(logging.ERROR)
        async with self._sessions.run():
            yield


class _CountedSessions:
    """The app of the SDK; counts the sessions that it refuses, and says what to do then."""

    def __init__(self, app: ASGIApp, counts: Counter[str]) -> None:
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        is_refused = False

        async def unless_refused(message: Message) -> None:
            nonlocal is_refused
            # Its one reason for this status is that there is no room for a session.
            if message["type"] == "http.response.start" and message["status"] == 503:
                is_refused = True
            if not is_refused:
                await send(message)

        await self._app(scope, receive, unless_refused)
        if is_refused:
            self._counts["refused.mcp_session"] += 1
            _log.warning("a session of MCP was refused: %s", _FULL)
            error = {"code": INTERNAL_ERROR, "message": _FULL}
            body = {"jsonrpc": "2.0", "id": None, "error": error}
            await JSONResponse(body, 503, {"Retry-After": "60"})(scope, receive, send)


async def run_stdio(
    url: str,
    key: KeyLike | None,
    namespace: str,
    settings: GatewaySettings,
) -> int:
    """Serve the tools to the one client on stdin and stdout, until it leaves or an OS signal.

    Args:
        url: The Synapse.
        key: For it; see `synapse_from_url`.
        namespace: Where the Neurons are.
        settings: How it serves.

    Raises:
        SynapseUnreachable: It does not answer within 5 s; no byte was written to stdout.
        SynapseRefused: The Synapse refuses this namespace, or is full.
        AccessRefused: The Synapse and the key do not fit.
    """
    from ..dendrite import Dendrite
    from ..synapse import synapse_from_url

    synapse = synapse_from_url(url, key=key)
    dendrite = Dendrite(synapse=synapse, namespace=namespace, dendrite_id="gateway")
    await dendrite.start(_START_S)
    try:
        gateway = Gateway(dendrite, settings)
        return await _until_left(gateway, ToolServer(gateway))
    finally:
        await dendrite.stop("end", drain_s=0.0)


async def _until_left(gateway: Gateway, tools: ToolServer) -> int:
    """Serve until stdin ends or a signal comes; return the number of the signal, or 0."""
    serving = asyncio.create_task(_serve_lines(tools), name="mcp")
    ending = asyncio.create_task(stop_signal(), name="stop signal")
    await asyncio.wait({serving, ending}, return_when=asyncio.FIRST_COMPLETED)
    if ending.done():
        await gateway.close_streams()
        await asyncio.wait({serving}, timeout=0.2)  # for the answers to open calls
    for task in (serving, ending):
        task.cancel()
    await asyncio.wait({serving, ending})
    if not serving.cancelled() and (error := serving.exception()) is not None:
        _log.error("the connection to the MCP client failed: %.300r", error)
    return 0 if ending.cancelled() else ending.result()


async def _serve_lines(tools: ToolServer) -> None:
    server = tools.server
    with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
        async with lines_of_stdio() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())
