"""The OpenAI-compatible face of a gateway: Neurons as models. Needs the extra [serve].

What is supported, and what is left out, stands in docs/gateways.md.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from ..cards import Card
from ..edge.faults import answer_and_log
from ..edge.outcomes import JSON_TYPE, HttpAnswer, answer_of, json_object, mark
from ..edge.reader import SignalReader
from ..edge.trace_headers import with_headers
from ..errors import CosmonapseError, RemoteError
from ..ids import new_trace_id
from ..runtime import clock
from ..signals import QUESTIONS, Signal, SignalType
from .gateway import Gateway
from .openai.chat_request import ChatRequest, chat_request, timeout_of
from .openai.chat_stream import send_stream
from .openai.chunks import ChatChunks
from .openai.completions import completion, said_by
from .openai.error_bodies import ChatRefusal, error_answer, in_openai_form, not_found
from .openai.input_forms import InputForm, form_of_all
from .openai.model_list import ModelName, is_known, model_entry, model_list

_OPENING_S = 0.2
_ROSTER_S = 2.0
_ABSENT = frozenset({"NO_SUCH_NEURON", "NO_CAPABLE_NEURON"})
_CHAT = "/v1/chat/completions"
_MODELS = "/v1/models"
_METHOD_OF = {_CHAT: "POST", _MODELS: "GET"}
_EVERY_METHOD = ("GET", "POST", "PUT", "PATCH", "DELETE")
_NOT_A_MESSAGE = (SignalType.ERROR, *(QUESTIONS - {SignalType.CLARIFICATION}))


class OpenAiFace:
    """Serves /v1/models and /v1/chat/completions.

    Args:
        gateway: What the faces share.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._chats = _Chats(gateway)

    def routes(self) -> Sequence[BaseRoute]:
        """See `Face`."""
        return [
            Route(_CHAT, self._chats, methods=["POST"]),
            Route(_MODELS, self._list_models, methods=["GET"]),
            Route(_MODELS + "/{model:path}", self._show_model, methods=["GET"]),
            Route("/v1/{rest:path}", _refuse_path, methods=_EVERY_METHOD),
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


class _Chats:
    """An ASGI app that answers POST /v1/chat/completions.

    Args:
        gateway: What the faces share.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._cards: Mapping[str, Card] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that disconnects cancels its task."""
        body = await Request(scope, receive).body()
        await _unless_gone(self._serve(body, Headers(scope=scope), send), receive)

    async def _serve(self, body: bytes, headers: Headers, send: Send) -> None:
        trace_id = new_trace_id()
        told = [(b"x-request-id", trace_id.encode())]
        try:
            answer = await self._answer(body, headers, trace_id, send, told)
        except ChatRefusal as refused:
            answer = refused.answer
        except Exception as error:  # the last door: clients of OpenAI read no other form
            mark(error, trace_id)
            answer = in_openai_form(answer_and_log(error))
        if answer is not None:
            await _send_answer(answer, send, told)

    async def _answer(
        self,
        body: bytes,
        headers: Headers,
        trace_id: str,
        send: Send,
        told: Iterable[tuple[bytes, bytes]],
    ) -> HttpAnswer | None:
        """Return the answer; None where it was streamed."""
        asked = chat_request(json_object(body, headers.get("content-type")))
        if asked.model is None:
            return not_found(asked.name)
        form = await self._form_of(asked.model)
        task = {
            **asked.model.destination,
            "input": form.input_of(asked.messages, asked.options),
            "timeout_s": timeout_of(headers.get("x-timeout-s"), self._gateway.settings.timeout_s),
            "trace_id": trace_id,
        }
        task = with_headers(task, headers.get("traceparent"), headers.get("tracestate"))
        if asked.stream:
            return await self._stream(asked, task, send, told)
        settled = await self._gateway.dendrite.dispatch_and_wait(**task)
        if settled.type in _NOT_A_MESSAGE:
            return await self._failed(settled, asked.model)
        chat_id, created = _id_and_time(trace_id)
        return HttpAnswer(200, completion(said_by(settled), chat_id, created, asked.name))

    async def _stream(
        self,
        asked: ChatRequest,
        task: dict[str, Any],
        send: Send,
        told: Iterable[tuple[bytes, bytes]],
    ) -> HttpAnswer | None:
        """Stream a task. One that is refused within 0.2 s gets its own status."""
        reader = SignalReader(await self._gateway.dendrite.dispatch(**task))
        async with self._gateway.open(reader):
            refusal = await reader.refusal(_OPENING_S)
            if refusal is not None and refusal.type in _NOT_A_MESSAGE:
                assert asked.model is not None
                return await self._failed(refusal, asked.model)
            chunks = ChatChunks(*_id_and_time(task["trace_id"]), asked.name, asked.include_usage)
            await send_stream(reader, chunks, send, told)
        return None

    async def _form_of(self, model: ModelName) -> InputForm:
        """Return how the Neurons of a model take a chat.

        A roster that cannot be read leaves the cards as they were: the task itself says what is
        wrong.
        """
        with contextlib.suppress(TimeoutError, RemoteError):
            async with asyncio.timeout(_ROSTER_S):
                self._cards = await self._gateway.cards()
        if model.neuron is not None:
            cards = [card] if (card := self._cards.get(model.neuron)) else []
        else:
            cards = [
                card
                for card in self._cards.values()
                if model.is_offered_by(card.neuron_id, card.capabilities)
            ]
        return form_of_all(card.input for card in cards)

    async def _failed(self, settled: Signal, model: ModelName) -> HttpAnswer:
        """Return the answer for an ERROR or a question.

        A Neuron that does not exist is 404. One that the roster has and that takes no tasks at the
        moment is 503.
        """
        if settled.payload.get("code") in _ABSENT:
            with contextlib.suppress(CosmonapseError):
                if not is_known(model, await self._gateway.neurons()):
                    return not_found(model.name)
        return in_openai_form(answer_of(settled))


async def _unless_gone(work: Coroutine[Any, Any, None], receive: Receive) -> None:
    """Run work until its end, or until the client disconnects, which cancels it."""
    working = asyncio.create_task(work, name="answer a chat")
    leaving = asyncio.create_task(_left(receive), name="watch its client")
    try:
        await asyncio.wait([working, leaving], return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        leaving.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait([working])


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse_path(request: Request) -> Response:
    path, method = request.url.path, request.method
    if path in _METHOD_OF:
        wanted = _METHOD_OF[path]
        text = f"{path} takes {wanted}, not {method}"
        told = error_answer(405, text, "method_not_allowed", headers={"Allow": wanted})
    else:
        text = f"this gateway does not serve {method} {path}: of OpenAI's API it has GET {_MODELS} "
        told = error_answer(404, f"{text}and POST {_CHAT}", "unknown_url")
    return _response(told)


def _id_and_time(trace_id: str) -> tuple[str, int]:
    return f"chatcmpl-{trace_id.removeprefix('trc_')}", int(clock.now_ts())


def _response(answer: HttpAnswer) -> Response:
    return Response(answer.content, answer.status, dict(answer.headers), JSON_TYPE)


async def _send_answer(answer: HttpAnswer, send: Send, told: Iterable[tuple[bytes, bytes]]) -> None:
    content = answer.content
    headers = [
        (b"content-type", JSON_TYPE.encode()),
        (b"content-length", str(len(content)).encode()),
        *told,
        *((name.lower().encode(), value.encode()) for name, value in answer.headers.items()),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
