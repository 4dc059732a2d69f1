"""The gate of a gateway: what each request passes before a face sees it, and how requests end.

At the end of the gateway what has begun to answer ends at once, and what has not may still take
some seconds.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress

import attrs
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..http_server.timed_http import connection_of
from .admission import OPEN_PATHS, Admission, Admitted, Refusal, cors_headers
from .refusals import body_of
from .request_body import read_body

_STREAM_END_S = 0.5
"""How long an answer that has begun may take to end by itself."""
_LAST_S = 0.1
"""How long the last message of such an answer may wait for its client to read."""
_ENDING = Refusal(
    503,
    "ENDING",
    "this gateway is ending; try again",
    {"retry-after": "1", "connection": "close"},
    "refused.not_ready",
    may_retry=True,
)
_CUT = Refusal(
    503,
    "CANCELLED",
    "this gateway has ended before the answer: the task is cancelled, and may have run in part",
    # Clients of OpenAI repeat each 503 by themselves.
    {"connection": "close", "x-should-retry": "false"},
)
_WAITING = Refusal(
    503,
    "SYNAPSE_UNREACHABLE",
    "the service behind this one cannot be reached at the moment; try again later",
    {"retry-after": "1"},
    "refused.not_ready",
    may_retry=True,
)


class _OpenRequest:
    """A request under way: its task, and whether its answer has begun.

    Args:
        send: Sends the messages of its answer.
        origin: The origin that may read the answer; empty for none.
    """

    __slots__ = ("_origin", "_send", "has_begun", "task")

    def __init__(self, send: Send, origin: str) -> None:
        self.task = asyncio.current_task()
        self.has_begun = False
        self._send = send
        self._origin = origin

    async def send(self, message: Message) -> None:
        """Send a message of its answer, the first one with the headers for its origin."""
        if message["type"] == "http.response.start":
            self.has_begun = True
            if self._origin:
                added = cors_headers(self._origin).items()
                pairs = [(name.encode(), value.encode()) for name, value in added]
                message["headers"] = [*message["headers"], *pairs]
        await self._send(message)


class Gate:
    """An ASGI app in front of the faces.

    Args:
        app: The faces.
        admission: Decides which requests go on.
        max_body_bytes: The most bytes of a request.
        is_ready: Returns whether the fabric was reached; until then requests are put off.
        counts: Where refused requests are counted; one of its own by default.

    Attributes:
        counts: The refused requests, by reason.
        is_ending: True once new requests are refused.
    """

    def __init__(
        self,
        app: ASGIApp,
        admission: Admission,
        max_body_bytes: int,
        is_ready: Callable[[], bool] = lambda: True,
        counts: Counter[str] | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter() if counts is None else counts
        self.is_ending = False
        self._app = app
        self._admission = admission
        self._max_body_bytes = max_body_bytes
        self._is_ready = is_ready
        self._open: set[_OpenRequest] = set()
        self._quiet = asyncio.Event()

    @property
    def open_count(self) -> int:
        """The number of requests under way."""
        return len(self._open)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        checked = self._admission.check(scope["method"], scope["path"], scope["headers"])
        if isinstance(checked, Admitted):
            checked = self._not_now(scope, checked.origin) or checked
        if isinstance(checked, Refusal):
            await self._refuse(scope, send, checked)
            return
        connection = connection_of(scope)
        if connection is not None and not checked.is_open:
            connection.leave_bound()
        request = _OpenRequest(send, checked.origin)
        self._open.add(request)
        try:
            most = 0 if checked.is_open else self._max_body_bytes
            await self._admitted(scope, receive, request.send, most)
        except asyncio.CancelledError:
            if not self.is_ending:
                raise
            await self._cut(scope, request)
        finally:
            self._open.discard(request)
            if not self._open:
                self._quiet.set()

    async def _admitted(self, scope: Scope, receive: Receive, send: Send, most: int) -> None:
        body = await read_body(scope["headers"], receive, most)
        if isinstance(body, Refusal):
            await self._refuse(scope, send, body)
        elif body is not None:
            await self._app(scope, body, send)

    def _not_now(self, scope: Scope, origin: str) -> Refusal | None:
        if scope["path"] in OPEN_PATHS or (self._is_ready() and not self.is_ending):
            return None
        refusal = _ENDING if self.is_ending else _WAITING
        return attrs.evolve(refusal, headers={**refusal.headers, **cors_headers(origin)})

    async def _refuse(self, scope: Scope, send: Send, refusal: Refusal) -> None:
        if refusal.counter:
            self.counts[refusal.counter] += 1
        body = body_of(scope["path"], refusal)
        headers = [(name.encode(), value.encode()) for name, value in refusal.headers.items()]
        if body:
            headers.append((b"content-type", b"application/json"))
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _cut(self, scope: Scope, request: _OpenRequest) -> None:
        """End a request that the end of the gateway has cancelled."""
        if request.has_begun:
            try:
                async with asyncio.timeout(_LAST_S):
                    await request.send({"type": "http.response.body", "body": b""})
            except TimeoutError:  # its client does not read
                connection = connection_of(scope)
                if connection is not None:
                    connection.cut()
        else:
            await self._refuse(scope, request.send, _CUT)

    # -- the end ---------------------------------------------------------------------------------

    async def drain(self, grace_s: float) -> None:
        """Take no new requests, and end those under way.

        Answers that have begun end within half a second. The others may take `grace_s` seconds;
        then they are cancelled, and their clients get 503.

        Args:
            grace_s: How long they may take.
        """
        self.is_ending = True
        loop = asyncio.get_running_loop()
        ends_at_s = loop.time() + grace_s
        await self._wait_quiet(min(_STREAM_END_S, grace_s))
        self._cancel(request for request in list(self._open) if request.has_begun)
        await self._wait_quiet(max(0.0, ends_at_s - loop.time()))
        self._cancel(list(self._open))
        await self._wait_quiet(_STREAM_END_S)

    async def _wait_quiet(self, timeout_s: float) -> None:
        if not self._open:
            return
        self._quiet.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._quiet.wait()

    def _cancel(self, requests: Iterable[_OpenRequest]) -> None:
        for request in requests:
            if request.task is not None:
                request.task.cancel()
