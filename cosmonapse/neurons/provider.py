"""The HTTP side of every provider Neuron: one client, one request, tokens out. Not pure.

What is asked and how the answer reads is the dialect's business; this module only moves bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from functools import partial
from typing import Any

import attrs

from ..errors import NeuronError
from ..payloads import REASONING
from ..runtime.extras import missing_extra
from ..telemetry.model_calls import CallFacts, ModelCall, begun
from ..telemetry.token_counts import count_tokens
from .answers import Output, Piece, response_id_in
from .body_kind import BodyKind
from .dialect import Dialect, Reader
from .faults import parsed
from .history import with_history
from .http_environment import ProxyInUse, open_client, proxy_in_use, tls_context
from .response_body import ResponseBody
from .retry_after import retry_after_s
from .sse import EventParser

try:
    import httpx
except ImportError as error:
    raise missing_extra("httpx", "llm", error) from None

MAX_REFUSAL_BYTES = 64 << 10
"""How much of the body of a refused request is read."""
LAST_EVENT_TIMEOUT_S = 2.0
"""How long a complete answer may wait for its last event: some providers send none."""
PROXY_STATUSES = frozenset({407, 502, 503, 504})
"""What a proxy on the way may answer by itself."""


@attrs.define(eq=False, repr=False)
class ProviderNeuron:
    """A neuron function that asks a provider.

    It belongs to the event loop of its first call, and keeps one HTTP client for all calls.

    Args:
        dialect: What to ask and how to read the answer.
        timeout_s: The longest silence of the provider; the time of a whole answer is its TASK's.
        max_answer_bytes: The most bytes of one answer, so of one event too.

    Raises:
        ValueError: An environment variable for certificates or proxies cannot be used.
    """

    dialect: Dialect
    timeout_s: float
    max_answer_bytes: int
    # made at birth, as reading the certificates would hold up a running loop for 30 ms, and a
    # variable that cannot be used would fail every task
    _tls: ssl.SSLContext = attrs.field(factory=tls_context, init=False)
    _client: httpx.AsyncClient | None = attrs.field(init=False)
    _loop: asyncio.AbstractEventLoop | None = attrs.field(default=None, init=False)
    _proxy: ProxyInUse | None = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._client = self._new_client()
        self._proxy = proxy_in_use(self.dialect.url)

    def __repr__(self) -> str:
        dialect = self.dialect
        return (
            f"Neuron(source={dialect.faults.source!r}, url={dialect.url!r}, "
            f"model={dialect.model!r}, stream={dialect.stream})"
        )

    def __call__(
        self, input: Any, context: Any = None
    ) -> AsyncGenerator[str | Output, None] | Coroutine[Any, Any, Output]:
        """Ask the provider; messages in the context go ahead of those in the input.

        Returns:
            When streaming an async generator, of tokens and then the output; else a coroutine
            that returns the output. The output is `{"response": str, "model": ..., "usage": ...}`.

        Raises:
            NeuronError: BAD_INPUT, PROVIDER_ERROR or PROVIDER_UNREACHABLE, once it runs.
            RuntimeError: It is called on a second event loop while the first one still runs.
        """
        if self.dialect.stream:
            return self._streamed(input, context)
        return self._plain(input, context)

    async def aclose(self) -> None:
        """Close the HTTP client; a later call would open a new one."""
        client = self._client_of_this_loop()
        self._client = self._loop = None
        if client is not None:
            await client.aclose()

    async def _plain(self, input: Any, context: Any) -> Output:
        output: Output = {}
        reasoning = ""
        async with contextlib.aclosing(self._answer(input, context)) as items:
            async for item in items:
                if not isinstance(item, Piece):
                    output = item
                elif item.is_reasoning:
                    reasoning += item.text
        return {**output, REASONING: reasoning} if reasoning else output

    async def _streamed(self, input: Any, context: Any) -> AsyncGenerator[str | Output, None]:
        think = getattr(context, "think", None)  # a test, or a function around this one, has none
        async with contextlib.aclosing(self._answer(input, context)) as items:
            async for item in items:
                if not isinstance(item, Piece):
                    yield item
                elif not item.is_reasoning:
                    yield item.text
                elif think is not None:
                    await think(item.text, kind=REASONING)

    def _answer(self, input: Any, context: Any) -> AsyncGenerator[Piece | Output, None]:
        """Return the pieces of the answer, as they come or at once, and then the output."""
        given = with_history(input, context or ())
        return self._asked(partial(self.dialect.body, given), given)

    async def _asked(
        self, request: Callable[[], dict[str, Any]], given: Any, runs_tools: bool = False
    ) -> AsyncGenerator[Piece | Output, None]:
        """Ask once, and yield the pieces of the answer and then the output.

        Args:
            request: Makes what is sent.
            given: What the model reads, for who listens to the calls.
            runs_tools: Whether the output may hold calls of tools.
        """
        dialect = self.dialect
        call = begun(CallFacts(dialect.faults.source, dialect.model, dialect.url, given))
        try:
            async with self._answer_to(request, call) as body:
                kind, reader = await body.kind(), dialect.reader()
                if reader is not None and kind is BodyKind.EVENTS:
                    async with contextlib.aclosing(self._pieces(body, reader)) as pieces:
                        async for piece in pieces:
                            yield piece
                    await body.read_trailer()
                    output, response_id = reader.output(runs_tools), reader.response_id
                    pieces_left: list[Piece] = []
                else:
                    output, response_id = await self._document(body, runs_tools)
                    pieces_left = _pieces_of(output)
            if call is not None:
                call.answered(output, response_id)
        except BaseException as error:
            if call is not None:
                call.failed(error)
            raise
        count_tokens(output)
        for piece in pieces_left:
            yield piece
        yield output

    async def _pieces(self, body: ResponseBody, reader: Reader) -> AsyncGenerator[Piece, None]:
        parser = EventParser(self.max_answer_bytes)
        while not reader.ended:
            chunk = await body.read(LAST_EVENT_TIMEOUT_S if reader.complete else None)
            for event in parser.feed(chunk):
                for piece in reader.feed(event):
                    yield piece
            if not chunk:
                break
        last = None if reader.ended else parser.end()
        if last is not None and isinstance(parsed(last.data), dict):  # nothing of it was cut off
            for piece in reader.feed(last):
                yield piece
        if not reader.complete:
            raise self._no_end(body, reader, parser.stray)
        for piece in reader.end():
            yield piece

    def _no_end(self, body: ResponseBody, reader: Reader, stray: str) -> NeuronError:
        """Return the error for a stream without a reason for its end."""
        faults = self.dialect.faults
        if stray:
            return faults.said(stray)
        if reader.ended:
            reason = "its last event came without a finish reason"
        elif body.fault is None:
            reason = "it ended without a finish reason"
        else:
            reason = f"{type(body.fault).__name__}: {body.fault}".rstrip(": ")
        return faults.cut_off(reader.piece_count, reason)

    async def _document(self, body: ResponseBody, runs_tools: bool) -> tuple[Output, str | None]:
        """Return the output of a plain answer, and the id of the answer."""
        text = await body.read_all()
        if body.fault is not None:
            raise body.fault
        document = parsed(text)
        if document is None:
            raise self.dialect.faults.malformed("JSON", text.decode(errors="replace"))
        return self.dialect.answer(document, runs_tools), response_id_in(document)

    @contextlib.asynccontextmanager
    async def _answer_to(
        self, request: Callable[[], dict[str, Any]], call: ModelCall | None
    ) -> AsyncGenerator[ResponseBody, None]:
        """Ask, and hold the connection for as long as the answer is being read."""
        url, faults = self.dialect.url, self.dialect.faults
        content = _encoded(request())
        client = self._client_of_this_loop() or self._new_client()
        self._client, self._loop = client, asyncio.get_running_loop()
        try:
            async with contextlib.AsyncExitStack() as stack:
                with contextlib.nullcontext() if call is None else call.asking():
                    streamed = client.stream("POST", url, content=content)
                    response = await stack.enter_async_context(streamed)
                if not response.is_success:
                    raise await self._refusal(response)
                body = ResponseBody(response, self.max_answer_bytes, faults)
                async with contextlib.aclosing(body):
                    yield body
        except (httpx.RequestError, httpx.InvalidURL) as exc:
            raise faults.unreachable(url, exc, self._proxy) from exc

    async def _refusal(self, response: httpx.Response) -> NeuronError:
        status, faults = response.status_code, self.dialect.faults
        if response.next_request is not None:
            secrets = {"query": None, "fragment": None, "username": None, "password": None}
            return faults.redirected(status, str(response.next_request.url.copy_with(**secrets)))
        text = bytearray()
        with contextlib.suppress(httpx.RequestError):  # the status says enough
            async for chunk in response.aiter_bytes():
                text += chunk
                if len(text) > MAX_REFUSAL_BYTES:
                    break
        wait_s = retry_after_s(response.headers, time.time())
        proxy = self._proxy if status in PROXY_STATUSES else None
        return faults.refused(status, bytes(text), wait_s, proxy)

    def _client_of_this_loop(self) -> httpx.AsyncClient | None:
        if self._loop is None or self._loop is asyncio.get_running_loop():
            return self._client
        if not self._loop.is_closed():
            raise RuntimeError(f"{self!r} runs on another event loop: build one Neuron per loop")
        return None  # its connections died with their loop

    def _new_client(self) -> httpx.AsyncClient:
        headers = {"content-type": "application/json", **self.dialect.headers()}
        return open_client(headers, self.timeout_s, self._tls)


def _pieces_of(output: Output) -> list[Piece]:
    """Take the reasoning out of an output; return its pieces as if they had come one by one."""
    reasoning = output.pop(REASONING, None)
    pieces = [Piece(reasoning, is_reasoning=True)] if reasoning else []
    return [*pieces, Piece(output["response"])] if output["response"] else pieces


def _encoded(body: dict[str, Any]) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as exc:
        message = f"the input cannot be sent as JSON: {exc}"
        raise NeuronError("BAD_INPUT", message, recoverable=False) from None
