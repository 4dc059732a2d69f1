"""Tools of MCP over HTTP: how many sessions of 2025-11-25 there are, and for how long."""

import contextlib
import logging

import httpx
import pytest
from starlette.applications import Starlette

from cosmonapse.serve import mcp_face
from cosmonapse.serve.gateway import Gateway, GatewaySettings
from cosmonapse.serve.mcp_face import McpFace
from support.processes import until

pytestmark = pytest.mark.asyncio
HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
CLIENT = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}
HELLO = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": CLIENT}
PING = {"jsonrpc": "2.0", "id": 2, "method": "ping"}


@contextlib.asynccontextmanager
async def connected(gateway):
    face = McpFace(gateway)
    transport = httpx.ASGITransport(Starlette(routes=face.routes()))
    base = "http://127.0.0.1"
    async with (
        face.running(),
        httpx.AsyncClient(transport=transport, base_url=base, headers=HEADERS) as client,
    ):
        yield client


async def opened(client):
    """Open a session; return its header."""
    answer = await client.post("/mcp", json=HELLO)
    return {"Mcp-Session-Id": answer.headers["mcp-session-id"]}


async def test_a_session_over_the_most_is_refused_with_what_to_do_and_counted(monkeypatch, caplog):
    monkeypatch.setattr(mcp_face, "MAX_SESSIONS", 2)
    gateway = Gateway(None, GatewaySettings())
    async with connected(gateway) as client:
        first, _ = await opened(client), await opened(client)

        refused = await client.post("/mcp", json=HELLO)
        known = await client.post("/mcp", json=PING, headers=first)
        await client.delete("/mcp", headers=first)
        again = await client.post("/mcp", json=HELLO)

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")
    assert "end those not needed by DELETE" in refused.json()["error"]["message"]
    assert (known.status_code, again.status_code) == (200, 200)
    assert gateway.counts == {"refused.mcp_session": 1}
    assert [each.name for each in caplog.records] == ["cosmonapse.serve.mcp_face"]


async def test_a_session_that_is_idle_for_too_long_ends(monkeypatch, caplog):
    monkeypatch.setattr(mcp_face, "SESSION_IDLE_S", 0.05)
    async with connected(Gateway(None, GatewaySettings())) as client:
        with caplog.at_level(logging.INFO, "mcp.server.streamable_http_manager"):
            session = await opened(client)
            await until(lambda: f"{session['Mcp-Session-Id']} idle timeout" in caplog.text)

        gone = await client.post("/mcp", json=PING, headers=session)

    assert gone.status_code == 404
