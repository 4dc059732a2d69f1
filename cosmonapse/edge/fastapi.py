"""FastAPI, or any Starlette app, in front of one Dendrite on the same event loop.

Needs the extra [fastapi].

    app = FastAPI()
    cosmo = Cosmo(app, "cosmo://127.0.0.1:7070", namespace="api-demo")

    @app.post("/ask")
    async def ask(question: Question):
        return await cosmo.ask(neuron="worker", input={"prompt": question.prompt})
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextvars import ContextVar
from typing import Any

from ..axon import Axon
from ..dendrite import Dendrite
from ..errors import CosmonapseError, DendriteProtocolError, MissingExtra, NeuronError
from ..signals import Signal
from ..synapse import synapse_from_url
from ..synapse.connect import KeyLike
from ..trace_export import export_the_rest, trace_as_asked
from . import sse
from .faults import answer_and_log
from .outcomes import JSON_TYPE, HttpAnswer, answer_of, is_outcome, json_object, jsonable, mark
from .per_process import with_trace
from .reader import SignalReader
from .trace_headers import with_headers
from .wsgi_stream import TEXT_TYPE, TextPieces

try:
    from starlette.applications import Starlette
    from starlette.datastructures import Headers
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse, Response, StreamingResponse
    from starlette.types import ASGIApp, Receive, Scope, Send
except ImportError:
    raise MissingExtra("fastapi", "fastapi") from None

_last_event_id: ContextVar[str | None] = ContextVar("last_event_id", default=None)
_NO_HEADERS: tuple[str | None, str | None] = (None, None)
_trace_headers: ContextVar[tuple[str | None, str | None]] = ContextVar(
    "trace_headers", default=_NO_HEADERS
)
_OPENING_S = 0.2
_LOOK_EVERY_S = 0.3
_KEEP_ALIVE_S = 5.0


class Cosmo:
    """A Dendrite for a FastAPI or Starlette app: starts and stops with it.

    Every outcome of `ask` and `stream_response` becomes JSON with its status; see docs/edge.md.

    Args:
        app: The app; or call `init_app` later, before it runs.
        url: The Synapse; see `synapse_from_url`.
        key: The path of a file NAME.key, or a key; see `synapse_from_url`.
        axons: Axons that each process hosts while the app runs.
        settings: Arguments of `Dendrite`: `namespace`, `dendrite_id`, ...
    """

    def __init__(
        self,
        app: Starlette | None = None,
        url: str | None = None,
        *,
        key: KeyLike | None = None,
        axons: Iterable[Axon] = (),
        **settings: Any,
    ) -> None:
        self._url = url
        self._key = key
        self._axons = tuple(axons)
        self._settings = {"dendrite_id": "fastapi", **settings}
        self._dendrite: Dendrite | None = None
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Starlette) -> None:
        """Attach to an app: around its lifespan, and with the error handlers."""
        inner = app.router.lifespan_context

        @contextlib.asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[Any]:
            async with self.lifespan(app), inner(app) as state:
                yield state

        app.router.lifespan_context = lifespan
        app.add_middleware(_RememberHeaders)
        app.add_exception_handler(CosmonapseError, _on_outcome)
        app.add_exception_handler(TimeoutError, _on_outcome)
        app.add_exception_handler(ExceptionGroup, _on_outcome)
        app.add_exception_handler(Exception, _on_failure)

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Run the Dendrite as long as the app runs; used by `init_app`.

        Raises:
            SynapseUnreachable: No Synapse answers at the URL; the app does not start.
            SynapseRefused: The Synapse refuses this namespace, or is full.
            AccessRefused: The Synapse and the key do not fit, or a right is missing.
        """
        dendrite = Dendrite(synapse=synapse_from_url(self._url, key=self._key), **self._settings)
        for axon in self._axons:
            dendrite.attach_axon(axon)
        trace_as_asked(dendrite)
        async with dendrite:
            self._dendrite = app.state.cosmonapse = dendrite
            yield
        await export_the_rest()

    @property
    def dendrite(self) -> Dendrite:
        """The Dendrite of this app.

        Raises:
            DendriteProtocolError: The app is not running.
        """
        if self._dendrite is None:
            raise DendriteProtocolError(
                "the Dendrite starts with the app: run it with a server that supports lifespan, "
                "such as uvicorn, or in a test use 'with TestClient(app)'"
            )
        return self._dendrite

    async def ask(self, request: Request | None = None, **task: Any) -> dict[str, Any]:
        """Send a TASK and return its output, converted for JSON.

        Args:
            request: If given, the task is cancelled when its client disconnects.
            task: Arguments of `Dendrite.ask`.

        Raises:
            NeuronError: The outcome is an ERROR.
            NeedsAnswer: The outcome is a question.
            TimeoutError: There is no outcome in time.
            CosmonapseError: The TASK could not be sent.
        """
        task = with_headers(with_trace(task), *_trace_headers.get())
        try:
            asking = asyncio.ensure_future(self.dendrite.ask(**task))
            output: dict[str, Any] = jsonable(await _unless_gone(asking, request))
        except Exception as error:
            mark(error, task["trace_id"])
            raise
        return output

    async def stream_response(self, *, as_text: bool = False, **task: Any) -> Response:
        """Send a TASK and return a response that streams it.

        A client that disconnects cancels the task. A task that is refused within 0.2 s gets its
        own status instead of a stream. An EventSource that connects again after its last event
        gets status 204, and no task is sent.

        Args:
            as_text: True for the bare texts, False for server-sent events.
            task: Arguments of `Dendrite.dispatch`.

        Raises:
            CosmonapseError: The TASK could not be sent.
        """
        if sse.is_over(_last_event_id.get()):
            return Response(status_code=204)
        task = with_headers(with_trace(task), *_trace_headers.get())
        try:
            reader = SignalReader(await self.dendrite.dispatch(**task))
        except Exception as error:
            mark(error, task["trace_id"])
            raise
        refusal = await reader.refusal(_OPENING_S)
        if refusal is None:
            return SignalsResponse(reader, as_text)
        await reader.close()
        return respond(refusal)


