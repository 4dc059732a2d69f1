"""The HTTP side of every provider Neuron: one client, one request, tokens out. Not pure.

What is asked and how the answer reads is the dialect's business; this module only moves bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, Protocol

import attrs

from ..errors import MissingExtra, NeuronError
from .answers import Output
from .faults import Faults, parsed
from .sse import EventParser

try:
    import httpx
except ImportError:
    raise MissingExtra("httpx", "llm") from None

MAX_ANSWER_BYTES = 32 << 20
MAX_REFUSAL_BYTES = 64 << 10
MAX_IDLE_CONNECTIONS = 64
TRAILER_TIMEOUT_S = 0.2


class Reader(Protocol):
    """Reads the events of one streamed answer."""

    @property
    def ended(self) -> bool:
        """Return whether the last event arrived."""

    @property
    def complete(self) -> bool:
        """Return whether the answer is complete."""

    @property
    def token_count(self) -> int:
        """Return how many pieces of text came."""

    def feed(self, event: str) -> str:
        """Handle the data of one event and return the text it adds."""

    def output(self) -> Output:
        """Return the output made of all that came."""


class Dialect(Protocol):
    """What a provider wants to hear and how it answers. Pure."""

    @property
    def faults(self) -> Faults:
        """Return the factory of errors of the provider, which masks its key."""

    @property
    def url(self) -> str:
        """Return where to POST."""

    @property
    def model(self) -> str | None:
        """Return which model answers."""

    @property
    def stream(self) -> bool:
        """Return whether answers are requested token by token."""

    def headers(self) -> dict[str, str]:
        """Return the headers that prove who asks."""

    def body(self, input: Any) -> dict[str, Any]:
        """Return the request for a TASK's input."""

    def answer(self, document: Any) -> Output:
        """Return the output that a plain answer holds."""

    def reader(self) -> Reader | None:
        """Return the reader of one streamed answer, or None when not streaming."""


