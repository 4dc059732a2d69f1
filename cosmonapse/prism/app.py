"""The pages of Prism over HTTP: static files, the stream, one envelope. Needs the extra [prism]."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from ..errors import AccessRefused, CosmonapseError, InvalidName, NeuronError
from ..http_server.bound_address import LOOPBACK, plain_address
from ..http_server.timed_http import connection_of
from ..runtime.extras import check_versions, missing_extra
from .events import to_json
from .guard import HEADERS, EarlyAnswer, Guard
from .record import envelope_of
from .ring import Ring
from .tabs import Tabs
from .token_check import TokenCheck
from .trace_store import TraceStore

try:
    check_versions("prism", "starlette", "uvicorn")
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
    from starlette.routing import Mount, Route
    from starlette.staticfiles import StaticFiles
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
except ImportError as error:
    raise missing_extra("starlette", "prism", error) from None

STREAM_TYPE = "text/event-stream"
LINES_TYPE = "application/x-ndjson"
STATIC = Path(__file__).parent / "static"
_MOST_DIGITS = 19  # more than any number of a Signal has; int() itself refuses some thousand
CardOf = Callable[[str], Awaitable[dict[str, Any]]]
_RAW_HEADERS = [(name.encode(), value.encode()) for name, value in HEADERS.items()]


class Guarded:
    """Refuses foreign requests, and adds the headers of Prism to every answer.

    Args:
        app: Answers all other requests.
        guard: Decides which requests are refused.
        check: Lets those in who have the token; None: there is no token.
        counts: Gets `refused.token`.
    """

    def __init__(
        self, app: ASGIApp, guard: Guard, check: TokenCheck | None, counts: Counter[str]
    ) -> None:
        self._app = app
        self._guard = guard
        self._check = check
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [each for each in message["headers"] if each[0].decode() not in HEADERS]
                message["headers"] = [*own, *_RAW_HEADERS]
            await send(message)

        if scope["type"] != "http":  # uvicorn offers WebSockets too; Prism has none
            await send({"type": "websocket.close", "code": 1008})
            return
        early = self._early_answer(scope)
        app = self._app
        if early is not None:
            app = PlainTextResponse(
                early.text + "\n", early.status, dict(early.headers), early.media_type
            )
        await app(scope, receive, send_safely)

    def _early_answer(self, scope: Scope) -> EarlyAnswer | None:
        path, headers = scope["path"], scope["headers"]
        local = (scope.get("server") or (LOOPBACK,))[0]
        refusal = self._guard.refusal(scope["method"], path, headers, local)
        if refusal is not None or self._check is None:
            return refusal
        answer = self._check.answer(path, scope["query_string"], headers)
        if answer is not None and answer.status == 401:
            self._counts["refused.token"] += 1
        return answer


def _number(text: str) -> int | None:
    """Return the number of a Signal; None if the text is none."""
    is_one = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if is_one else None


def _json(value: Any, status: int = 200) -> Response:
    return Response(to_json(value), status, media_type="application/json")


def _envelope(ring: Ring, text: str) -> Response:
    """Answer with one Signal, by its number."""
    number = _number(text)
    if number is None:
        return _json({"error": "a Signal has a number of at most 19 digits"}, 404)
    kept = ring.get(number)
    if kept is None:
        hint = "no longer kept" if number <= ring.last else "not there yet"
        return _json({"error": f"Signal {number} is {hint}", "kept": len(ring)}, 404)
    return _json(envelope_of(number, kept.decoded()))


def _trace(traces: TraceStore, trace_id: str, after: str | None) -> Response:
    """Answer with one trace, by its id or the beginning of it."""
    since = 0 if after is None else _number(after)
    if since is None:
        return _json({"error": "after must be a version, such as after=17"}, 400)
    trace = traces.trace(trace_id)
    if trace is None:
        return _json({"error": "this trace is not kept, or several begin so"}, 404)
    return _json(traces.whole(trace, since))


def _recording_of(
    remembered: Callable[[], AsyncIterator[bytes]],
) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers with a recording of what is kept."""

    async def recording(request: Request) -> Response:
        name = {"content-disposition": 'attachment; filename="prism.jsonl"'}
        if request.method == "HEAD":
            return Response(media_type=LINES_TYPE, headers=name)
        return StreamingResponse(remembered(), media_type=LINES_TYPE, headers=name)

    return recording


def _card_by(card_of: CardOf) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers with the card of a Neuron; it is asked for on demand only."""

    async def card(request: Request) -> Response:
        try:
            return _json(await card_of(request.query_params.get("neuron", "")))
        except NeuronError as error:
            return _json({"error": error.message}, 404)
        except InvalidName as error:
            return _json({"error": str(error)}, 400)
        except AccessRefused as error:
            return _json({"error": str(error)}, 403)
        except (CosmonapseError, TimeoutError) as error:
            return _json({"error": str(error) or "the card did not come in time"}, 503)

    return card


def make_app(
    guard: Guard,
    check: TokenCheck | None,
    ring: Ring,
    tabs: Tabs,
    counts: Counter[str],
    traces: TraceStore,
    remembered: Callable[[], AsyncIterator[bytes]],
    card_of: CardOf,
) -> ASGIApp:
    """Return the app.

    Args:
        guard: Decides which requests are refused.
        check: Lets those in who have the token; None: there is no token.
        ring: The Signals that are kept.
        tabs: The open tabs.
        counts: Gets `refused.token`.
        traces: The traces that are kept.
        remembered: Returns the pieces of a recording of what is kept.
        card_of: Fetches the card of a Neuron.
    """

    async def index(request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def stream(request: Request) -> Response:
        given = request.query_params.get("since") or request.headers.get("last-event-id") or ""
        since = _number(given)
        if given and since is None:
            return PlainTextResponse(
                "since must be the number of a Signal, such as since=17\n", 400
            )
        if request.method == "HEAD":
            return Response(media_type=STREAM_TYPE)
        if tabs.is_closed:
            return PlainTextResponse("this Prism is ending\n", 503)
        client = "" if request.client is None else plain_address(request.client.host)
        connection = connection_of(request.scope)
        if connection is None:
            return StreamingResponse(tabs.stream(since, client), media_type=STREAM_TYPE)
        connection.leave_bound()
        events = tabs.stream(since, client, connection.join_bound)
        return StreamingResponse(events, media_type=STREAM_TYPE)

    async def envelope(request: Request) -> Response:
        return _envelope(ring, request.path_params["number"])

    async def trace(request: Request) -> Response:
        after = request.query_params.get("after")
        return _trace(traces, request.path_params["trace_id"], after)

    async def health(request: Request) -> Response:
        return _json({"ok": True})

    routes = [
        Route("/", index),
        Route("/api/stream", stream),
        Route("/api/signals/{number}", envelope),
        Route("/api/traces/{trace_id}", trace),
        Route("/api/card", _card_by(card_of)),
        Route("/api/recording", _recording_of(remembered)),
        Route("/api/health", health),
        Mount("/static", StaticFiles(directory=STATIC, check_dir=False)),
    ]
    return Guarded(Starlette(routes=routes), guard, check, counts)
