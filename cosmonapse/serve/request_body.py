"""The body of a request to a gateway: read up to the limit, so that no face waits for more."""

from __future__ import annotations

from starlette.types import Message, Receive

from .admission import RawHeaders, Refusal

_ENCODED = Refusal(
    415,
    "ENCODED",
    "this gateway reads no compressed bodies: send it without Content-Encoding",
    {"accept-encoding": "identity"},
)


async def read_body(headers: RawHeaders, receive: Receive, most: int) -> Receive | Refusal | None:
    """Read the body of a request to its end.

    Args:
        headers: Of the request.
        receive: Gives its messages.
        most: The most bytes that the body may have.

    Returns:
        What gives the app the body as one message, and then what `receive` has next; the refusal of
        a body that is not read; or None where the client has left before its end, so that there is
        nobody to answer.
    """
    has_body = _announced(headers, most)
    if isinstance(has_body, Refusal):
        return has_body
    if not has_body:
        return receive
    pieces: list[bytes] = []
    size, is_more = 0, True
    while is_more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > most:
            return _too_large(most)
        is_more = message.get("more_body", False)
    if len(pieces) > 1:
        message = {"type": "http.request", "body": b"".join(pieces), "more_body": False}
    return _Replayed(message, receive)


def _announced(headers: RawHeaders, most: int) -> Refusal | bool:
    """Return whether a body follows these headers, or the refusal of one that is not read."""
    has_body = False
    for name, value in headers:
        if name == b"content-encoding" and value.lower() not in (b"", b"identity"):
            return _ENCODED
        if name == b"content-length":
            if len(value) > 15 or int(value) > most:
                return _too_large(most)
            has_body = has_body or value != b"0"
        elif name == b"transfer-encoding":
            has_body = True
    return has_body


def _too_large(most: int) -> Refusal:
    # The connection stays: closed before the rest has come it would be reset, and most clients tell
    # of that and not of this answer. The server reads and drops the rest, as long as a request has.
    text = f"the body of a request may have at most {most:,} bytes"
    return Refusal(413, "TOO_LARGE", text, counter="refused.too_large")


class _Replayed:
    """Gives a body that was read, then what the server has next."""

    __slots__ = ("_first", "_receive")

    def __init__(self, first: Message, receive: Receive) -> None:
        self._first: Message | None = first
        self._receive = receive

    async def __call__(self) -> Message:
        first, self._first = self._first, None
        return await self._receive() if first is None else first
