"""Messages of MCP as lines over file descriptors."""

import asyncio
import contextlib
import json
import os

import mcp_types
import pytest
from mcp.shared.message import SessionMessage

from cosmonapse.serve import mcp_lines
from cosmonapse.serve.mcp_lines import lines

pytestmark = pytest.mark.asyncio
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


@contextlib.contextmanager
def pipe():
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            with contextlib.suppress(OSError):
                os.close(end)


async def test_a_line_in_pieces_is_a_message():
    with pipe() as (source, client), pipe() as (_, sink):
        async with lines(source, sink) as (incoming, _):
            text = json.dumps(PING).encode()
            os.write(client, text[:9])
            await asyncio.sleep(0)
            os.write(client, text[9:] + b"\n\n")
            os.close(client)
            received = [each async for each in incoming]

    assert [each.message.model_dump(exclude_none=True) for each in received] == [PING]


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        (b"no json", -32700, "Parse error: expected "),
        (b"\xff\xfe", -32700, "Parse error: "),
        (b'{"jsonrpc": "2.0", "id": 9}', -32600, "one message of JSON-RPC"),
        (b'[{"jsonrpc": "2.0", "id": 9, "method": "ping"}]', -32600, "no batches"),
    ],
)
async def test_a_line_that_is_no_message_is_answered_and_the_next_one_is_read(line, code, says):
    with pipe() as (source, client), pipe() as (reader, sink):
        async with lines(source, sink) as (incoming, _):
            os.write(client, line + b"\n" + json.dumps(PING).encode() + b"\n")
            received = await incoming.receive()
            answer = json.loads(await asyncio.to_thread(os.read, reader, 4096))

    assert received.message.method == "ping"
    assert (answer["id"], answer["error"]["code"]) == (None, code)
    assert says in answer["error"]["message"]


async def test_a_long_message_is_written_while_its_reader_is_slow():
    with pipe() as (source, _), pipe() as (client, sink):
        async with lines(source, sink) as (_, outgoing):
            long = {**PING, "params": {"_meta": {"text": "x" * 300_000}}}
            await outgoing.send(SessionMessage(_message(long)))
            await asyncio.sleep(0)
            text = b""
            while not text.endswith(b"\n"):
                text += await asyncio.to_thread(os.read, client, 4096)

    assert json.loads(text) == long


async def test_a_line_that_is_too_long_ends_the_connection(monkeypatch, caplog):
    monkeypatch.setattr(mcp_lines, "MAX_LINE_BYTES", 100)
    with pipe() as (source, client), pipe() as (_, sink):
        async with lines(source, sink) as (incoming, _):
            os.write(client, b"x" * 101)

            assert [each async for each in incoming] == []
    assert "a line of the MCP client has over 100 bytes" in caplog.text


async def test_a_reader_that_has_gone_ends_the_writer_without_an_exception():
    with pipe() as (source, _), pipe() as (client, sink):
        async with lines(source, sink) as (_, outgoing):
            os.close(client)
            await outgoing.send(SessionMessage(_message(PING)))


def _message(value):
    return mcp_types.jsonrpc_message_adapter.validate_python(value, by_name=False)
