"""The two streams of a transport of MCP, which outlive a client and tell when the server ends."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self


class _Kept:
    """A stream that its user may close without an effect: its owner closes it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def aclose(self) -> None:
        """Leave it open."""

    def close(self) -> None:
        """Leave it open."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Leave it open."""


class KeptReader(_Kept):
    """The messages of the server.

    Args:
        stream: The stream of the transport.
        on_end: Called when the server has ended.
        on_noise: Called for each line that is no message.
    """

    def __init__(
        self, stream: Any, on_end: Callable[[], None], on_noise: Callable[[], None]
    ) -> None:
        super().__init__(stream)
        self._on_end = on_end
        self._on_noise = on_noise

    @property
    def last_context(self) -> Any:
        """The context variables of the sender of the last message, if the stream knows them."""
        return getattr(self._stream, "last_context", None)

    async def receive(self) -> Any:
        """Return the next message."""
        return await self._stream.receive()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        try:
            item = await self._stream.__anext__()
        except StopAsyncIteration:
            self._on_end()
            raise
        if isinstance(item, Exception):
            self._on_noise()
        return item


class KeptWriter(_Kept):
    """The messages to the server."""

    async def send(self, item: Any) -> None:
        """Send a message."""
        await self._stream.send(item)


class KeptStreams:
    """A transport for one client after the other over the same streams.

    Args:
        streams: The streams of a transport that is open.
        on_end: Called when the server has ended.
        on_noise: Called for each line of the server that is no message.
    """

    def __init__(
        self,
        streams: tuple[Any, Any],
        on_end: Callable[[], None],
        on_noise: Callable[[], None],
    ) -> None:
        self._streams = KeptReader(streams[0], on_end, on_noise), KeptWriter(streams[1])

    async def __aenter__(self) -> Any:
        """Return the streams."""
        return self._streams

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Leave them open."""
