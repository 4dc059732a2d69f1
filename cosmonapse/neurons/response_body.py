"""The body of one HTTP answer: bounded, its kind known by its first bytes. Not pure."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import cast

import attrs

from ..errors import NeuronError
from ..runtime.extras import missing_extra
from .body_kind import BodyKind, kind_of
from .faults import Faults

try:
    import httpx
except ImportError as error:
    raise missing_extra("httpx", "llm", error) from None

TRAILER_TIMEOUT_S = 0.2


@attrs.define(eq=False)
class ResponseBody:
    """The bytes of one answer.

    Args:
        response: The answer, whose body nobody has read.
        max_bytes: The most bytes that are read.
        faults: Makes the errors.

    Attributes:
        fault: The error that cut the body off, once that happened.
    """

    _response: httpx.Response
    _max_bytes: int
    _faults: Faults
    fault: httpx.RequestError | None = attrs.field(default=None, init=False)
    _chunks: AsyncGenerator[bytes, None] = attrs.field(init=False)
    _start: bytes = attrs.field(default=b"", init=False)
    _byte_count: int = attrs.field(default=0, init=False)
    _ended: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._chunks = cast("AsyncGenerator[bytes, None]", self._response.aiter_bytes())

    async def kind(self) -> BodyKind:
        """Return the kind of the body, by its first bytes."""
        while (kind := kind_of(self._start, self._ended)) is None:
            self._start += await self._next()
        is_stream = self._response.headers.get("content-type", "").lower()
        if kind is BodyKind.TEXT and is_stream.startswith("text/event-stream"):
            return BodyKind.EVENTS  # a text in place of events is read where events are
        return kind

    async def read(self, timeout_s: float | None = None) -> bytes:
        """Return the next bytes, none at the end and once it was cut off.

        Args:
            timeout_s: Longer silence is an end too.

        Raises:
            NeuronError: PROVIDER_ERROR, the answer is too large.
        """
        if self._start:
            start, self._start = self._start, b""
            return start
        if timeout_s is None:
            return await self._next()
        try:
            async with asyncio.timeout(timeout_s):
                return await self._next()
        except TimeoutError:
            self._ended = True
            return b""

    async def read_all(self) -> bytes:
        """Return everything that is left.

        Raises:
            NeuronError: PROVIDER_ERROR, the answer is too large.
        """
        pieces = []
        while piece := await self.read():
            pieces.append(piece)
        return b"".join(pieces)

    async def read_trailer(self) -> None:
        """Read the rest after the last event, so that the connection can be reused.

        A provider that keeps it open costs `TRAILER_TIMEOUT_S` and the connection, no more.
        """
        with contextlib.suppress(TimeoutError, NeuronError):
            async with asyncio.timeout(TRAILER_TIMEOUT_S):
                while await self._next():
                    pass

    async def aclose(self) -> None:
        """Read no more."""
        await self._chunks.aclose()

    async def _next(self) -> bytes:
        if self._ended:
            return b""
        try:
            chunk = await anext(self._chunks, b"")
        except httpx.RequestError as exc:
            self.fault, chunk = exc, b""
        self._ended = not chunk
        self._byte_count += len(chunk)
        if self._byte_count > self._max_bytes:
            raise self._faults.too_large(self._max_bytes)
        return chunk
