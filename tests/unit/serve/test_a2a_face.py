"""The routes of A2A in front of those of the SDK: mistakes of clients are theirs, and counted."""

import httpx
import pytest
from starlette.applications import Starlette

from cosmonapse.serve.a2a_face import A2aFace
from cosmonapse.serve.gateway import Gateway, GatewaySettings

pytestmark = pytest.mark.asyncio
HALF = rb'{"jsonrpc": "2.0", "id": "\ud800", "method": "GetTask"}'


async def posted(gateway, path, body):
    app = Starlette(routes=A2aFace(gateway).routes())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return await client.post(path, content=body, headers={"A2A-Version": "1.0"})


async def test_a_body_that_is_refused_before_the_sdk_is_counted():
    gateway = Gateway(None, GatewaySettings())

    rpc = await posted(gateway, "/a2a/echo", HALF)
    rest = await posted(gateway, "/a2a/echo/message:send", HALF)

    assert rpc.json()["error"]["code"] == -32600
    assert (rest.status_code, rest.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert gateway.counts == {"refused.bad_body": 2}


async def test_a_body_that_need_not_be_there_may_be_empty():
    gateway = Gateway(None, GatewaySettings())

    unknown = await posted(gateway, "/a2a/echo/tasks/1:cancel", b"")

    assert unknown.json()["error"]["message"] == "Task not found"
    assert not gateway.counts
