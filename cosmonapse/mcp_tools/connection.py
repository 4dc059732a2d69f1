"""One life of a connection to an MCP server, from its start to its loss.

One asyncio task enters and leaves the client, as the cancel scopes of anyio demand; it is ended by
its own scope and never cancelled. Calls come from other tasks.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs

from .kept_streams import KeptStreams
from .mcp_package import load
from .server_faults import cannot_be_run, reason_of, refusal, with_last_lines
from .server_target import ServerTarget
from .stderr_lines import StderrLines
from .tool import Tool

if TYPE_CHECKING:
    import anyio
    from mcp import Client, ClientSession
    from mcp.client import ClientRequestContext

_ENDED = "it ended"
MAX_PAGES = 100
"""How many pages of a list of tools are read; what is on later ones is not hosted."""
MAX_EVENT_BYTES = 32 * 1024 * 1024
"""The most bytes of one event over HTTP, so that a result may be as large as a Signal."""
_REFRESH_S = 30.0
"""How often the tools of a URL are listed: that also finds out that it is gone."""


@attrs.frozen(kw_only=True)
class ConnectionSettings:
    """How a server is spoken to.

    Attributes:
        start_timeout_s: How long it may take from its start to the list of its tools.
        mode: `auto`, or `legacy` for the protocol up to 2025-11-25.
        asks: Whether it may ask questions; None for where a question names its call.
    """

    start_timeout_s: float
    mode: str
    asks: bool | None


Elicit = Callable[[Any], Any]
"""Answers a question of the protocol up to 2025-11-25, which names no call."""


class Connection:
    """One life of a connection.

    Args:
        target: The server.
        name: Its name in the log.
        settings: How it is spoken to.
        on_tools: Receives what the server calls itself, and its tools, when these may have changed.
        elicit: Answers the questions of the older protocol.
        on_noise: Called for each line of its standard output that is no message.

    Attributes:
        lost: Set when it is over.
        reason: Why it is over, in one line.
        may_pass: Whether another start may help; False if its command cannot be run.
        server_name: What the server calls itself; empty if it does not tell.
        session: The session; None until it is open.
        is_modern: Whether its calls end with their questions (from 2026-07-28 on).
    """

    def __init__(
        self,
        target: ServerTarget,
        name: str,
        settings: ConnectionSettings,
        on_tools: Callable[[str, list[Tool]], None],
        elicit: Elicit,
        on_noise: Callable[[], None],
    ) -> None:
        self._target = target
        self._name = name
        self._settings = settings
        self._on_tools = on_tools
        self._elicit = elicit
        self._on_noise = on_noise
        self._scope: anyio.CancelScope | None = None
        self._task: asyncio.Task[None] | None = None
        self._listed = asyncio.Event()
        self._changed = asyncio.Event()
        self._last_lines: deque[str] = deque()
        self._refusal = ""
        self.lost = asyncio.Event()
        self.reason = ""
        self.may_pass = True
        self.server_name = ""
        self.session: ClientSession | None = None
        self.is_modern = False

    async def open(self) -> bool:
        """Start it; return whether its tools were listed. Else `reason` says why not."""
        await load()
        self._task = asyncio.create_task(self._run(), name=f"mcp server {self._name}")
        listed = asyncio.create_task(self._listed.wait())
        waited_s = self._settings.start_timeout_s
        try:
            await asyncio.wait(
                {listed, self._task}, timeout=waited_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            listed.cancel()
        if not self._listed.is_set() and not self._task.done():
            self._end(f"it did not list its tools within {waited_s:g} s")
        if not self._listed.is_set():
            await self.close()
            if self.reason == _ENDED:
                self.reason = "it ended before it listed its tools: start it by hand to see why"
        return self._listed.is_set()

    async def close(self) -> None:
        """End it: the process gets end of file, and after 2 s SIGTERM, after 2 s more SIGKILL."""
        self._end("it was closed")
        if self._task is not None:
            await asyncio.wait({self._task})

    def check(self) -> None:
        """List the tools soon: what is gone is found out by that."""
        self._changed.set()

    def _end(self, reason: str) -> None:
        if not self.reason:
            self.reason = reason
        if self._scope is not None:
            self._scope.cancel()

    # -- its own task ----------------------------------------------------------------------------

    async def _run(self) -> None:
        import anyio

        self._scope = anyio.CancelScope()
        if self.reason:  # closed before it began
            self._scope.cancel()
        try:
            with self._scope:
                await self._live()
        except BaseException as error:  # noqa: BLE001  # the client raises groups of anything
            why = reason_of(error, self._target.program)
            self.reason = self.reason or self._refusal or why
            self.may_pass = not cannot_be_run(error, self._target.program)
        finally:
            self.session = None
            self.reason = with_last_lines(self.reason or _ENDED, list(self._last_lines))
            self.lost.set()

    async def _live(self) -> None:
        async with self._streams() as streams:
            elicits = self._settings.asks is True
            async with self._client(streams, elicits) as client:
                if not (self._is_modern(client) and self._settings.asks is None):
                    await self._serve(client)
                    return
                known = client.session.discover_result
                version = client.protocol_version
            # Calls that end with their questions need no answer while they run, so questions cost
            # nothing here; that we answer them is part of each message from now on.
            async with self._client(streams, True, mode=version, prior_discover=known) as client:
                await self._serve(client)

    def _is_modern(self, client: Client) -> bool:
        from mcp_types.version import MODERN_PROTOCOL_VERSIONS

        return client.protocol_version in MODERN_PROTOCOL_VERSIONS

    def _client(self, streams: KeptStreams, elicits: bool, **more: Any) -> Client:
        from mcp import Client

        async def on_elicit(context: ClientRequestContext, params: Any) -> Any:
            return await self._elicit(params)

        return Client(
            streams,
            **{"mode": self._settings.mode, **more},
            elicitation_callback=on_elicit if elicits else None,
            message_handler=self._on_message,
            cache=None,
        )

    @asynccontextmanager
    async def _streams(self) -> AsyncIterator[KeptStreams]:
        target = self._target
        if target.program is None:
            async with _over_http(target, self._on_status) as streams:
                yield KeptStreams(streams, self._on_end, self._on_noise)
            return
        from mcp import StdioServerParameters, stdio_client

        parameters = StdioServerParameters(
            command=target.command[0],
            args=list(target.command[1:]),
            env=dict(target.env),
            cwd=target.cwd,
            encoding_error_handler="replace",  # bytes that are no text are a line to skip
        )
        with StderrLines(self._name) as lines:
            self._last_lines = lines.last
            async with stdio_client(parameters, lines.sink) as streams:
                yield KeptStreams(streams, self._on_end, self._on_noise)

    def _on_status(self, status: int, phrase: str) -> None:
        """Remember a status that refuses: the client says only that there was one."""
        self._refusal = refusal(status, phrase) if status >= 400 else ""

    def _on_end(self) -> None:
        self._end(_ENDED)

    async def _serve(self, client: Client) -> None:
        """List the tools, then once more whenever they change, until the scope ends."""
        import anyio

        self.is_modern = self._is_modern(client)
        info = client.server_info
        self.server_name = info.name if info is not None else ""
        self.session = client.session
        self._on_tools(self.server_name, await _tools_of(client))
        self._listed.set()
        every_s = None if self._target.program is not None else _REFRESH_S
        async with anyio.create_task_group() as group:
            tools = client.server_capabilities.tools
            if self.is_modern and tools is not None and tools.list_changed:
                group.start_soon(self._listen, client)
            while True:
                with anyio.move_on_after(every_s):
                    await self._changed.wait()
                self._changed.clear()
                self._on_tools(self.server_name, await _tools_of(client))

    async def _listen(self, client: Client) -> None:
        """Hear of changes; the end of this stream is the end of the connection."""
        async with client.listen(tools_list_changed=True) as events:
            async for _ in events:
                self._changed.set()

    async def _on_message(self, message: Any) -> None:
        if getattr(message, "method", "") == "notifications/tools/list_changed":
            self._changed.set()


@asynccontextmanager
async def _over_http(
    target: ServerTarget, on_status: Callable[[int, str], None]
) -> AsyncIterator[tuple[Any, Any]]:
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    async def on_response(response: httpx2.Response) -> None:
        if response.request.method == "POST":  # others are of streams that not all have
            on_status(response.status_code, response.reason_phrase)

    # As the client of MCP does by itself: a stream may be silent for long.
    timeout = httpx2.Timeout(30.0, read=300.0)
    async with (
        httpx2.AsyncClient(
            headers=dict(target.headers),
            timeout=timeout,
            event_hooks={"response": [on_response]},
        ) as http,
        streamable_http_client(
            target.url, http_client=http, max_sse_event_size=MAX_EVENT_BYTES
        ) as streams,
    ):
        yield streams


async def _tools_of(client: Client) -> list[Tool]:
    """Return all tools of a server, page by page."""
    found: list[Tool] = []
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        page = await client.list_tools(cursor=cursor)
        found.extend(_tool_of(each) for each in page.tools)
        cursor = page.next_cursor
        if not cursor:
            break
    return found


def _tool_of(listed: Any) -> Tool:
    described = listed.description or listed.title or ""
    output: Mapping[str, Any] | None = listed.output_schema
    return Tool(listed.name, described, listed.input_schema, output)
