"""One request to the stand-in provider, and every manner of answering it, good or bad."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from types import MappingProxyType
from typing import Any

from .dialects import (
    STRICT_KEYS,
    Chat,
    Document,
    Event,
    Messages,
    ProviderDialect,
    StrictChat,
    prompt_of,
    words_of,
)

_REFUSALS: Mapping[str, Document] = MappingProxyType(
    {
        "400": {"message": "max_tokens is too large"},
        "401": {"error": "Invalid username or password."},
        "404": {"detail": "no such model"},
        "429": {"error": {"message": "Rate limit reached", "type": "rate_limit"}},
        "500": {"error": {"message": "The model crashed"}},
        "503": {"error": "Model is loading", "estimated_time": 20.0},
        "529": {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    }
)


class ChatRequestHandler(BaseHTTPRequestHandler):
    """Handles the requests of one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    owner: Any
    asked: Document
    dialect: ProviderDialect
    prompt: Any
    key: str | None
    tokens: list[str]

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent; `requests` is the log."""

    def do_POST(self) -> None:
        """Read a request, record it, and answer with the configured behaviour."""
        self.owner = self.server.owner  # type: ignore[attr-defined]  # our own server
        text = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            self.asked = dict(json.loads(text))
        except (TypeError, ValueError):
            self.send_json(400, {"error": {"message": "the body of the request is no JSON object"}})
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.owner.note(self.path, headers, self.asked)
        self.dialect = (Messages if self.path.endswith("/messages") else Chat)(self.asked)
        self.key = self.headers["authorization"] or self.headers["x-api-key"]
        self.prompt = prompt_of(self.asked)
        behaviour, tokens, scripted = self.owner.manner_for(self.asked, self.prompt)
        echo = ["echo: ", *words_of(str(self.prompt))]
        self.tokens = words_of(scripted) if scripted is not None else tokens or echo
        BEHAVIOURS[behaviour](self)

    # -- good answers ----------------------------------------------------------------------------

    def _answer(self) -> None:
        if "inputs" in self.asked:
            self.send_json(200, [{"generated_text": "".join(self.tokens)}])
        elif self.asked.get("stream"):
            self._stream_answer()
        else:
            self._answer_plainly()

    def _answer_plainly(self) -> None:
        self.send_json(200, self.dialect.plain("".join(self.tokens)))

    def _answer_strictly(self) -> None:
        """Answer as usual, but refuse undocumented keys, as some providers do."""
        unknown = sorted(self.asked.keys() - STRICT_KEYS)
        self.dialect = StrictChat(self.asked)
        if unknown:
            self.send_json(422, {"message": {"detail": f"extra inputs: {unknown}"}})
        else:
            self._answer()

    def _stream_answer(self, delay_s: float = 0.0) -> None:
        self.start_stream()
        for token in self.tokens:
            if delay_s and self.owner.closing.wait(delay_s):
                self.hang_up()
                return
            self.send_token(token)
        self.send_events(*self.dialect.finish("stop"), *self.dialect.last)
        self.end_stream()

    def _answer_slowly(self) -> None:
        if self.asked.get("stream"):
            self._stream_answer(self.owner.delay_s)
        elif not self.owner.closing.wait(self.owner.delay_s * len(self.tokens)):
            self._answer()

    # -- bad answers -----------------------------------------------------------------------------

    def _cut_off(self) -> None:
        """Send two tokens, or half a plain answer, and hang up."""
        if self.asked.get("stream"):
            self.start_stream()
            for token in self.tokens[:2]:
                self.send_token(token)
        else:
            self.send_head(200, "application/json", 1000)
            self.wfile.write(b'{"choices": [')
        self.hang_up()

    def _end_early(self) -> None:
        """End the stream in good form, but without a reason and the last event."""
        self.start_stream()
        self.send_token(self.tokens[0])
        self.end_stream()

    def _end_without_done(self) -> None:
        self.start_stream()
        for token in self.tokens:
            self.send_token(token)
        self.send_events(*self.dialect.finish("length"))
        self.end_stream()

    def _stay_open_after_done(self) -> None:
        self.start_stream()
        self.send_token("all")
        self.send_events(*self.dialect.last)
        self.owner.closing.wait()
        self.hang_up()

    def _fail_in_stream(self) -> None:
        self.start_stream()
        self.send_token(self.tokens[0])
        self.send_events(self.dialect.error(f"overloaded, key was {self.key}"))
        self.end_stream()

    def _stream_nonsense(self) -> None:
        self.start_stream()
        self.send_token(self.tokens[0])
        self.send_events('{"choices": [{"delta"')
        self.end_stream()

    def _send_malformed(self) -> None:
        self.send_body(200, "application/json", b'{"choices": [{"mess')

    def _send_page(self) -> None:
        self.send_body(200, "text/html", b"<html>Please log in</html>")

    def _echo_key(self) -> None:
        """Refuse and repeat the key, as careless providers do."""
        self.send_json(401, {"error": f"bad credentials: {self.key}"})

    # -- pieces of answers -----------------------------------------------------------------------

    def send_token(self, text: str) -> None:
        """Send the event of one token."""
        self.send_events(self.dialect.token(text))

    def send_events(self, *events: Event) -> None:
        """Send each event, a document or the data as it is; a document's type names its event."""
        for event in events:
            data, name = event, ""
            if isinstance(event, dict):
                data = json.dumps(event, ensure_ascii=False)
                name = f"event: {event['type']}\n" if "type" in event else ""
            lines = f"{name}data: {data}\n\n".encode()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(lines), lines))
            self.wfile.flush()

    def start_stream(self) -> None:
        """Send the head of a stream and the events before its first token."""
        self.send_head(200, "text/event-stream; charset=utf-8", None)
        self.send_events(*self.dialect.opening())

    def end_stream(self) -> None:
        """End a stream in good form."""
        self.wfile.write(b"0\r\n\r\n")

    def send_json(self, status: int, document: Any, **headers: str) -> None:
        """Send a whole document."""
        self.send_body(status, "application/json", json.dumps(document).encode(), **headers)

    def send_body(self, status: int, content_type: str, body: bytes, **headers: str) -> None:
        """Send a whole answer."""
        self.send_head(status, content_type, len(body), **headers)
        self.wfile.write(body)

    def send_head(self, status: int, content_type: str, length: int | None, **headers: str) -> None:
        """Send the head of an answer; without a length its body is chunked."""
        self.send_response(status)
        self.send_header("content-type", content_type)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if length is None:
            self.send_header("transfer-encoding", "chunked")
        else:
            self.send_header("content-length", str(length))
        self.end_headers()

    def hang_up(self) -> None:
        """Abort the connection."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


def _refusal(name: str) -> Callable[[ChatRequestHandler], None]:
    def refuse(handler: ChatRequestHandler) -> None:
        headers = {"retry_after": str(handler.owner.retry_after_s)} if name == "429" else {}
        handler.send_json(int(name), _REFUSALS[name], **headers)

    return refuse


BEHAVIOURS: Mapping[str, Callable[[ChatRequestHandler], None]] = MappingProxyType(
    {
        "ok": ChatRequestHandler._answer,
        "slow": ChatRequestHandler._answer_slowly,
        "plain": ChatRequestHandler._answer_plainly,
        "strict": ChatRequestHandler._answer_strictly,
        "cut-off": ChatRequestHandler._cut_off,
        "ends-early": ChatRequestHandler._end_early,
        "no-done": ChatRequestHandler._end_without_done,
        "stays-open": ChatRequestHandler._stay_open_after_done,
        "error-in-stream": ChatRequestHandler._fail_in_stream,
        "nonsense-in-stream": ChatRequestHandler._stream_nonsense,
        "malformed": ChatRequestHandler._send_malformed,
        "page": ChatRequestHandler._send_page,
        "echo-key": ChatRequestHandler._echo_key,
        **{name: _refusal(name) for name in _REFUSALS},
    }
)
