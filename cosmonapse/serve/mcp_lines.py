"""The messages of MCP as lines on stdin and stdout, without threads.

The transport of the SDK reads in a thread that nothing can end but its client, so a gateway that
gets SIGTERM would hang. While this one runs, file descriptor 0 is empty and 1 is stderr: what a
program prints by mistake is no line of the protocol.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import select
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio

from ..runtime.extras import missing_extra

try:
    import mcp_types as types
    from mcp.shared.message import SessionMessage
    from pydantic import ValidationError
except ImportError as error:
    raise missing_extra("mcp", "mcp", error) from None

_log = logging.getLogger(__name__)
MAX_LINE_BYTES = 64 * 1024 * 1024
_PIECE_BYTES = 1 << 16
_ROOM_BYTES = 4096
_PARSE_ERROR, _INVALID_REQUEST = -32700, -32600
_NO_MESSAGE = "Invalid Request: a line is one message of JSON-RPC 2.0; MCP has no batches"
Streams = tuple[Any, Any]


@contextlib.asynccontextmanager
async def lines_of_stdio() -> AsyncIterator[Streams]:
    """Return the stream to read messages from and the one to write them to."""
    taken_in, taken_out = os.dup(0), os.dup(1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    try:
        async with lines(taken_in, taken_out) as streams:
            yield streams
    finally:
        os.dup2(taken_out, 1)
        os.dup2(taken_in, 0)
        os.close(taken_in)
        os.close(taken_out)


@contextlib.asynccontextmanager
async def lines(source: int, sink: int) -> AsyncIterator[Streams]:
    """Return the streams of messages over two file descriptors, which stay open.

    A line of `source` that is no message is answered by an error of JSON-RPC on `sink`.
    """
    to_server, from_client = anyio.create_memory_object_stream[SessionMessage](0)
    to_client, from_server = anyio.create_memory_object_stream[SessionMessage](0)
    async with from_client, to_client, anyio.create_task_group() as group:
        group.start_soon(_read, source, to_server, to_client.clone())
        group.start_soon(_write, sink, from_server)
        yield from_client, to_client
        group.cancel_scope.cancel()


async def _read(source: int, to_server: Any, to_client: Any) -> None:
    with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        async with to_server, to_client:
            async for line in _lines_of(source):
                try:
                    message = _message_of(line)
                except ValidationError as error:
                    await to_client.send(SessionMessage(_refusal(error)))
                else:
                    await to_server.send(message)


def _message_of(line: bytes) -> SessionMessage:
    text = line.decode("utf-8", "replace")
    return SessionMessage(types.jsonrpc_message_adapter.validate_json(text, by_name=False))


def _refusal(error: ValidationError) -> types.JSONRPCError:
    """Return the answer to a line that is no message, without what it holds."""
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        told = types.ErrorData(code=_PARSE_ERROR, message=f"Parse error: {first['ctx']['error']}")
    else:
        told = types.ErrorData(code=_INVALID_REQUEST, message=_NO_MESSAGE)
    return types.JSONRPCError(jsonrpc="2.0", id=None, error=told)


async def _write(sink: int, from_server: Any) -> None:
    with contextlib.suppress(anyio.ClosedResourceError, OSError):
        async with from_server:
            async for each in from_server:
                text = each.message.model_dump_json(by_alias=True, exclude_unset=True)
                await _write_all(sink, text.encode() + b"\n")


async def _lines_of(source: int) -> AsyncIterator[bytes]:
    """Yield the lines that are not empty, until the end or a line over `MAX_LINE_BYTES`."""
    begun = bytearray()
    while piece := await _piece(source):
        first, *others = piece.split(b"\n")
        begun += first
        for part in others:
            if begun.strip():
                yield bytes(begun)
            begun = bytearray(part)
        if len(begun) > MAX_LINE_BYTES:
            _log.error("a line of the MCP client has over %d bytes: it is cut off", MAX_LINE_BYTES)
            return


async def _piece(source: int) -> bytes:
    """Return what can be read now, waiting for it; nothing at the end."""
    loop = asyncio.get_running_loop()
    await _until_ready(source, loop.add_reader, loop.remove_reader)
    try:
        return os.read(source, _PIECE_BYTES)
    except ConnectionError:
        return b""


async def _write_all(sink: int, data: bytes) -> None:
    """Write `data` without blocking: where a pipe is ready, it has room for 4,096 bytes."""
    loop = asyncio.get_running_loop()
    room = select.poll()
    room.register(sink, select.POLLOUT)
    view = memoryview(data)
    while view:
        if not room.poll(0):
            await _until_ready(sink, loop.add_writer, loop.remove_writer)
        view = view[os.write(sink, view[:_ROOM_BYTES]) :]


async def _until_ready(
    file: int, add: Callable[..., object], remove: Callable[[int], object]
) -> None:
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    try:
        add(file, _note, ready)
    except PermissionError:  # a file on a disk, which never makes wait
        return
    try:
        await ready
    finally:
        remove(file)


def _note(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
