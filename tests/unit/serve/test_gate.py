"""The gate in front of the faces, with an app and a server that are functions."""

import asyncio
import json

import pytest

from cosmonapse.serve.admission import Admission
from cosmonapse.serve.gate import Gate

pytestmark = pytest.mark.asyncio
HOST = (b"host", b"localhost")


class Request:
    """One request through a gate: what the server receives, and what it sends."""

    def __init__(self, gate, *pieces, path="/neurons/a", headers=()):
        self.sent = []
        self._pieces = list(pieces)
        self._gate = gate
        self._scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "headers": [HOST, *headers],
        }

    async def receive(self):
        body = self._pieces.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(self._pieces)}

    async def send(self, message):
        self.sent.append(message)

    async def run(self):
        await self._gate(self._scope, self.receive, self.send)
        return self

    @property
    def status(self):
        return self.sent[0]["status"]

    @property
    def body(self):
        return json.loads(b"".join(each.get("body", b"") for each in self.sent[1:]))

    async def hang_up(self):
        """Leave before the end of the body."""
        self._pieces = [b"begun", None]
        await self._gate(self._scope, self._received, self.send)
        return self

    async def _received(self):
        body = self._pieces.pop(0)
        if body is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": body, "more_body": True}


async def echo(scope, receive, send):
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(len(message["body"])).encode()})


def gate_of(app=echo, most=10, **settings):
    return Gate(app, Admission(), most, **settings)


CHUNKED = ((b"transfer-encoding", b"chunked"),)


async def test_the_app_gets_the_whole_body_at_once():
    got = await Request(gate_of(), b"abc", b"def", headers=CHUNKED).run()

    assert (got.status, got.body) == (200, 6)


@pytest.mark.parametrize(
    ("pieces", "headers"),
    [
        ((), ((b"content-length", b"11"),)),
        ((), ((b"content-length", b"9" * 30),)),
        ((b"123456", b"78901", b"never read"), CHUNKED),
        ((b"123456789012",), CHUNKED),
    ],
)
async def test_a_body_over_the_limit_is_413_and_kept_from_the_app(pieces, headers):
    gate = gate_of()

    got = await Request(gate, *pieces, headers=headers).run()

    assert (got.status, got.body["code"]) == (413, "TOO_LARGE")
    assert b"connection" not in dict(got.sent[0]["headers"])
    assert gate.counts == {"refused.too_large": 1}


async def test_a_body_at_the_limit_passes():
    got = await Request(gate_of(), b"0123456789", headers=((b"content-length", b"10"),)).run()

    assert (got.status, got.body) == (200, 10)


@pytest.mark.parametrize("headers", [CHUNKED, ((b"content-length", b"3"),)])
async def test_a_compressed_body_is_refused_with_what_to_do(headers):
    got = await Request(gate_of(), b"abc", headers=(*headers, (b"content-encoding", b"gzip"))).run()

    assert (got.status, got.body["code"]) == (415, "ENCODED")
    assert "send it without Content-Encoding" in got.body["error"]


@pytest.mark.parametrize("is_ending", [True, False])
async def test_a_page_may_read_that_it_shall_try_again(is_ending):
    admission = Admission(origins={"http://ui.example"})
    gate = Gate(echo, admission, 10, is_ready=lambda: is_ending)
    gate.is_ending = is_ending

    got = await Request(gate, b"", headers=((b"origin", b"http://ui.example"),)).run()

    assert got.status == 503
    assert (b"access-control-allow-origin", b"http://ui.example") in got.sent[0]["headers"]


async def test_until_the_fabric_is_there_requests_are_put_off_but_for_probes():
    gate = gate_of(is_ready=lambda: False)

    early = await Request(gate, b"").run()
    openai = await Request(gate, b"", path="/v1/models").run()
    probe = await Request(gate, b"", path="/healthz").run()

    assert (early.status, early.body["retry"]) == (503, True)
    assert openai.body["error"]["type"] == "server_error"
    assert probe.status == 200


async def test_at_the_end_what_has_begun_is_cut_at_once_and_the_rest_has_its_time():
    begun, free = asyncio.Event(), asyncio.Event()

    async def streams(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        begun.set()
        await asyncio.Event().wait()

    async def works(scope, receive, send):
        await free.wait()
        await echo(scope, receive, send)

    async def app(scope, receive, send):
        await (streams if scope["path"] == "/stream" else works)(scope, receive, send)

    gate = gate_of(app)
    stream, plain = Request(gate, b"", path="/stream"), Request(gate, b"")
    stream_task, plain_task = (asyncio.create_task(each.run()) for each in (stream, plain))
    await begun.wait()

    draining = asyncio.create_task(gate.drain(5.0))
    await stream_task
    refused = await Request(gate, b"").run()
    free.set()
    await asyncio.gather(plain_task, draining)

    assert stream.sent[-1] == {"type": "http.response.body", "body": b""}
    assert (plain.status, refused.status) == (200, 503)


async def test_a_plain_call_that_takes_too_long_is_503_and_not_to_be_sent_again():
    async def app(scope, receive, send):
        await asyncio.Event().wait()

    gate = gate_of(app)
    request = Request(gate, b"")
    running = asyncio.create_task(request.run())
    await asyncio.sleep(0)

    await gate.drain(0.0)
    await running

    assert (request.status, request.body["code"]) == (503, "CANCELLED")
    assert request.body["retry"] is False
    assert (b"x-should-retry", b"false") in request.sent[0]["headers"]
    assert gate.open_count == 0


async def test_a_websocket_is_closed():
    sent = []

    async def send(message):
        sent.append(message)

    await gate_of()({"type": "websocket"}, None, send)

    assert sent == [{"type": "websocket.close", "code": 1008}]


async def test_a_client_that_leaves_before_the_end_of_its_body_reaches_no_face():
    reached = []

    async def app(scope, receive, send):
        reached.append(scope)

    left = await Request(gate_of(app), headers=CHUNKED).hang_up()

    assert reached == left.sent == []


async def test_what_anybody_may_read_takes_no_body():
    request = Request(gate_of(), b"1", path="/healthz", headers=((b"content-length", b"1"),))
    request._scope["method"] = "GET"

    assert (await request.run()).status == 413
