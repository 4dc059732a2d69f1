"""The OpenAI-compatible face of a gateway: Neurons as models. Needs the extra [serve].

What is supported, and what is left out, stands in docs/gateways.md.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ..edge.faults import answer_and_log
from ..edge.outcomes import JSON_TYPE, HttpAnswer
from ..errors import RemoteError
from .gateway import Gateway
from .openai.chat_endpoint import ChatEndpoint
from .openai.error_bodies import error_answer, in_openai_form, not_found
from .openai.known_cards import KnownCards
from .openai.model_list import model_entry, model_list

_CHAT = "/v1/chat/completions"
_MODELS = "/v1/models"
_WITHOUT_V1 = ("/chat/completions", "/completions", "/embeddings", "/models", "/responses")
"""What clients ask for whose base URL lacks its end."""
_METHOD_OF = {_CHAT: "POST", _MODELS: "GET"}
_REST = ("/v1", "/v1/{rest:path}")
_EVERY_METHOD = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class OpenAiFace:
    """Serves /v1/models and /v1/chat/completions.

    Args:
        gateway: What the faces share.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._cards = KnownCards(gateway)

    def routes(self) -> Sequence[BaseRoute]:
        """See `Face`."""
        return [
            Route(_CHAT, ChatEndpoint(self._gateway, self._cards), methods=["POST"]),
            Route(_MODELS, self._list_models, methods=["GET"]),
            Route(_MODELS + "/{model:path}", self._show_model, methods=["GET"]),
            *(_unserved(path, _refuse_path) for path in _REST),
            *(_unserved(path, self._refuse_base) for path in _WITHOUT_V1),
        ]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """See `Face`."""
        yield

    async def _list_models(self, request: Request) -> Response:
        try:
            return _response(HttpAnswer(200, model_list(await self._gateway.neurons())))
        except RemoteError as error:
            return _response(in_openai_form(answer_and_log(error)))

    async def _show_model(self, request: Request) -> Response:
        name = request.path_params["model"]
        try:
            entry = model_entry(name, await self._gateway.neurons())
        except RemoteError as error:
            return _response(in_openai_form(answer_and_log(error)))
        return _response(not_found(name) if entry is None else HttpAnswer(200, entry))

    async def _refuse_base(self, request: Request) -> Response:
        text = (
            f"this gateway does not serve {request.method} {request.url.path}: its API of OpenAI "
            f"is below /v1, so the base URL of a client is {self._gateway.settings.base_url}/v1"
        )
        return _response(error_answer(404, text, "unknown_url"))


async def _refuse_path(request: Request) -> Response:
    path, method = request.url.path, request.method
    if path in _METHOD_OF:
        wanted = _METHOD_OF[path]
        text = f"{path} takes {wanted}, not {method}"
        return _response(error_answer(405, text, "method_not_allowed", headers={"Allow": wanted}))
    text = f"this gateway does not serve {method} {path}: of OpenAI's API it has GET {_MODELS} and "
    return _response(error_answer(404, f"{text}POST {_CHAT}", "unknown_url"))


def _unserved(path: str, refuse: Callable[[Request], Awaitable[Response]]) -> Route:
    """Return a route for what is refused, which no list of paths or methods names."""
    return Route(path, refuse, methods=_EVERY_METHOD, include_in_schema=False)


def _response(answer: HttpAnswer) -> Response:
    return Response(answer.content, answer.status, dict(answer.headers), JSON_TYPE)
