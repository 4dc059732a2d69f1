"""One Starlette app from the faces of a gateway. Needs the extra [serve]."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

from ..edge.outcomes import JSON_TYPE
from ..runtime.extras import check_versions, missing_extra
from ..telemetry.liveness import Judgement
from .admission import Refusal
from .gateway import Face, Gateway
from .refusals import body_of

try:
    check_versions("serve", "starlette", "uvicorn")
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import BaseRoute, Match, Route
    from starlette.types import ASGIApp, Receive, Scope, Send
except ImportError as error:
    raise missing_extra("starlette", "serve", error) from None


_CONNECTED = "connected to the fabric"
_AWAY = "not connected to the fabric: the log of this gateway says why"
_AGAIN = {"Retry-After": "1"}
_FAILED = Refusal(
    500,
    "INTERNAL_ERROR",
    "this service failed; its log has the reason",
    {"x-should-retry": "false"},  # clients of OpenAI repeat each 500 by themselves
)


def make_app(gateway: Gateway, faces: Sequence[Face], ready: Callable[[], Judgement]) -> Starlette:
    """Return an app with the routes of all faces, and /healthz and /readyz.

    Args:
        gateway: What the faces share.
        faces: They run as long as the app does.
        ready: Returns whether the fabric is there, and why not.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            for face in faces:
                await stack.enter_async_context(face.running())
            yield

    async def healthz(request: Request) -> Response:
        return JSONResponse({"ok": True, "connected": ready().ok})

    async def readyz(request: Request) -> Response:
        # Anybody may ask, so it does not say where the fabric is: the log does.
        is_ready = ready().ok
        body = {"ok": is_ready, "reason": _CONNECTED if is_ready else _AWAY}
        return JSONResponse(body, 200 if is_ready else 503, None if is_ready else _AGAIN)

    async def on_no_route(request: Request, error: Exception) -> Response:
        """Answer what no face has: a path, or a method."""
        if not isinstance(error, HTTPException):
            raise error
        path, method = request.url.path[:200], request.method[:20]
        text, headers = f"{error.detail}: {method} {path}", dict(error.headers or {})
        if error.status_code == 404:
            text = f"{text}; this gateway serves {', '.join(beginnings)}"
        elif error.status_code == 405:
            headers["Allow"] = ", ".join(_methods_at(routes, request.scope)) or headers["Allow"]
            text = f"{path} takes {headers['Allow']}, not {method}"
        code = error.detail.upper().replace(" ", "_")
        return _response(request, Refusal(error.status_code, code, text, headers))

    async def on_failure(request: Request, error: Exception) -> Response:
        """Answer an unexpected error; the server logs it by itself."""
        return _response(request, _FAILED)

    routes: list[BaseRoute] = [Route("/healthz", healthz), Route("/readyz", readyz)]
    routes += [route for face in faces for route in face.routes()]
    beginnings = sorted({_beginning_of(route) for route in routes} - {""})
    app = Starlette(
        routes=routes,
        exception_handlers={HTTPException: on_no_route, Exception: on_failure},
        middleware=[Middleware(_WithoutLastSlash)],
        lifespan=lifespan,
    )
    # A redirect names scheme and host as they are here, which no client behind a proxy reaches.
    app.router.redirect_slashes = False
    return app


class _WithoutLastSlash:
    """Middleware: a path with a slash at its end is the one without."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path.endswith("/"):
            scope = {**scope, "path": path.rstrip("/") or "/"}
        await self._app(scope, receive, send)


def _response(request: Request, refusal: Refusal) -> Response:
    body = body_of(request.url.path, refusal)
    return Response(body, refusal.status, dict(refusal.headers), JSON_TYPE)


def _methods_at(routes: Sequence[BaseRoute], scope: Scope) -> list[str]:
    """Return the methods that all routes of a path take together."""
    found: set[str] = set()
    for route in routes:
        if isinstance(route, Route) and route.include_in_schema:
            is_here = route.matches(scope)[0] is not Match.NONE
            found |= (route.methods or set()) if is_here else set()
    return sorted(found)


def _beginning_of(route: BaseRoute) -> str:
    """Return the first part of its path, such as `/neurons`; empty for one that is not told."""
    if not getattr(route, "include_in_schema", True):
        return ""
    first = "/" + getattr(route, "path", "").strip("/").partition("/")[0]
    return "" if first == "/" or "{" in first else first
