"""MCP clients of the tests: the SDK of Python over HTTP and stdio, and bare lines."""

import contextlib
import json
import os
import subprocess
import sys

import attrs
import httpx2
import mcp_types as types
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

MODES = ("auto", "legacy")
"""The era of 2026 and that of 2025."""
MODERN_META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "lines", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


def stdio_command(gateway, *flags):
    """Return the command of a gateway on stdio beside one over HTTP, for the same Neurons."""
    where = ("--url", gateway.url, "-n", gateway.namespace)
    return (sys.executable, "-m", "cosmonapse.cli", "serve", "--mcp=stdio", *where, *flags)


@contextlib.asynccontextmanager
async def client_of(gateway, carrier, mode, **settings):
    """Connect to a gateway of `gateways.serving` over http or stdio."""
    if carrier == "stdio":
        program, *rest = stdio_command(gateway)
        server = StdioServerParameters(command=program, args=rest, env=dict(os.environ))
        async with Client(server, mode=mode, **settings) as client:
            yield client
        return
    http = httpx2.AsyncClient(headers=gateway.headers, trust_env=False, timeout=20)
    transport = streamable_http_client(f"{gateway.base_url}/mcp", http_client=http)
    async with http, Client(transport, mode=mode, **settings) as client:
        yield client


@attrs.define
class Person:
    """The user of a client: fills in each form in the same way."""

    action: str = "accept"
    content: dict = attrs.field(factory=dict)
    asked: list = attrs.field(factory=list)

    async def __call__(self, context, params):
        self.asked.append(params.message)
        content = self.content if self.action == "accept" else None
        return types.ElicitResult(action=self.action, content=content)


def lines_of_call(mode, tool):
    """Return the lines that a client writes to stdin for one call."""
    call = {"name": tool, "arguments": {}}
    if mode == "auto":
        requests = [{"id": 1, "method": "tools/call", "params": {**call, "_meta": MODERN_META}}]
    else:
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}}
        hello["clientInfo"] = {"name": "lines", "version": "1"}
        requests = [
            {"id": 0, "method": "initialize", "params": hello},
            {"method": "notifications/initialized"},
            {"id": 1, "method": "tools/call", "params": call},
        ]
    return "".join(json.dumps({"jsonrpc": "2.0", **each}) + "\n" for each in requests)


_SHORT_LIVED = """
import subprocess, sys, time
lines, err, *command = sys.argv[1:]
server = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=open(err, "w"))
server.stdin.write(lines.encode())
server.stdin.flush()
print(server.pid, flush=True)
time.sleep(60)
"""


@contextlib.contextmanager
def short_lived_client(gateway, mode, tool, err):
    """Run a client in a process of its own that calls a tool over stdio and waits."""
    command = stdio_command(gateway, "--tools", tool)
    lines = lines_of_call(mode, tool)
    process = subprocess.Popen(
        [sys.executable, "-c", _SHORT_LIVED, lines, str(err), *command],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(5)
        process.stdout.close()


class LegacySession:
    """A session of 2025-11-25 over HTTP, by hand: the SDK does not leave a stream alone.

    Args:
        http: A client of the gateway.
    """

    def __init__(self, http):
        self._http = http
        self._headers = {
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": "2025-11-25",
        }

    async def begin(self):
        """Open it."""
        about = {"protocolVersion": "2025-11-25", "capabilities": {}}
        about["clientInfo"] = {"name": "by hand", "version": "1"}
        begun = await self.post("initialize", 1, **about)
        self._headers["mcp-session-id"] = begun.headers["mcp-session-id"]
        await self.post("notifications/initialized")

    async def post(self, method, number=None, **params):
        """Send a request, or a notification, and return the whole response."""
        return await self._http.post(
            "/mcp", json=self._body(method, number, params), headers=self._headers
        )

    def stream(self, method, number, **params):
        """Send a request; its response is read piece by piece."""
        body = self._body(method, number, params)
        return self._http.stream("POST", "/mcp", json=body, headers=self._headers)

    async def delete(self):
        """End it."""
        return await self._http.delete("/mcp", headers=self._headers)

    def _body(self, method, number, params):
        body = {"jsonrpc": "2.0", "method": method, "params": params}
        return body if number is None else {**body, "id": number}
