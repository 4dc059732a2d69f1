#!/usr/bin/env bash
# Guess:  An MCP server on stdio is ended as any asyncio program is: on SIGTERM its task is cancelled, its
#         context managers run their last lines, and the process is gone in milliseconds.
# Truth:  The server of the Python SDK reads stdin in a thread, and waits for that thread when it is cancelled.
#         Nothing is cancelled before the client writes its next line or closes the pipe.
# Matters: A host that sends SIGTERM first and closes stdin later, or a supervisor that knows only SIGTERM,
#         waits its whole grace and then kills: connections are not closed, and work is not handed back.
# Seen:   mcp 2.3.0, Python 3.11, cancelled 0.5 s after the start, the client writes a line 2 s later:
#           stdio_server: ended 2.0 s after the cancellation      asyncio pipe: 0.0 s
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
"venv/bin/pip" install --quiet "mcp==2.3.0"

cat > server.py <<'PYTHON'
import asyncio
import sys
import time

from mcp.server import Server
from mcp.server.stdio import stdio_server


async def by_the_sdk():
    server = Server("s")
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


async def by_a_pipe():
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    await reader.readline()


async def main():
    serving = asyncio.create_task({"sdk": by_the_sdk, "pipe": by_a_pipe}[sys.argv[1]]())
    await asyncio.sleep(0.5)
    print("cancel", file=sys.stderr, flush=True)
    at = time.monotonic()
    serving.cancel()
    await asyncio.wait([serving])
    print(f"{time.monotonic() - at:.2f}", file=sys.stderr, flush=True)


asyncio.run(main())
PYTHON

cat > client.py <<'PYTHON'
import subprocess
import sys
import time
from importlib.metadata import version

print(f"Python {sys.version.split()[0]}, mcp {version('mcp')}")
took = {}
for way in ("sdk", "pipe"):
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE, "stdout": subprocess.DEVNULL}
    server = subprocess.Popen([sys.executable, "server.py", way], text=True, **pipes)
    while server.stderr.readline() != "cancel\n":
        pass
    time.sleep(2)
    try:
        server.stdin.write('{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        server.stdin.close()
    except BrokenPipeError:
        pass  # it has ended already
    took[way] = float(server.stderr.readline())
    server.wait(10)
    print(f"{way}: ended {took[way]} s after the cancellation")
sys.exit(not (1.5 < took["sdk"] < 4 and took["pipe"] < 0.5))
PYTHON
venv/bin/python client.py
