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


async def test_a_line_in_pieces_is_a_message_and_a_bad_one_an_exception():
    with pipe() as (source, client), pipe() as (_, sink):
        async with lines(source, sink) as (incoming, _):
            text = json.dumps(PING).encode()
            os.write(client, text[:9])
            await asyncio.sleep(0)
            os.write(client, text[9:] + b"\n\nno json\n")
            os.close(client)
            received = [each async for each in incoming]

    assert received[0].message.model_dump(exclude_none=True) == PING
    assert isinstance(received[1], Exception)
    assert len(received) == 2


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


async def test_a_line_that_is_too_long_ends_the_connection(monkeypatch):
    monkeypatch.setattr(mcp_lines, "MAX_LINE_BYTES", 100)
    with pipe() as (source, client), pipe() as (_, sink):
        async with lines(source, sink) as (incoming, _):
            os.write(client, b"x" * 101)

            assert [each async for each in incoming] == []


async def test_a_reader_that_has_gone_ends_the_writer_without_an_exception():
    with pipe() as (source, _), pipe() as (client, sink):
        async with lines(source, sink) as (_, outgoing):
            os.close(client)
            await outgoing.send(SessionMessage(_message(PING)))


def _message(value):
    return mcp_types.jsonrpc_message_adapter.validate_python(value, by_name=False)
