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
from collections.abc import AsyncIterator, Iterable
from contextvars import ContextVar
from typing import Any

from ..axon import Axon
from ..dendrite import Dendrite
from ..errors import CosmonapseError, DendriteProtocolError
from ..runtime.extras import missing_extra
from ..synapse import synapse_from_url
from ..synapse.connect import KeyLike
from ..trace_export import export_the_rest, trace_as_asked
from . import sse
from .outcomes import answer_of, is_outcome, jsonable, mark
from .per_process import with_trace
from .reader import SignalReader
from .trace_headers import with_headers

try:
    from starlette.applications import Starlette
    from starlette.datastructures import Headers
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse, Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from .starlette_answers import SignalsResponse, respond, response_of, unless_gone
    from .starlette_answers import json_body as json_body
except ImportError as error:
    raise missing_extra("fastapi", "fastapi", error) from None

_last_event_id: ContextVar[str | None] = ContextVar("last_event_id", default=None)
_NO_HEADERS: tuple[str | None, str | None] = (None, None)
_trace_headers: ContextVar[tuple[str | None, str | None]] = ContextVar(
    "trace_headers", default=_NO_HEADERS
)
_OPENING_S = 0.2


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
            output: dict[str, Any] = jsonable(await unless_gone(asking, request))
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


async def _on_outcome(request: Request, error: Exception) -> Response:
    if not is_outcome(error):
        raise error
    return respond(error)


async def _on_failure(request: Request, error: Exception) -> Response:
    """Answer an unexpected error; the server logs it by itself."""
    if is_outcome(error):
        return response_of(answer_of(error))
    return PlainTextResponse("Internal Server Error", 500)
