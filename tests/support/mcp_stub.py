"""An MCP server of the older era by hand, which starts in no time: one tool, `pid`.

`python mcp_stub.py junk` writes what is no message ahead of its messages; with `wrong` the result
of its tool is none of MCP.
"""

import json
import os
import sys

TOOL = {"name": "pid", "description": "Its process id", "inputSchema": {"type": "object"}}
ANSWERS = {
    "initialize": {
        "protocolVersion": "2025-11-25",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "stub", "version": "1"},
    },
    "tools/list": {"tools": [TOOL]},
    "tools/call": {"content": [{"type": "text", "text": str(os.getpid())}]},
}

if "junk" in sys.argv:
    sys.stdout.buffer.write(
        b'Welcome!\n\xff\xfe\x00\n{}\n[1]\n{"jsonrpc": "2.0", "id": 77, "result": {}}\n'
    )
    sys.stdout.flush()
if "wrong" in sys.argv:
    ANSWERS["tools/call"] = {"content": "no list"}

for line in sys.stdin:
    request = json.loads(line)
    if "id" in request:
        answer = {"jsonrpc": "2.0", "id": request["id"]}
        if request["method"] in ANSWERS:
            answer["result"] = ANSWERS[request["method"]]
        else:
            answer["error"] = {"code": -32601, "message": "Method not found"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
