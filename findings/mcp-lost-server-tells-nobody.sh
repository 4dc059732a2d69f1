#!/usr/bin/env bash
# Guess:  When the process of an MCP server ends, its client says so, or starts it again.
# Truth:  Nothing happens: no exception in the `async with` block, no call of `message_handler`, no
#         new process, and the protocol version can still be read. The next call raises, and so does
#         each one after it, for good.
# Matters: A program that offers the tools of a server goes on offering them. Watch the end of the
#         read stream by a transport of your own around `stdio_client`, and open a new client.
# Seen:   mcp 2.3.0, Python 3.11: 0 messages within 2 s of SIGKILL, the block went on, 2 of 2 calls
#         raised MCPError.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check mcp==2.3.0

cat > "$folder/server.py" <<'PYTHON'
import asyncio
import os

import mcp_types as types
from mcp.server import Server
from mcp.server.stdio import stdio_server


async def list_tools(context, params):
    return types.ListToolsResult(tools=[types.Tool(name="pid", input_schema={"type": "object"})])


async def call_tool(context, params):
    return types.CallToolResult(content=[types.TextContent(text=str(os.getpid()))])


async def main():
    server = Server("pids", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (reader, writer):
        await server.run(reader, writer, server.create_initialization_options())


asyncio.run(main())
PYTHON

cat > "$folder/call.py" <<'PYTHON'
import asyncio
import importlib.metadata
import os
import signal
import sys

from mcp import Client, MCPError, StdioServerParameters


async def main():
    print("mcp", importlib.metadata.version("mcp"), "Python", sys.version.split()[0])
    heard = []

    async def hear(message):
        heard.append(message)

    server = StdioServerParameters(command=sys.executable, args=[f"{sys.argv[1]}/server.py"])
    failed = 0
    async with Client(server, message_handler=hear) as client:
        found = await client.call_tool("pid", {})
        os.kill(int(found.content[0].text), signal.SIGKILL)
        await asyncio.sleep(2)
        told = len(heard)
        version = client.protocol_version
        for _ in range(2):
            try:
                await client.call_tool("pid", {}, read_timeout_seconds=5)
            except MCPError:
                failed += 1
    print(f"{told} messages, the block went on with {version}, {failed} of 2 calls raised MCPError")
    return told == 0 and failed == 2


sys.exit(0 if asyncio.run(main()) else 1)
PYTHON

"$folder/venv/bin/python" "$folder/call.py" "$folder"
