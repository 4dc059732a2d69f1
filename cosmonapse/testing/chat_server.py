"""A stand-in for a provider of chat completions, messages and text generation, on 127.0.0.1.

By hand: `python -m cosmonapse.testing.chat_server --port 8080 --behaviour slow`.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import socket
import sys
import threading
from collections import deque
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self

from .chat_handler import ChatRequestHandler
from .chat_manners import BEHAVIOURS, SCRIPTED_CALLS
from .dialects import Document


class Recorded(NamedTuple):
    """One request, as it came; header names in lower case."""

    path: str
    headers: dict[str, str]
    json: Document


class _Scripted(NamedTuple):
    """How to answer one of the next requests."""

    behaviour: str
    text: str | None = None
    calls: tuple[tuple[str, str], ...] = ()


class ChatServer:
    """A server with separate threads: `with ChatServer() as server:`.

    Which behaviour answers a request is said by, in this order: the script (`answers`, `behaves`,
    `calls_tools`), the request's model, its last prompt, the server's own `behaviour`. These are:

    - `ok`, `slow`, `plain` (never streamed), `strict` (refuses unknown keys with 422)
    - `reasoning`, `reasoning-content`, `json-reasoning` (never streamed)
    - `sparse` (comments, null choices, the usage alone), `large-event` (3 MiB)
    - `split-character`, `split-bytes`, `half-character`
    - `stream-as-json`, `json-as-stream` (the header is wrong)
    - `length`, `filtered`, `filtered-empty`, `refusal`, `tool-calls`, `error-reason`: reasons
    - `tool-loop`, `tool-loop-varied`: each answer calls the first tool of its request, always with
      the same arguments or with others
    - `empty-reason`, `done-only`, `ends-early`: an end without a reason; `cut-off` (hangs up)
    - `no-done`, `no-blank-line`, `stays-open`, `stays-open-without-done`: whole all the same
    - `error-in-stream`, `error-event`, `error-event-text`, `json-in-stream`,
      `json-line-in-stream`, `text-in-stream`, `nonsense-in-stream`: errors after a token
    - `json-for-stream`, `text-for-stream`, `malformed`, `page` (HTML), `echo-key`, `redirect`
    - `400`, `401`, `404`, `429` (with Retry-After), `429-date`, `500`, `503`, `529`

    Args:
        behaviour: How to answer when nothing else names a behaviour.
        tokens: The answer; by default `echo: ` and the words of the last prompt.
        delay_s: The time before each token of a `slow` answer.
        retry_after_s: The wait that a `429` or `429-date` asks for, in whole seconds.
        piece_bytes: The size of the pieces in which a stream is sent; None for whole events.
        port: 0 chooses a free one.

    Attributes:
        url: Where it listens, without a path.
        behaviours: The functions that answer a request, by name.
        requests: One `Recorded(path, headers, json)` per request.
        connections: How many TCP connections were accepted.
        aborted: Set once a client went away in the middle of an answer.
        closing: Set when it is about to close.

    Raises:
        ValueError: The behaviour is unknown.
    """

    def __init__(
        self,
        behaviour: str = "ok",
        *,
        tokens: list[str] | None = None,
        delay_s: float = 0.05,
        retry_after_s: int = 1,
        piece_bytes: int | None = None,
        port: int = 0,
    ) -> None:
        self.behaviour = _checked(behaviour)
        self.behaviours = BEHAVIOURS
        self.tokens = tokens
        self.delay_s = delay_s
        self.retry_after_s = retry_after_s
        self.piece_bytes = piece_bytes
        self.requests: list[Recorded] = []
        self.connections = 0
        self.aborted = threading.Event()
        self.closing = threading.Event()
        self._script: deque[_Scripted] = deque()
        self._call_numbers = itertools.count(1)
        self._open: set[Any] = set()
        self._server = _Server(("127.0.0.1", port), ChatRequestHandler)
        self._server.owner = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __repr__(self) -> str:
        """Name it as `ChatServer(url)`."""
        return f"ChatServer({self.url})"

    def answers(self, *texts: str) -> Self:
        """Answer the next requests, one each, with these texts; return the server."""
        self._script.extend(_Scripted("ok", text) for text in texts)
        return self

    def behaves(self, *behaviours: str) -> Self:
        """Answer the next requests, one each, in these manners; return the server.

        Raises:
            ValueError: The behaviour is unknown.
        """
        self._script.extend(_Scripted(_checked(each)) for each in behaviours)
        return self

    def calls_tools(self, *calls: tuple[str, Any], text: str = "") -> Self:
        """Answer the next request with calls of tools, all in one answer; return the server.

        Streamed, the arguments come in pieces.

        Args:
            calls: The name of a tool, as the model knows it, and its arguments: an object, or a
                text in place of its JSON, which may be malformed.
            text: What the model says before it calls.
        """
        written = tuple(
            (name, given if isinstance(given, str) else json.dumps(given)) for name, given in calls
        )
        self._script.append(_Scripted(SCRIPTED_CALLS, text, written))
        return self

    def next_call_number(self) -> int:
        """Return a number for the id of a call."""
        return next(self._call_numbers)

    def __enter__(self) -> Self:
        """Serve."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Disconnect all clients and close."""
        self.closing.set()
        self._server.shutdown()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        self._thread.join()

    def opened(self, connection: Any) -> None:
        """Count a connection."""
        self.connections += 1
        self._open.add(connection)

    def closed(self, connection: Any) -> None:
        """Forget a connection."""
        self._open.discard(connection)

    def note(self, path: str, headers: dict[str, str], asked: Document) -> None:
        """Keep a request."""
        self.requests.append(Recorded(path, headers, asked))

    def manner_for(
        self, asked: Document, prompt: Any
    ) -> tuple[str, list[str] | None, str | None, tuple[tuple[str, str], ...]]:
        """Return how to answer a request: behaviour, fixed tokens, scripted text and calls."""
        if self._script:
            behaviour, text, calls = self._script.popleft()
            return behaviour, self.tokens, text, calls
        named = [str(each) for each in (asked.get("model"), prompt)]
        behaviour = next((each for each in named if each in BEHAVIOURS), self.behaviour)
        return _checked(behaviour), self.tokens, None, ()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # a full backlog would cost a second per connection
    daemon_threads = False  # closing waits for the answers, which end when `closing` is set
    owner: ChatServer

    def process_request(self, request: Any, client_address: Any) -> None:
        self.owner.opened(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.owner.closed(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if isinstance(sys.exception(), ConnectionError):
            self.owner.aborted.set()
        else:
            super().handle_error(request, client_address)


def _checked(behaviour: str) -> str:
    if behaviour not in BEHAVIOURS:
        raise ValueError(f"unknown behaviour {behaviour!r}; there are {', '.join(BEHAVIOURS)}")
    return behaviour


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="A stand-in for a provider of chat completions.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--behaviour", choices=BEHAVIOURS, default="ok")
    parser.add_argument("--delay-s", type=float, default=0.05)
    args = parser.parse_args()
    server = ChatServer(args.behaviour, delay_s=args.delay_s, port=args.port)
    with server, contextlib.suppress(KeyboardInterrupt):
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
