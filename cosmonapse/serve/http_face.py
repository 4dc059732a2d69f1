"""Neurons over plain HTTP: JSON in, JSON out, or server-sent events. Page: docs/gateways.md."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ..edge import sse
from ..edge.outcomes import JSON_TYPE, BadRequest, json_object, mark, to_json
from ..edge.reader import SignalReader
from ..edge.starlette_answers import respond, unless_gone
from ..edge.trace_headers import with_headers
from ..errors import BadSignal
from ..ids import new_trace_id
from ..tasks import MAX_TIMEOUT_S, context_ref_in
from .gateway import Gateway
from .neuron_views import entries
from .openapi import document
from .streamed_answers import StreamedTask, StreamedTrace

OPENING_S = 0.2
"""How long a stream waits for a refusal, which has a status of its own, before it begins."""
TRACE_HEADER = "x-request-id"
_TRACE_ID = re.compile(r"trc_[0-7][0-9a-v]{25}").fullmatch

Handler = Callable[[Request], Awaitable[Response]]


class HttpFace:
    """Plain HTTP.

    Args:
        gateway: What the faces share.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def routes(self) -> Sequence[BaseRoute]:
        """See `Face`."""
        return [
            Route("/neurons", _answering(self._neurons)),
            Route("/neurons/{neuron}", _answering(self._neuron), methods=["GET"]),
            Route("/neurons/{neuron}", self._post_neuron, methods=["POST"]),
            Route("/capabilities/{names}", self._post_capabilities, methods=["POST"]),
            Route("/traces/{trace_id}/events", _answering(self._trace)),
            Route("/openapi.json", _answering(self._openapi)),
        ]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """See `Face`."""
        yield

    # -- what there is ---------------------------------------------------------------------------

    async def _entries(self, capability: str | None = None) -> list[dict[str, Any]]:
        records, cards = await asyncio.gather(self._gateway.neurons(), self._gateway.cards())
        return entries(records, cards, capability)

    async def _neurons(self, request: Request) -> Response:
        return _json({"neurons": await self._entries(request.query_params.get("capability"))})

    async def _neuron(self, request: Request) -> Response:
        neuron = request.path_params["neuron"]
        found = next((each for each in await self._entries() if each["id"] == neuron), None)
        if found is None:
            text = f"no live Axon serves {neuron:.200}"
            body = {"error": text, "code": "NO_SUCH_NEURON", "retry": True, "trace_id": None}
            return _json(body, 404)
        return _json(found)

    async def _openapi(self, request: Request) -> Response:
        settings = self._gateway.settings
        title = f"Neurons of {self._gateway.dendrite.namespace}"
        return _json(
            document(
                await self._gateway.cards(),
                title,
                settings.version,
                settings.base_url,
                has_token=bool(settings.token),
            )
        )

    # -- tasks -----------------------------------------------------------------------------------

    async def _post_neuron(self, request: Request) -> Response:
        return await self._run(request, neuron=request.path_params["neuron"])

    async def _post_capabilities(self, request: Request) -> Response:
        return await self._run(request, capabilities=request.path_params["names"].split("+"))

    async def _run(self, request: Request, **address: Any) -> Response:
        """Send a TASK and answer with its outcome, in the form that the client accepts."""
        given = request.query_params.get("trace_id")
        trace_id = new_trace_id()
        try:
            trace_id = trace_id if not given else _checked(given)
            task = {**address, **await self._task_of(request), "trace_id": trace_id}
            response = await self._answer(request, task)
        except Exception as error:  # noqa: BLE001  # the table of outcomes has a row for the rest
            mark(error, trace_id)
            response = respond(error)
        response.headers[TRACE_HEADER] = trace_id
        return response

    async def _task_of(self, request: Request) -> dict[str, Any]:
        """Return the arguments of the TASK that a request asks for.

        Raises:
            BadRequest: It is not a JSON object, or the time or the `context_ref` is none.
        """
        headers = request.headers
        given = request.query_params.get("timeout_s")
        ref = request.query_params.get("context_ref")
        return with_headers(
            {
                "input": json_object(await request.body(), headers.get("content-type")),
                "timeout_s": self._gateway.settings.timeout_s if given is None else _time(given),
                "context_ref": None if ref is None else _context_ref(ref),
            },
            headers.get("traceparent"),
            ",".join(headers.getlist("tracestate")) or None,
        )

    async def _answer(self, request: Request, task: dict[str, Any]) -> Response:
        accepted = request.headers.get("accept", "")
        as_events = sse.CONTENT_TYPE in accepted
        if not as_events and "text/plain" not in accepted:
            dispatching = self._gateway.dendrite.dispatch_and_wait(**task)
            return respond(await unless_gone(asyncio.ensure_future(dispatching), request))
        if sse.is_over(request.headers.get("last-event-id")):
            return Response(status_code=204)
        reader = SignalReader(await self._gateway.dendrite.dispatch(**task))
        try:
            refusal = await reader.refusal(OPENING_S)
        except BaseException:
            await reader.close()
            raise
        if refusal is None:
            return StreamedTask(self._gateway, reader, as_text=not as_events)
        await reader.close()
        return respond(refusal)

    async def _trace(self, request: Request) -> Response:
        """Stream the Signals of a whole trace, from now on."""
        if sse.is_over(request.headers.get("last-event-id")):
            return Response(status_code=204)
        pathway = await self._gateway.dendrite.observe_pathway(request.path_params["trace_id"])
        return StreamedTrace(self._gateway, SignalReader(pathway))


def _answering(handler: Handler) -> Handler:
    """Return a handler whose errors are answers."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except Exception as error:  # noqa: BLE001  # the table of outcomes has a row for the rest
            return respond(error)

    return answer


def _checked(trace_id: str) -> str:
    """Return a trace id of a client, which is told again in a header: no other text may be.

    Raises:
        BadSignal: It is none.
    """
    if _TRACE_ID(trace_id) is None:
        raise BadSignal(
            f"trace_id must be 'trc_' and 26 characters of 0-9 a-v, as the header {TRACE_HEADER} "
            f"of an answer has it, not {trace_id!r:.80}"
        )
    return trace_id


def _json(body: Any, status: int = 200) -> Response:
    return Response(to_json(body), status, media_type=JSON_TYPE)


def _context_ref(text: str) -> Any:
    """Return what a query says the `context_ref` of its task is.

    Raises:
        BadRequest: It is none.
    """
    try:
        return context_ref_in(text)
    except ValueError as error:
        raise BadRequest(str(error)) from None


def _time(text: str) -> float:
    """Return a time in seconds.

    Raises:
        BadRequest: It is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= MAX_TIMEOUT_S:
        raise BadRequest(
            f"timeout_s must be a number of seconds over 0 and at most {MAX_TIMEOUT_S:,.0f}, "
            f"not {text:.50}"
        )
    return value
