"""`McpServer`: the tools of an MCP server, each behind an Axon, for as long as the server is there.

Spec: https://modelcontextprotocol.io/specification. A server that ends is started again, after
0.5 s, 1 s, ... 30 s, and its Axons are away meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self

from ..axon import Axon
from ..axon_source import Show
from ..dendrite.worker.context import TaskContext
from ..errors import NeuronError, ToolServerUnreachable
from ..names import checked_capabilities, checked_name
from .call_failures import failure_of, is_connection_lost, lost_during_call
from .connection import Connection, ConnectionSettings
from .hosted_tools import HostedTools
from .mcp_package import check_installed
from .server_target import PathLike, target_from
from .tool import Tool, input_schema, mapped, output_schema
from .tool_call import ToolCall, question_of, response_of
from .tool_questions import ToolAnswer

_LOG = logging.getLogger(__name__)
_FIRST_BACKOFF_S = 0.5
MAX_BACKOFF_S = 30.0
_STABLE_S = 30.0
"""A connection that lived as long is no part of a row of failures."""
_CONCURRENCY = 64


def backoff_s(failures: int) -> float:
    """Return how long to wait before the next start: 0.5 s, 1 s, ... 30 s."""
    return float(min(_FIRST_BACKOFF_S * 2.0 ** min(failures, 10), MAX_BACKOFF_S))


class McpServer:
    """The tools of an MCP server as Axons, one for each, for `dendrite.add_source`.

    It is started with its first user, a Dendrite or `async with`, and ended with its last. It must
    have one event loop.

    Args:
        target: The command that starts it, as one text or as program and arguments, or its URL.
        id: What the ids of its Axons begin with, as in `fs.read_text_file`; by default what the
            server calls itself.
        tools: Which tools, by their names at the server; `*` stands for any characters.
        capabilities: More capabilities of the Axons, beside `tool`.
        elicitation: Whether tools may ask questions. None: from protocol 2026-07-28 on. With the
            older protocol a question does not name its call, so True means one call at a time.
        env: Variables for its process; it inherits PATH, HOME and four more.
        cwd: The folder that its process starts in.
        headers: HTTP headers for its URL.
        token: Sent to its URL as `Authorization: Bearer`.
        start_timeout_s: How long it may take from its start to the list of its tools.
        concurrency: How many calls of one tool run at once.
        mode: `auto`, or `legacy` for a server that only knows the protocol up to 2025-11-25 and
            cannot bear the question which one it knows.

    Attributes:
        counts: Its counters by name.

    Raises:
        MissingExtra: The package mcp is not installed.
        InvalidName: `id` or a capability is invalid.
        TypeError: A word of the command, a variable or a header is no text.
        ValueError: `target` is empty, a setting is for the other kind of target, or a header has
            several lines.
    """

    def __init__(
        self,
        target: str | PathLike | Sequence[str | PathLike],
        *,
        id: str | None = None,
        tools: Iterable[str] = ("*",),
        capabilities: Iterable[str] = (),
        elicitation: bool | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | PathLike | None = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
        start_timeout_s: float = 60.0,
        concurrency: int = _CONCURRENCY,
        mode: Literal["auto", "legacy"] = "auto",
    ) -> None:
        check_installed()
        self._target = target_from(target, env=env, cwd=cwd, headers=headers, token=token)
        self.id = None if id is None else checked_name("id", id)
        self._patterns = (tools,) if isinstance(tools, str) else tuple(tools)
        self._capabilities = checked_capabilities(("tool", *capabilities))
        self._settings = ConnectionSettings(
            start_timeout_s=start_timeout_s, mode=mode, asks=elicitation
        )
        self._concurrency = concurrency
        self.counts: Counter[str] = Counter()
        self._connection: Connection | None = None
        self._away = "it was not started"
        self._hosted = HostedTools(self._name, self._patterns, self._axon, self.counts)
        self._users = 0
        self._cycle_task: asyncio.Task[None] | None = None
        self._opened: asyncio.Future[None] | None = None
        self._watchers: set[asyncio.Event] = set()
        self._turn = asyncio.Lock()
        self._current: ToolCall | None = None
        self._is_noisy = False

    def __repr__(self) -> str:
        """Return `McpServer(name, program or URL)`: arguments may be secrets."""
        return f"McpServer({self._name}, {self._target})"

    @property
    def _name(self) -> str:
        return self.id or str(self._target)

    @property
    def axons(self) -> list[Axon]:
        """The Axons of its tools; none while it is away."""
        return [] if self._connection is None else self._hosted.axons

    # -- life ------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        """Start it, if it has no user yet; return when its tools are known.

        Raises:
            ToolServerUnreachable: It cannot be started or reached.
        """
        self._users += 1
        if self._cycle_task is None:
            self._opened = asyncio.get_running_loop().create_future()
            self._cycle_task = asyncio.create_task(
                self._cycle(self._opened), name=f"mcp server {self._name}"
            )
        try:
            assert self._opened is not None
            await asyncio.shield(self._opened)
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """End it, if nothing else uses it."""
        await self._leave()

    async def _leave(self) -> None:
        self._users -= 1
        if self._users == 0 and self._cycle_task is not None:
            cycle_task, self._cycle_task = self._cycle_task, None
            cycle_task.cancel()
            await asyncio.wait({cycle_task})

    async def supply(self, show: Show) -> None:
        """Show its Axons, and again whenever they change; called by the Dendrite."""
        changed = asyncio.Event()
        async with self:
            self._watchers.add(changed)
            try:
                while True:
                    changed.clear()
                    await show(self.axons)
                    await changed.wait()
            finally:
                self._watchers.discard(changed)

    async def _cycle(self, opened: asyncio.Future[None]) -> None:
        """Start it, and again whenever it has ended."""
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            begun_s = loop.time()
            await self._one_life(opened)
            if opened.exception() is not None:
                return
            failures = 0 if loop.time() - begun_s >= _STABLE_S else failures
            delay_s = backoff_s(failures)
            failures += 1
            _LOG.warning(
                "the MCP server %s is away: %s; next try in %g s", self._name, self._away, delay_s
            )
            self.counts["tool_server_away"] += 1
            await asyncio.sleep(delay_s)

    async def _one_life(self, opened: asyncio.Future[None]) -> None:
        connection = Connection(
            self._target,
            self._name,
            self._settings,
            self._on_tools,
            self._on_elicit,
            self._on_noise,
        )
        self._is_noisy = False
        try:
            if await connection.open():
                self._connection = connection
                self._tell()
                if not opened.done():
                    opened.set_result(None)
                await connection.lost.wait()
            elif not opened.done():
                opened.set_exception(self._unreachable(connection))
        finally:
            self._connection = None
            await connection.close()
            self._away = connection.reason
            self._tell()

    def _unreachable(self, connection: Connection) -> ToolServerUnreachable:
        return ToolServerUnreachable(self._name, connection.reason, connection.may_pass)

    def _on_noise(self) -> None:
        """Count a line that is no message; say so once for each start."""
        self.counts["tool_server_noise"] += 1
        if not self._is_noisy:
            self._is_noisy = True
            _LOG.warning(
                "the MCP server %s wrote a line to its standard output that is no message of MCP; "
                "all such lines are ignored and counted: what it prints belongs on its standard "
                "error",
                self._name,
            )

    def _tell(self) -> None:
        for changed in self._watchers:
            changed.set()

    # -- tools -----------------------------------------------------------------------------------

    def _on_tools(self, server_name: str, tools: list[Tool]) -> None:
        prefix = self.id or mapped(server_name) or "mcp"
        if self._hosted.update(prefix, tools):
            self._tell()

    def _axon(self, neuron_id: str, tool: Tool) -> Axon:
        async def call(given: Any, context: TaskContext) -> dict[str, Any]:
            return await self._call(tool, given, context)

        return Axon(
            neuron_id=neuron_id,
            neuron_fn=call,
            capabilities=self._capabilities,
            concurrency=1 if self._settings.asks else self._concurrency,
            description=tool.description,
            input=input_schema(tool),
            output=output_schema(tool),
        )

    # -- calls -----------------------------------------------------------------------------------

    async def _call(self, tool: Tool, given: Any, context: TaskContext) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise NeuronError("BAD_INPUT", f"expected a dict, got {type(given).__name__}")
        call = ToolCall(tool, given, context)
        if not self._settings.asks:
            return await self._run(call, context)
        async with self._turn:
            self._current = call
            try:
                return await self._run(call, context)
            finally:
                self._current = None

    async def _run(self, call: ToolCall, context: TaskContext) -> dict[str, Any]:
        from mcp import MCPError

        connection = self._connection
        if connection is None or connection.session is None:
            raise NeuronError(
                "TOOL_UNREACHABLE", f"the MCP server {self._name} is away: {self._away}"
            )
        try:
            return await call.run(connection.session)
        except MCPError as error:
            if is_connection_lost(error.code, error.message, bool(connection.reason)):
                connection.check()
                raise lost_during_call(self._name) from None
            is_late = context.remaining_s <= 0.0
            raise failure_of(error.code, error.message, error.data, is_late=is_late) from None

    async def _on_elicit(self, params: Any) -> Any:
        """Answer a question of the older protocol: it belongs to the only call there is."""
        answer = None if self._current is None else self._current.answer(question_of(params))
        return response_of(ToolAnswer("cancel")) if answer is None else answer