async def dendrite(request: Request) -> Dendrite:
    """Return the Dendrite of the app: `Annotated[Dendrite, Depends(dendrite)]`."""
    running: Dendrite = request.app.state.cosmonapse
    return running


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
        return _response(answer_and_log(outcome))
    return _response(answer_of(outcome))


class SignalsResponse(StreamingResponse):
    """Streams the Signals of a reader; closes it at the end, or when the client disconnects."""

    def __init__(self, reader: SignalReader, as_text: bool) -> None:
        self._reader = reader
        pieces = _texts(reader) if as_text else _events(reader)
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


class _RememberHeaders:
    """Middleware that keeps headers for `ask` and `stream_response`, which may get no request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            _last_event_id.set(headers.get("last-event-id"))
            states = headers.getlist("tracestate")  # a list may come in several headers
            _trace_headers.set((headers.get("traceparent"), ",".join(states) or None))
        await self._app(scope, receive, send)


async def _events(reader: SignalReader) -> AsyncIterator[bytes]:
    try:
        while True:
            if not await reader.wait(_KEEP_ALIVE_S):
                yield sse.KEEP_ALIVE
            elif (signal := await reader.next()) is not None:
                yield sse.event_of(signal)
            else:
                return
    except DendriteProtocolError:
        yield sse.CUT_OFF


async def _texts(reader: SignalReader) -> AsyncIterator[bytes]:
    piece_of = TextPieces()
    while (signal := await reader.next()) is not None:
        if piece := piece_of(signal):
            yield piece
    if reader.reply is not None:
        _ = reader.reply.output  # bare texts cannot report a failure: the connection is aborted


async def _unless_gone(
    asking: asyncio.Future[dict[str, Any]], request: Request | None
) -> dict[str, Any]:
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


def _response(answer: HttpAnswer) -> Response:
    return Response(answer.content, answer.status, dict(answer.headers), JSON_TYPE)


async def _on_outcome(request: Request, error: Exception) -> Response:
    if not is_outcome(error):
        raise error
    return respond(error)


async def _on_failure(request: Request, error: Exception) -> Response:
    """Answer an unexpected error; the server logs it by itself."""
    if is_outcome(error):
        return _response(answer_of(error))
    return PlainTextResponse("Internal Server Error", 500)
