"""One request to the stand-in provider: reads it, and writes the pieces of an answer."""

from __future__ import annotations

import contextlib
import json
import socket
from http.server import BaseHTTPRequestHandler
from typing import Any

from .dialects import Call, Chat, Document, Event, Messages, ProviderDialect, prompt_of, words_of

STREAM_TYPE = "text/event-stream; charset=utf-8"
JSON_TYPE = "application/json"


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
    calls: list[Call]

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
        behaviour, tokens, scripted, calls = self.owner.manner_for(self.asked, self.prompt)
        self.calls = [self.new_call(*each) for each in calls]
        echo = ["echo: ", *words_of(str(self.prompt))]
        self.tokens = words_of(scripted) if scripted is not None else tokens or echo
        self.owner.behaviours[behaviour](self)

    @property
    def is_streamed(self) -> bool:
        """Whether a streamed answer was requested."""
        return bool(self.asked.get("stream"))

    def new_call(self, name: str, arguments: str) -> Call:
        """Return a call of a tool, with an id of its own."""
        return Call(self.owner.next_call_number(), name, arguments)

    # -- pieces of answers -----------------------------------------------------------------------

    def start_stream(self, content_type: str = STREAM_TYPE) -> None:
        """Send the head of a stream and the events before its first token."""
        self.send_head(200, content_type, None)
        self.send_events(*self.dialect.opening())

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
            self.send_bytes(f"{name}data: {data}\n\n".encode())

    def send_bytes(self, stream: bytes) -> None:
        """Send bytes of a stream, cut into pieces of `piece_bytes` if that is set."""
        size = self.owner.piece_bytes or len(stream)
        pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
        for piece in pieces:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.flush()

    def finish_stream(self, reason: str) -> None:
        """Send the reason and the last event, and end the stream in good form."""
        self.send_events(*self.dialect.finish(reason), *self.dialect.last)
        self.end_stream()

    def end_stream(self) -> None:
        """End a stream in good form."""
        self.wfile.write(b"0\r\n\r\n")

    def send_json(self, status: int, document: Any, **headers: str) -> None:
        """Send a whole document."""
        self.send_body(status, JSON_TYPE, json.dumps(document).encode(), **headers)

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
