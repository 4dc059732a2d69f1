"""The response that streams a chat completion: from a reader to the client, until either ends."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import Send

from ...edge.gaps import gap_error
from ...edge.outcomes import answer_of
from ...edge.reader import SignalReader
from ...edge.sse import CONTENT_TYPE, HEADERS
from ...errors import DendriteProtocolError
from .chunks import KEEP_ALIVE, ChatChunks
from .error_bodies import in_openai_form

_SILENT_S = 5.0
_MOST_AT_ONCE = 1_000
_HEADERS = (
    (b"content-type", f"{CONTENT_TYPE}; charset=utf-8".encode()),
    *((name.lower().encode(), value.encode()) for name, value in HEADERS.items()),
)


async def send_stream(
    reader: SignalReader,
    chunks: ChatChunks,
    send: Send,
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> None:
    """Send a stream to its end; whoever cancels it closes the reader.

    Args:
        reader: The task.
        chunks: Writes the pieces.
        send: Of the server; it waits while the client reads too slowly.
        headers: Beside those of every stream.
    """
    await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS, *headers]})
    piece, has_more = chunks.opening(), True
    while has_more:
        if piece:  # an empty one would be the end
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if await reader.wait(_SILENT_S):
            piece, has_more = _arrived(reader, chunks)
            await reader.yield_to_others()
        else:
            piece = KEEP_ALIVE
    await send({"type": "http.response.body", "body": piece})


def _arrived(reader: SignalReader, chunks: ChatChunks) -> tuple[bytes, bool]:
    """Return the pieces of what has arrived, and whether more will follow."""
    left = _MOST_AT_ONCE
    try:
        while left and reader.is_ready:
            left -= 1
            signal = reader.take()
            if reader.missed:
                return chunks.error(in_openai_form(answer_of(gap_error(reader.missed)))), False
            if signal is None:
                return chunks.end(is_cut=reader.is_closed), False
            chunks.take(signal)
    except DendriteProtocolError:  # closed before the task was settled
        return chunks.cut_off(), False
    return chunks.pop(), True
