"""POST /v1/chat/completions: a request becomes a task, and its outcome an answer or a stream."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

import attrs
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from ...edge.faults import answer_and_log
from ...edge.outcomes import JSON_TYPE, HttpAnswer, answer_of, json_object, mark
from ...edge.reader import SignalReader
from ...edge.trace_headers import with_headers
from ...errors import CosmonapseError
from ...ids import new_trace_id
from ...runtime import clock
from ...signals import QUESTIONS, Signal, SignalType
from ..gateway import Gateway
from .chat_request import ChatRequest, chat_request, timeout_of
from .chat_stream import send_stream
from .chunks import ChatChunks
from .completions import completion, said_by
from .error_bodies import ChatRefusal, in_openai_form, not_found
from .input_forms import form_of_all
from .known_cards import KnownCards
from .model_list import ModelName, is_known

_OPENING_S = 0.2
_ABSENT = frozenset({"NO_SUCH_NEURON", "NO_CAPABLE_NEURON"})
_NO_MESSAGE = (SignalType.ERROR, *(QUESTIONS - {SignalType.CLARIFICATION}))


@attrs.frozen
class _Chat:
    """A request and the task that it becomes."""

    asked: ChatRequest
    task: dict[str, Any]


@attrs.frozen
class _ChatStream:
    """An answer that comes in pieces."""

    reader: SignalReader
    chunks: ChatChunks


class ChatEndpoint:
    """An ASGI app for one path.

    Args:
        gateway: What the faces share.
        cards: Of the Neurons behind models.
    """

    def __init__(self, gateway: Gateway, cards: KnownCards) -> None:
        self._gateway = gateway
        self._cards = cards

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that disconnects cancels its task."""
        with contextlib.suppress(ClientDisconnect):
            body = await Request(scope, receive).body()
            await _unless_gone(self._serve(body, Headers(scope=scope), send), receive)

    async def _serve(self, body: bytes, headers: Headers, send: Send) -> None:
        trace_id = new_trace_id()
        told = [(b"x-request-id", trace_id.encode())]
        async with contextlib.AsyncExitStack() as opened:
            answer = await self._answer(body, headers, trace_id, opened)
            if isinstance(answer, _ChatStream):
                await send_stream(answer.reader, answer.chunks, send, told)
            else:
                await _send(answer, send, told)

    async def _answer(
        self, body: bytes, headers: Headers, trace_id: str, opened: contextlib.AsyncExitStack
    ) -> HttpAnswer | _ChatStream:
        """Return the answer; whatever goes wrong is one too, clients read no other form."""
        try:
            chat = await self._chat(body, headers, trace_id)
            if chat.asked.stream:
                return await self._streamed(chat, opened)
            return await self._whole(chat)
        except ChatRefusal as refused:
            return refused.answer
        except Exception as error:  # noqa: BLE001  # the last door; it logs what is no outcome
            mark(error, trace_id)
            return in_openai_form(answer_and_log(error))

    async def _chat(self, body: bytes, headers: Headers, trace_id: str) -> _Chat:
        asked = chat_request(json_object(body, headers.get("content-type")))
        form = form_of_all([card.input for card in await self._cards.of(asked.model)])
        task = {
            **asked.model.destination,
            "input": form.input_of(asked.messages, asked.options),
            "timeout_s": timeout_of(headers.get("x-timeout-s"), self._gateway.settings.timeout_s),
            "trace_id": trace_id,
        }
        task = with_headers(task, headers.get("traceparent"), headers.get("tracestate"))
        return _Chat(asked, task)

    async def _whole(self, chat: _Chat) -> HttpAnswer:
        settled = await self._gateway.dendrite.dispatch_and_wait(**chat.task)
        if settled.type in _NO_MESSAGE:
            return await self._failed(settled, chat.asked.model)
        said = said_by(settled)
        return HttpAnswer(200, completion(said, *_id_and_time(settled.trace_id), chat.asked.name))

    async def _streamed(
        self, chat: _Chat, opened: contextlib.AsyncExitStack
    ) -> HttpAnswer | _ChatStream:
        """Open a stream. A task that is refused within 0.2 s gets its own status."""
        reader = SignalReader(await self._gateway.dendrite.dispatch(**chat.task))
        await opened.enter_async_context(self._gateway.open(reader))
        refusal = await reader.refusal(_OPENING_S)
        if refusal is not None and refusal.type in _NO_MESSAGE:
            return await self._failed(refusal, chat.asked.model)
        id_and_time = _id_and_time(reader.pathway.trace_id)
        return _ChatStream(
            reader, ChatChunks(*id_and_time, chat.asked.name, chat.asked.include_usage)
        )

    async def _failed(self, settled: Signal, model: ModelName) -> HttpAnswer:
        """Return the answer for an ERROR, or for a question that no chat can answer.

        A Neuron that does not exist is 404. One that is in the roster, and takes no tasks at the
        moment, is 503.
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


def _id_and_time(trace_id: str) -> tuple[str, int]:
    return f"chatcmpl-{trace_id.removeprefix('trc_')}", int(clock.now_ts())


async def _send(answer: HttpAnswer, send: Send, told: list[tuple[bytes, bytes]]) -> None:
    content = answer.content
    headers = [
        (b"content-type", JSON_TYPE.encode()),
        (b"content-length", str(len(content)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in answer.headers.items()),
        *told,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
