"""One Starlette app from the faces of a gateway. Needs the extra [serve]."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

from ..edge.outcomes import JSON_TYPE
from ..errors import MissingExtra
from ..telemetry.liveness import Judgement
from .admission import Refusal
from .gateway import Face, Gateway
from .refusals import body_of

try:
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import BaseRoute, Route
except ImportError:
    raise MissingExtra("starlette", "serve") from None


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
        judgement = ready()
        body = {"ok": judgement.ok, "reason": judgement.why}
        return JSONResponse(
            body, 200 if judgement.ok else 503, None if judgement.ok else {"Retry-After": "1"}
        )

    async def on_no_route(request: Request, error: Exception) -> Response:
        """Answer what no face has: a path, or a method."""
        if not isinstance(error, HTTPException):
            raise error
        text = f"{error.detail}: {request.method[:20]} {request.url.path[:200]}"
        if error.status_code == 404:
            text = f"{text}; this gateway serves {', '.join(beginnings)}"
        code = error.detail.upper().replace(" ", "_")
        refusal = Refusal(error.status_code, code, text, error.headers or {})
        body = body_of(request.url.path, refusal)
        return Response(body, error.status_code, refusal.headers, JSON_TYPE)

    routes: list[BaseRoute] = [Route("/healthz", healthz), Route("/readyz", readyz)]
    routes += [route for face in faces for route in face.routes()]
    beginnings = sorted({_beginning_of(route) for route in routes} - {""})
    return Starlette(
        routes=routes,
        exception_handlers={HTTPException: on_no_route},
        lifespan=lifespan,
    )


def _beginning_of(route: BaseRoute) -> str:
    """Return the first part of its path, such as `/neurons`; empty for one that has a pattern."""
    first = "/" + getattr(route, "path", "").strip("/").partition("/")[0]
    return "" if first == "/" or "{" in first else first
