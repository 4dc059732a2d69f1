"""A2A: one agent for each Neuron, with JSON-RPC and REST. Needs the extra [a2a].

Page: docs/gateways.md, "A2A". One handler serves all agents: the path of a call names the Neuron,
so nothing is kept for a Neuron that is gone but the tasks that its clients may ask for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ..cards import Card
from ..edge.starlette_answers import respond
from ..errors import CosmonapseError
from ..runtime.extras import check_versions, missing_extra
from .a2a_body import Flaw, flaw_of
from .a2a_cards import ROOT, WELL_KNOWN, agent_card, agent_list
from .a2a_tasks import BoundedTasks
from .gateway import Gateway

try:
    check_versions("a2a", "a2a-sdk", "starlette", "uvicorn")
    from a2a.server.agent_execution import RequestContext, SimpleRequestContextBuilder
    from a2a.server.context import ServerCallContext
    from a2a.server.jsonrpc_models import JSONParseError
    from a2a.server.request_handlers.response_helpers import build_error_response
    from a2a.server.routes import create_jsonrpc_routes, create_rest_routes
    from a2a.server.routes.common import DefaultServerCallContextBuilder
    from a2a.types import AgentCard, SendMessageRequest, Task
    from a2a.utils.error_handlers import build_rest_error_payload
    from a2a.utils.errors import InvalidRequestError
    from google.protobuf.json_format import ParseDict
except ImportError as error:
    raise missing_extra("a2a-sdk", "a2a", error) from None

from .a2a_executor import NeuronExecutor, TraceIds
from .a2a_store import NEURON, NeuronTaskStore
from .a2a_streams import StreamingHandler

_AGENT = ROOT + "/{" + NEURON + "}"
_FRESH_S = 1.0
_PARKED_S = 60.0
"""How long the handler keeps what it has in memory of a task that waits for an answer."""
# It warns of each task that is cancelled; three of its loggers write a traceback for each request
# that its client has spelled wrongly, or whose stream it reads too slowly.
_LEVELS = {
    "a2a": logging.ERROR,
    "a2a.server.routes.jsonrpc_dispatcher": logging.CRITICAL,
    "a2a.server.routes.rest_dispatcher": logging.CRITICAL,
    "a2a.utils.error_handlers": logging.CRITICAL,
}


class A2aFace:
    """The Neurons of a gateway as agents.

    Args:
        gateway: What it serves.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._agent = gateway.settings.a2a_agent
        store = NeuronTaskStore(BoundedTasks(counts=gateway.counts))
        self._handler = StreamingHandler(
            NeuronExecutor(gateway, store),
            store,
            # Only its capabilities are read: each agent serves its own card.
            ParseDict(_card_of(gateway, Card(neuron_id="any")), AgentCard()),
            request_context_builder=_InItsConversation(store),
            interrupted_task_timeout=_PARKED_S,
            counts=gateway.counts,
        )
        self._bare: Mapping[str, Card] = {}
        self._asked_at_s = float("-inf")

    def routes(self) -> Sequence[BaseRoute]:
        """Return the routes: the list, the cards, JSON-RPC and REST."""
        builder = _OfPath()
        rest = create_rest_routes(self._handler, context_builder=builder, path_prefix=_AGENT)
        at_root = [] if self._agent is None else [_route(WELL_KNOWN, self._card)]
        return [
            *at_root,
            _route(ROOT, self._list),
            _route(_AGENT + WELL_KNOWN, self._card),
            *(
                self._checked(each, _in_json_rpc)
                for each in create_jsonrpc_routes(self._handler, _AGENT, context_builder=builder)
            ),
            # Beside its routes it mounts them for tenants, at a path that takes all others.
            *(self._checked(each, _in_rest) for each in rest if isinstance(each, Route)),
        ]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run while the app runs; what still runs at the end is ended."""
        for name, level in _LEVELS.items():
            logging.getLogger(name).setLevel(level)
        try:
            yield
        finally:
            await self._handler.aclose()

    def _checked(self, route: Route, answer: Callable[[Flaw], Response]) -> Route:
        """Return a route of the SDK that refuses bodies which the SDK could not."""
        if "POST" not in (route.methods or ()):
            return route
        needs_body = answer is _in_json_rpc

        async def endpoint(request: Request) -> Response:
            raw = await request.body()  # the request keeps it for the SDK
            flaw = flaw_of(raw) if raw or needs_body else None
            if flaw is None:
                response: Response = await route.endpoint(request)
                return response
            self._gateway.counts["refused.bad_body"] += 1
            return answer(flaw)

        return Route(route.path, endpoint, methods=["POST"])

    async def _list(self, request: Request) -> Response:
        return JSONResponse(agent_list(await self._cards(), self._gateway.settings.base_url))

    async def _card(self, request: Request) -> Response:
        neuron_id = str(request.path_params.get(NEURON, self._agent))
        card = (await self._cards()).get(neuron_id)
        if card is None:
            told = {"error": f"no live Neuron is {neuron_id!r:.200}", "code": "NO_SUCH_NEURON"}
            return JSONResponse({**told, "retry": True}, 404)
        return JSONResponse(_card_of(self._gateway, card))

    async def _cards(self) -> dict[str, Card]:
        """Return the cards of all live Neurons; one that has no card has an empty one."""
        described = await self._gateway.cards()
        now_s = asyncio.get_running_loop().time()
        if now_s - self._asked_at_s > _FRESH_S:
            records = await self._gateway.neurons()
            self._bare = {
                each.neuron_id: Card(neuron_id=each.neuron_id, capabilities=each.capabilities)
                for each in records
            }
            self._asked_at_s = now_s
        return {**self._bare, **described}


def _card_of(gateway: Gateway, card: Card) -> dict[str, Any]:
    settings = gateway.settings
    return agent_card(card, settings.base_url, needs_token=bool(settings.token))


def _in_json_rpc(flaw: Flaw) -> Response:
    kind = InvalidRequestError if flaw.is_json else JSONParseError
    return JSONResponse(build_error_response(flaw.request_id, kind(message=flaw.text)))


def _in_rest(flaw: Flaw) -> Response:
    payload = build_rest_error_payload(InvalidRequestError(message=flaw.text))
    return JSONResponse(payload, payload["error"]["code"])


class _InItsConversation(SimpleRequestContextBuilder):
    """Names the conversation of a message that names its task alone: that of the task.

    Without this the SDK gives it a new one, and fails at the second such message.
    """

    def __init__(self, store: NeuronTaskStore) -> None:
        super().__init__(context_id_generator=TraceIds())
        self._store = store

    async def build(
        self,
        context: ServerCallContext,
        params: SendMessageRequest | None = None,
        task_id: str | None = None,
        context_id: str | None = None,
        task: Task | None = None,
    ) -> RequestContext:
        """Return the context of a message."""
        if params is not None and task_id and not context_id:
            known = await self._store.get(task_id, context)
            if known is not None:
                context_id = params.message.context_id = known.context_id
        return await super().build(context, params, task_id, context_id, task)


class _OfPath(DefaultServerCallContextBuilder):
    """Names the Neuron of the path in the state of a call, and keeps no token there."""

    def build(self, request: Request) -> ServerCallContext:
        """Return what is known of a call."""
        context = super().build(request)
        context.state[NEURON] = request.path_params[NEURON]
        context.state["headers"].pop("authorization", None)
        return context


def _route(path: str, answer: Callable[[Request], Awaitable[Response]]) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            return await answer(request)
        except CosmonapseError as error:
            return respond(error)

    return Route(path, endpoint, methods=["GET"])
