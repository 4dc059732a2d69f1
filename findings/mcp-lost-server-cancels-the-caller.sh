#!/usr/bin/env bash
# Guess:  A call over a connection that is lost raises an exception of the client of MCP, at the call.
# Truth:  With protocol 2026-07-28 over HTTP the end of the server cancels the task that entered the
#         client: `except Exception` around the call sees nothing, since CancelledError is no Exception.
#         The reason leaves `async with Client` as a group of exceptions. With the older protocol the
#         same call raises MCPError. Calls of other tasks raise MCPError with both.
# Matters: A retry around a call never runs. Give the client a task of its own, call from others, and
#         open a new client when that task ends.
# Seen:   mcp 2.3.0, Python 3.11: auto: CancelledError, then ExceptionGroup; legacy: MCPError.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check mcp==2.3.0

cat > "$folder/server.py" <<'PYTHON'
import asyncio
import sys

import mcp_types as types
import uvicorn
from mcp.server import Server


async def list_tools(context, params):
    return types.ListToolsResult(tools=[types.Tool(name="wait", input_schema={"type": "object"})])


async def call_tool(context, params):
    await asyncio.sleep(30)


server = Server("waits", on_list_tools=list_tools, on_call_tool=call_tool)
uvicorn.run(server.streamable_http_app(), port=int(sys.argv[1]), log_level="error")
PYTHON

cat > "$folder/call.py" <<'PYTHON'
import asyncio
import importlib.metadata
import socket
import subprocess
import sys
import time

from mcp import Client


def started(folder):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    process = subprocess.Popen([sys.executable, f"{folder}/server.py", str(port)])
    for _ in range(300):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return process, f"http://127.0.0.1:{port}/mcp"
        time.sleep(0.1)
    sys.exit("the server did not start")


async def seen(mode, folder):
    """Kill the server during a call; return what the call raised, and what the block raised."""
    process, url = started(folder)
    raised, left = "nothing", "nothing"
    try:
        async with Client(url, mode=mode) as client:
            asyncio.get_running_loop().call_later(1.0, process.kill)
            try:
                await client.call_tool("wait", {}, read_timeout_seconds=20)
            except BaseException as error:
                raised = type(error).__name__
                if not isinstance(error, Exception):
                    raise
    except BaseException as error:
        left = type(error).__name__
    process.kill()
    process.wait()
    return raised, left


async def main():
    print("mcp", importlib.metadata.version("mcp"), "Python", sys.version.split()[0])
    auto = await seen("auto", sys.argv[1])
    legacy = await seen("legacy", sys.argv[1])
    print("auto:", *auto, "- legacy:", *legacy)
    return auto == ("CancelledError", "ExceptionGroup") and legacy[0] == "MCPError"


sys.exit(0 if asyncio.run(main()) else 1)
PYTHON

"$folder/venv/bin/python" "$folder/call.py" "$folder"
