"""Outcomes as responses of Starlette: for the helper of FastAPI, and for gateways.

Needs starlette. Whoever imports this names its own extra where that is missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from ..errors import DendriteProtocolError, NeuronError
from ..signals import Signal
from . import sse
from .faults import answer_and_log
from .outcomes import JSON_TYPE, HttpAnswer, answer_of, json_object
from .reader import SignalReader
from .wsgi_stream import TEXT_TYPE, TextPieces

T = TypeVar("T")
PieceOf = Callable[[Signal, int], bytes]
"""Makes the piece for a Signal, and for the number of Signals that were dropped before it."""
_LOOK_EVERY_S = 0.3
KEEP_ALIVE_S = 5.0
_PIECE_BYTES = 64 * 1024


async def json_body(request: Request, *required: str) -> dict[str, Any]:
    """Return the JSON object in a request, for views without a model of pydantic.

    Args:
        request: The request.
        required: Keys that must be there, with a value other than null and "".

    Raises:
        BadRequest: It is not a JSON object, or lacks a key; becomes status 400.
    """
    return json_object(await request.body(), request.headers.get("content-type"), *required)


def respond(outcome: Signal | Mapping[str, Any] | BaseException) -> Response:
    """Return the response for a reply, an output or an exception, by the table of docs/edge.md."""
    if isinstance(outcome, BaseException):
        return response_of(answer_and_log(outcome))
    return response_of(answer_of(outcome))


class SignalsResponse(StreamingResponse):
    """Streams the Signals of a reader; closes it at the end, or when the client disconnects."""

    def __init__(self, reader: SignalReader, as_text: bool) -> None:
        self._reader = reader
        pieces = _texts(reader) if as_text else events(reader, sse.event_of)
        media_type = TEXT_TYPE if as_text else sse.CONTENT_TYPE
        super().__init__(pieces, headers=sse.HEADERS, media_type=media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        sending = asyncio.create_task(self.stream_response(send), name="stream a task")
        leaving = asyncio.create_task(self.listen_for_disconnect(receive), name="watch its client")
        try:
            await asyncio.wait([sending, leaving], return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            sending.cancel()
            leaving.cancel()
            await asyncio.wait([sending, leaving])
            await self._reader.close()


def events(reader: SignalReader, event_of: PieceOf) -> AsyncIterator[bytes]:
    """Return the events of a reader in pieces, with comments in between while it is silent."""
    return _pieces(reader, event_of, KEEP_ALIVE_S, sse.CUT_OFF)


async def _texts(reader: SignalReader) -> AsyncIterator[bytes]:
    async for piece in _pieces(reader, TextPieces()):
        yield piece
    if reader.reply is not None:
        _ = reader.reply.output  # bare texts cannot report a failure: the connection is aborted


async def _pieces(
    reader: SignalReader,
    piece_of: PieceOf,
    silent_s: float | None = None,
    cut_off: bytes | None = None,
) -> AsyncIterator[bytes]:
    """Yield what has arrived, up to about 64 KiB at once.

    Others have their turn between two pieces: a Neuron that is fast holds up no other client.
    """
    is_over = False
    while not is_over:
        if not await reader.wait(silent_s):
            yield sse.KEEP_ALIVE
            continue
        piece, is_over = _arrived(reader, piece_of, cut_off)
        if piece:
            yield piece
        await reader.yield_to_others()


def _arrived(reader: SignalReader, piece_of: PieceOf, cut_off: bytes | None) -> tuple[bytes, bool]:
    """Return the bytes of what has arrived, and whether that was all.

    Raises:
        DendriteProtocolError: The reader was closed before its end, and there is no `cut_off`.
        NeuronError: `STREAM_GAP`, a text would not be whole.
    """
    made = bytearray()
    while len(made) < _PIECE_BYTES and reader.is_ready:
        try:
            signal = reader.take()
        except DendriteProtocolError:
            if cut_off is not None:
                return bytes(made + cut_off), True
            if not made:
                raise
            break  # what was said goes first; the next look raises it again
        if signal is None:
            return bytes(made), True
        made += piece_of(signal, reader.missed_now)
    return bytes(made), False


async def unless_gone(asking: asyncio.Future[T], request: Request | None) -> T:
    """Return what is awaited; cancel it when the client of a request disconnects.

    Args:
        asking: What is awaited.
        request: The request; None: its client is not looked for.

    Raises:
        NeuronError: `CANCELLED`, the client is gone.
    """
    if request is not None:
        await request.body()  # the next message is the end of the connection
    try:
        while request is not None:
            done, _ = await asyncio.wait([asking], timeout=_LOOK_EVERY_S)
            if done:
                break
            if await request.is_disconnected():
                raise NeuronError("CANCELLED", "the client disconnected before the answer")
        return await asking
    finally:
        asking.cancel()


def response_of(answer: HttpAnswer) -> Response:
    """Return the response for an answer."""
    return Response(answer.content, answer.status, dict(answer.headers), JSON_TYPE)
