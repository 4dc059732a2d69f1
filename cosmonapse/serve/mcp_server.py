"""An MCP server whose tools are the Neurons of a fabric, for both protocol eras.

In the era of 2025 a question is asked while the call waits; in that of 2026 the call ends with the
question, and the client calls again with the answer and a sealed state.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping
from typing import Any

import anyio

from ..dendrite.caller.pathway import Pathway
from ..errors import CosmonapseError, PathwayClosedError
from ..runtime.extras import missing_extra
from ..signals import QUESTIONS, Signal
from .gateway import Gateway
from .mcp_call import ClientCall
from .mcp_changes import ToolChanges
from .mcp_listing import ListedTool
from .mcp_questions import AskedQuestion, asked_by, asks_in_text
from .mcp_replies import ToolReply, error_reply, progress_of, reply_of
from .mcp_tool_list import ToolList

try:
    import mcp_types as types
    from mcp.server import Server
    from mcp.server.context import ServerRequestContext
    from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
    from mcp.shared.exceptions import MCPError
    from mcp_types.version import MODERN_PROTOCOL_VERSIONS
except ImportError as error:
    raise missing_extra("mcp", "mcp", error) from None

NAME = "cosmonapse"
_SERVICE = {"default_audience": NAME}
_FORM = "question"
_ANSWER_S = 600.0
"""How long a person may take for an answer."""
_MOST_QUESTIONS = 32
"""How many questions of one call are answered while it waits."""
_PROGRESS_LEAD_S = 0.02
"""Before the result: the TypeScript SDK drops progress that it reads together with the result."""
_NO_GRANT = "'permission' is for a person to give, and no argument of a call: leave it out"
_STOPPING = error_reply("CANCELLED", "this gateway is stopping")
Context = ServerRequestContext[Any, Any]
Ending = types.CallToolResult | types.InputRequiredResult


class ToolServer:
    """The tools of a fabric, and the calls of their clients.

    Args:
        gateway: Sends the tasks.

    Attributes:
        server: The server of the MCP SDK, for any transport.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._tools = ToolList(gateway)
        self._changes = ToolChanges(gateway, self._tools.fingerprint)
        self.server: Server[Any] = Server(
            NAME,
            version=gateway.settings.version,
            get_tool_input_schema=self._tools.input_schema,  # the SDK asks before each call
            on_list_tools=self._list,
            on_call_tool=self._call,
            on_subscriptions_listen=self._changes.listen,
        )
        self.server.middleware.append(
            RequestStateBoundary(_security(gateway.settings.token), **_SERVICE)
        )

    # -- the list --------------------------------------------------------------------------------

    async def _list(
        self, context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        try:
            tools = await self._tools.current()
        except (CosmonapseError, TimeoutError) as error:
            raise MCPError(types.INTERNAL_ERROR, reply_of(error).text) from None
        return types.ListToolsResult(tools=[_as_tool(tools[name]) for name in sorted(tools)])

    # -- calls -----------------------------------------------------------------------------------

    async def _call(self, context: Context, params: types.CallToolRequestParams) -> Ending:
        try:
            problem = await self._problem(params)
            if problem is not None:
                return _result(problem)
            return await self._answered(context, params)
        except (CosmonapseError, TimeoutError) as error:
            return _result(reply_of(error))

    async def _problem(self, params: types.CallToolRequestParams) -> ToolReply | None:
        """Return why a call cannot become a task, if so."""
        schema = self._tools.input_schema(params.name)
        if schema is None:
            tool = (await self._tools.current()).get(params.name)
            if tool is None:
                return error_reply("NO_SUCH_NEURON", f"there is no tool {params.name!r:.140}")
            schema = tool.input_schema
        if "permission" in (params.arguments or {}).keys() - schema.get("properties", {}).keys():
            return error_reply("BAD_INPUT", _NO_GRANT)
        return None

    async def _answered(self, context: Context, params: types.CallToolRequestParams) -> Ending:
        call = ClientCall(params.name, params.arguments or {})
        if params.request_state is not None:
            asked = call.resume(params.request_state)
            response = (params.input_responses or {}).get(_FORM)
            if (ended := _taken(call, asked, response)) is not None:
                return _result(ended)
        for _ in range(_MOST_QUESTIONS):
            signal = await self._outcome(context, call)
            if signal is None:
                return _result(_STOPPING)
            if signal.type not in QUESTIONS:
                return _result(reply_of(signal))
            ending = await self._asked(context, call, signal)
            if ending is not None:
                return ending
        text = f"{params.name} asked {_MOST_QUESTIONS} questions in one call"
        return _result(error_reply("NEURON_ERROR", text))

    async def _asked(self, context: Context, call: ClientCall, signal: Signal) -> Ending | None:
        """Ask what a Neuron asks; return the end of the call, or None if the answer is there."""
        asked = asked_by(signal, call.neuron)
        if not asked.neuron or not self._tools.exposes(asked.neuron):
            return _result(reply_of(signal))
        if not _can_ask(context):
            return _result(ToolReply(asks_in_text(asked, call.tool, call.input)))
        if context.protocol_version in MODERN_PROTOCOL_VERSIONS:
            return _input_required(asked, call)
        ended = _taken(call, asked.as_dict(), await _ask(context, asked))
        return None if ended is None else _result(ended)

    async def _outcome(self, context: Context, call: ClientCall) -> Signal | None:
        """Run the task of a call, with progress; None if the gateway ended before it."""
        pathway = await self._gateway.dendrite.dispatch(
            neuron=call.neuron,
            input=call.input,
            timeout_s=self._gateway.settings.timeout_s,
            trace_id=call.trace_id,
            parent_id=call.parent_id,
        )
        async with self._gateway.open(_Running(pathway)) as running:
            if "progress_token" in (context.meta or {}):
                await _report(context, pathway)
            with contextlib.suppress(PathwayClosedError):
                signal = await pathway.outcome()
                return None if running.is_ended else signal
        return None


class _Running:
    """The task of a call, which the gateway closes when it ends before it."""

    def __init__(self, pathway: Pathway) -> None:
        self._pathway = pathway
        self.is_ended = False

    async def close(self) -> None:
        """Cancel the task, if it still runs."""
        self.is_ended = True
        await self._pathway.close()


def _security(token: str) -> RequestStateSecurity:
    """Return what seals the state of questions: by the token, so that it survives a restart."""
    if not token:
        return RequestStateSecurity.ephemeral(ttl=_ANSWER_S)
    key = hashlib.blake2b(token.encode(), person=b"mcp-state").digest()
    return RequestStateSecurity(keys=[key], ttl=_ANSWER_S)


def _as_tool(tool: ListedTool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        description=tool.description or None,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
    )


def _result(reply: ToolReply) -> types.CallToolResult:
    return types.CallToolResult(
        content=[types.TextContent(text=reply.text)],
        structured_content=reply.content,
        is_error=reply.content is None,
    )


def _can_ask(context: Context) -> bool:
    """Return whether the client shows forms to its user."""
    capabilities = context.session.client_capabilities
    elicitation = capabilities.elicitation if capabilities is not None else None
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)