@attrs.define(eq=False, repr=False)
class ProviderNeuron:
    """A neuron function that asks a provider.

    It belongs to the event loop of its first call, and keeps one HTTP client for all calls.

    Args:
        dialect: What to ask and how to read the answer.
        timeout_s: The longest silence of the provider; the time of a whole answer is its TASK's.
    """

    dialect: Dialect
    timeout_s: float
    # made at birth, as reading the certificates would hold up a running loop for 30 ms
    _tls: ssl.SSLContext = attrs.field(factory=httpx.create_ssl_context, init=False)
    _client: httpx.AsyncClient | None = attrs.field(default=None, init=False)
    _loop: asyncio.AbstractEventLoop | None = attrs.field(default=None, init=False)

    def __repr__(self) -> str:
        dialect = self.dialect
        return (
            f"Neuron(source={dialect.faults.source!r}, url={dialect.url!r}, "
            f"model={dialect.model!r}, stream={dialect.stream})"
        )

    def __call__(
        self, input: Any, context: Any = None
    ) -> AsyncGenerator[str | Output, None] | Coroutine[Any, Any, Output]:
        """Ask the provider.

        Returns:
            When streaming an async generator, of tokens and then the output; else a coroutine
            that returns the output. The output is `{"response": str, "model": ..., "usage": ...}`.

        Raises:
            NeuronError: BAD_INPUT, PROVIDER_ERROR or PROVIDER_UNREACHABLE, once it runs.
            RuntimeError: It is called on a second event loop while the first one still runs.
        """
        return self._streamed(input) if self.dialect.stream else self._plain(input)

    async def aclose(self) -> None:
        """Close the HTTP client; a later call would open a new one."""
        client = self._client_of_this_loop()
        self._client = self._loop = None
        if client is not None:
            await client.aclose()

    async def _plain(self, input: Any) -> Output:
        async with self._answer_to(input) as response:
            return await self._output(response)

    async def _streamed(self, input: Any) -> AsyncGenerator[str | Output, None]:
        async with self._answer_to(input) as response:
            reader = self.dialect.reader()
            if reader is None or not _is_event_stream(response):
                output = await self._output(response)
                if output["response"]:
                    yield output["response"]
                yield output
                return
            chunks = self._chunks(response)
            async with (
                contextlib.aclosing(chunks),
                contextlib.aclosing(self._tokens(chunks, reader)) as tokens,
            ):
                async for token in tokens:
                    yield token
                await _read_trailer(chunks)
            yield reader.output()

    async def _tokens(
        self, chunks: AsyncGenerator[bytes, None], reader: Reader
    ) -> AsyncGenerator[str, None]:
        parser = EventParser()
        reason = "it ended without its last event"
        try:
            async for chunk in chunks:
                for event in parser.feed(chunk):
                    if token := reader.feed(event):
                        yield token
                if reader.ended:
                    return
        except httpx.RequestError as exc:
            reason = f"{type(exc).__name__}: {exc}".rstrip(": ")
        if not reader.complete:
            raise self.dialect.faults.cut_off(reader.token_count, reason)

    async def _output(self, response: httpx.Response) -> Output:
        body = b"".join([chunk async for chunk in self._chunks(response)])
        document = parsed(body)
        if document is None:
            raise self.dialect.faults.malformed("JSON", body.decode(errors="replace"))
        return self.dialect.answer(document)

    @contextlib.asynccontextmanager
    async def _answer_to(self, input: Any) -> AsyncGenerator[httpx.Response, None]:
        """Ask, and hold the connection for as long as the answer is being read."""
        content = _encoded(self.dialect.body(input))
        client = self._client_of_this_loop() or self._open_client()
        try:
            async with client.stream("POST", self.dialect.url, content=content) as response:
                if not response.is_success:
                    raise await self._refusal(response)
                yield response
        except (httpx.RequestError, httpx.InvalidURL) as exc:
            raise self.dialect.faults.unreachable(self.dialect.url, exc) from exc

    async def _refusal(self, response: httpx.Response) -> NeuronError:
        body = bytearray()
        with contextlib.suppress(httpx.RequestError):  # the status says enough
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_REFUSAL_BYTES:
                    break
        return self.dialect.faults.refused(response.status_code, bytes(body))

    async def _chunks(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        byte_count = 0
        async for chunk in response.aiter_bytes():
            byte_count += len(chunk)
            if byte_count > MAX_ANSWER_BYTES:
                raise self.dialect.faults.too_large(MAX_ANSWER_BYTES)
            yield chunk

    def _client_of_this_loop(self) -> httpx.AsyncClient | None:
        if self._loop is None or self._loop is asyncio.get_running_loop():
            return self._client
        if not self._loop.is_closed():
            raise RuntimeError(f"{self!r} runs on another event loop: build one Neuron per loop")
        return None  # its connections died with their loop

    def _open_client(self) -> httpx.AsyncClient:
        self._loop = asyncio.get_running_loop()
        self._client = httpx.AsyncClient(
            headers={"content-type": "application/json", **self.dialect.headers()},
            timeout=self.timeout_s,
            verify=self._tls,
            # the Axon's concurrency is the bound; a second one would only queue out of sight
            limits=httpx.Limits(
                max_connections=None, max_keepalive_connections=MAX_IDLE_CONNECTIONS
            ),
        )
        return self._client


def _encoded(body: dict[str, Any]) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as exc:
        message = f"the input cannot be sent as JSON: {exc}"
        raise NeuronError("BAD_INPUT", message, recoverable=False) from None


def _is_event_stream(response: httpx.Response) -> bool:
    media_type: str = response.headers.get("content-type", "")
    return media_type.lower().startswith("text/event-stream")


async def _read_trailer(chunks: AsyncGenerator[bytes, None]) -> None:
    """Read the rest after the last event, so that the connection can be reused.

    A provider that keeps it open costs `TRAILER_TIMEOUT_S` and the connection, no more.
    """
    with contextlib.suppress(TimeoutError, httpx.RequestError, NeuronError):
        async with asyncio.timeout(TRAILER_TIMEOUT_S):
            async for _ in chunks:
                pass
