"""An MCP server for tests, in both eras: `python mcp_tools_server.py [FILE [PORT]]`.

What it notes of its calls, it appends to FILE. Without a port it is a server over stdio; over HTTP
it wants the token `secret-of-tests`.
"""

import asyncio
import os
import sys

import mcp_types as types
from mcp.server import NotificationOptions, Server
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.subscriptions import ToolsListChanged
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

NOTES = sys.argv[1] if len(sys.argv) > 1 else os.devnull
OBJECT = {"type": "object"}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
NIGHTS = {"type": "object", "properties": {"nights": {"type": "integer"}}, "required": ["nights"]}
BUS = InMemorySubscriptionBus()
MORE = []


def tool(name, output=None, **more):
    return types.Tool(
        name=name, description=f"The tool {name}", input_schema=OBJECT, output_schema=output, **more
    )


def note(text):
    with open(NOTES, "a", encoding="utf-8") as file:
        file.write(f"{text}\n")


async def list_tools(context, params):
    names = ["pid", "book", "slow", "broken", "refused", "parts", "grow", "large"]
    names += ["a/b", "a_b", "long" * 40]
    wrong = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    listed = [tool(name) for name in names]
    return types.ListToolsResult(tools=[*listed, tool("promised", wrong), *MORE])


def text(words, **more):
    return types.CallToolResult(content=[types.TextContent(text=words)], **more)


async def call_tool(context, params):
    note(f"call {params.name}")
    return await CALLS[params.name](context, params)


async def pid(context, params):
    return text(str(os.getpid()), structured_content={"pid": os.getpid()})


async def slow(context, params):
    try:
        for step in range(3):
            await context.session.report_progress(step, 3, f"step {step}")
        await asyncio.sleep((params.arguments or {}).get("s", 30))
    except asyncio.CancelledError:
        note("cancelled slow")
        raise
    return text("done")


async def broken(context, params):
    return text("it is broken", is_error=True)


async def refused(context, params):
    raise types_error("no such thing")


def types_error(words):
    from mcp import MCPError

    return MCPError(-32603, words)


async def parts(context, params):
    image = types.ImageContent(data="aGk=", mime_type="image/png")
    return types.CallToolResult(content=[types.TextContent(text="one"), image])


async def large(context, params):
    return text("x" * 2_000_000)


async def promised(context, params):
    return text("none", structured_content={"n": "many"})


async def grow(context, params):
    MORE.append(tool("grown"))
    if context.protocol_version in MODERN_PROTOCOL_VERSIONS:
        await BUS.publish(ToolsListChanged())
    else:
        await context.session.send_tool_list_changed()
    return text("grown")


async def book(context, params):
    """Ask for a city, then for the nights."""
    if context.protocol_version in MODERN_PROTOCOL_VERSIONS:
        return await book_in_rounds(params)
    found = []
    for message, schema in (("Which city?", CITY), ("How many nights?", NIGHTS)):
        answer = await context.session.elicit_form(
            message, schema, related_request_id=context.request_id
        )
        if answer.action != "accept":
            return text(f"{answer.action}d", is_error=True)
        found.append(next(iter(answer.content.values())))
    return text(f"{found[1]} nights in {found[0]}")


async def book_in_rounds(params):
    known = [each for each in (params.request_state or "").split("|") if each]
    for answer in (params.input_responses or {}).values():
        if answer.action != "accept":
            return text(f"{answer.action}d", is_error=True)
        known.append(str(next(iter(answer.content.values()))))
    if len(known) == 2:
        return text(f"{known[1]} nights in {known[0]}")
    message, schema = [("Which city?", CITY), ("How many nights?", NIGHTS)][len(known)]
    form = types.ElicitRequestFormParams(message=message, requested_schema=schema)
    return types.InputRequiredResult(
        input_requests={"q": types.ElicitRequest(params=form)}, request_state="|".join([*known, ""])
    )


CALLS = {
    "pid": pid,
    "book": book,
    "slow": slow,
    "broken": broken,
    "refused": refused,
    "parts": parts,
    "large": large,
    "promised": promised,
    "grow": grow,
    "a/b": pid,
    "grown": pid,
}


async def over_http(app, port):
    import uvicorn

    async def with_token(scope, receive, send):
        headers = dict(scope.get("headers") or ())
        if scope["type"] == "http" and headers.get(b"authorization") != b"Bearer secret-of-tests":
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b"no"})
            return
        await app(scope, receive, send)

    await uvicorn.Server(uvicorn.Config(with_token, port=port, log_level="error")).serve()


async def main():
    server = Server(
        "tools of/tests",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_subscriptions_listen=ListenHandler(BUS),
    )
    print("the server of the tests begins", file=sys.stderr)  # noqa: T201
    if len(sys.argv) > 2:
        await over_http(server.streamable_http_app(), int(sys.argv[2]))
        return
    async with stdio_server() as (reader, writer):
        await server.run(
            reader,
            writer,
            server.create_initialization_options(NotificationOptions(tools_changed=True)),
        )


if __name__ == "__main__":
    asyncio.run(main())
