"""The pages of Prism over HTTP: static files, the stream, one envelope. Needs the extra [prism]."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import MissingExtra
from .events import to_json
from .guard import HEADERS, METHODS, Guard
from .record import envelope_of
from .ring import Ring
from .tabs import Tabs

try:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
    from starlette.routing import Mount, Route
    from starlette.staticfiles import StaticFiles
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
except ImportError:
    raise MissingExtra("starlette", "prism") from None

STREAM_TYPE = "text/event-stream"
STATIC = Path(__file__).parent / "static"
_RAW_HEADERS = [(name.encode(), value.encode()) for name, value in HEADERS.items()]


class Guarded:
    """Refuses foreign requests, and adds the headers of Prism to every answer.

    Args:
        app: Answers all other requests.
        guard: Decides which requests are refused.
    """

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

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
        refusal = self._guard.refusal(scope["method"], scope["path"], scope["headers"])
        app = self._app
        if refusal is not None:
            allow = {"Allow": ", ".join(METHODS)} if refusal.status == 405 else {}
            app = PlainTextResponse(refusal.text + "\n", refusal.status, allow)
        await app(scope, receive, send_safely)


def _json(value: Any, status: int = 200) -> Response:
    return Response(to_json(value), status, media_type="application/json")


def make_app(guard: Guard, ring: Ring, tabs: Tabs, is_well: Callable[[], bool]) -> ASGIApp:
    """Return the app.

    Args:
        guard: Decides which requests are refused.
        ring: The Signals that are kept.
        tabs: The open tabs.
        is_well: Returns whether the data shown is up to date.
    """

    async def index(request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def stream(request: Request) -> Response:
        since = request.query_params.get("since") or request.headers.get("last-event-id") or ""
        if since and not (since.isascii() and since.isdecimal() and len(since) <= 20):
            return PlainTextResponse(
                "since must be the number of a Signal, such as since=17\n", 400
            )
        if request.method == "HEAD":
            return Response(media_type=STREAM_TYPE)
        if tabs.is_full:
            return PlainTextResponse("too many tabs show this Prism: close one\n", 503)
        events = tabs.stream(int(since) if since else None)
        return StreamingResponse(events, media_type=STREAM_TYPE)

    async def envelope(request: Request) -> Response:
        number = request.path_params["number"]
        kept = ring.get(number)
        if kept is None:
            hint = "no longer kept" if number <= ring.last else "not there yet"
            return _json({"error": f"Signal {number} is {hint}", "kept": len(ring)}, 404)
        return _json(envelope_of(number, kept.decoded()))

    async def health(request: Request) -> Response:
        return _json({"ok": is_well()})

    routes = [
        Route("/", index),
        Route("/api/stream", stream),
        Route("/api/signals/{number:int}", envelope),
        Route("/api/health", health),
        Mount("/static", StaticFiles(directory=STATIC, check_dir=False)),
    ]
    return Guarded(Starlette(routes=routes), guard)