def _taken(call: ClientCall, asked: Mapping[str, Any], response: Any) -> ToolReply | None:
    """Take the response of a client into its call; None, or what ends it: no answer came."""
    action = getattr(response, "action", "cancel")
    return call.take(asked, action, getattr(response, "content", None))


def _params(asked: AskedQuestion) -> types.ElicitRequestFormParams:
    return types.ElicitRequestFormParams(message=asked.message, requested_schema=dict(asked.form))


def _input_required(asked: AskedQuestion, call: ClientCall) -> types.InputRequiredResult:
    return types.InputRequiredResult(
        input_requests={_FORM: types.ElicitRequest(params=_params(asked))},
        request_state=call.state_with(asked),
    )


async def _ask(context: Context, asked: AskedQuestion) -> types.ElicitResult | None:
    """Ask the user of a client of 2025 while its call waits; None if no answer comes in time."""
    params = _params(asked)
    with anyio.move_on_after(_ANSWER_S):
        return await context.session.elicit_form(
            params.message, params.requested_schema, related_request_id=context.request_id
        )
    return None


async def _report(context: Context, pathway: Pathway) -> None:
    """Send what a task tells while it runs as progress, in order, and what is missing of it."""
    count = missed = 0
    cursor = pathway.cursor()
    try:
        while (signal := await pathway.next_of(cursor)) is not None:
            for text in progress_of(signal, cursor.missed - missed):
                count += 1
                await context.session.report_progress(count, None, text)
            missed = cursor.missed
    finally:
        cursor.leave()
    if count:
        await asyncio.sleep(_PROGRESS_LEAD_S)
