"""A stand-in for a provider of chat completions, messages and text generation, on 127.0.0.1.

`with ChatServer() as server:` serves at `server.url` and records what it was asked. How it
answers is a name out of `BEHAVIOURS`: the request's model, else its last prompt, else the server's
own `behaviour`.
By hand: `python -m tests.support.chat_server --port 8080 --behaviour slow`.
"""

import argparse
import contextlib
import json
import socket
import sys
import threading
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Recorded = namedtuple("Recorded", "path headers json")

USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
MESSAGES_USAGE = {"input_tokens": 3, "output_tokens": 4}
REFUSALS = {
    "400": (400, {"message": "max_tokens is too large"}),
    "401": (401, {"error": "Invalid username or password."}),
    "404": (404, {"detail": "no such model"}),
    "429": (429, {"error": {"message": "Rate limit reached", "type": "rate_limit"}}),
    "500": (500, {"error": {"message": "The model crashed"}}),
    "503": (503, {"error": "Model is loading", "estimated_time": 20.0}),
    "529": (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
}
STRICT_KEYS = {"model", "messages", "max_tokens", "temperature", "stop", "stream"}


class _Chat:
    """What chat completions are made of."""

    last = ("[DONE]",)

    def __init__(self, asked):
        self.model = asked.get("model", "stand-in")
        self.usage_wanted = (asked.get("stream_options") or {}).get("include_usage")

    def plain(self, text):
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return {"choices": [choice], "model": self.model, "usage": USAGE}

    def opening(self):
        return []

    def token(self, text):
        return self._chunk({"content": text}, None)

    def finish(self, reason):
        chunk = self._chunk({}, reason)
        return [chunk, {"choices": [], "usage": USAGE}] if self.usage_wanted else [chunk]

    def error(self, message):
        return {"error": {"message": message, "code": 503}}

    def _chunk(self, delta, reason):
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return {"choices": [choice], "model": self.model}


class _StrictChat(_Chat):
    """Chat completions that refuse unknown keys, and tell the usage unasked, with the end."""

    def finish(self, reason):
        return [{**self._chunk({}, reason), "usage": USAGE}]


class _Messages:
    """What messages are made of."""

    last = ({"type": "message_stop"},)

    def __init__(self, asked):
        self.model = asked["model"]

    def plain(self, text):
        content = [{"type": "text", "text": text}]
        answer = {"type": "message", "role": "assistant", "model": self.model, "content": content}
        return {**answer, "stop_reason": "end_turn", "usage": MESSAGES_USAGE}

    def opening(self):
        message = {**self.plain(""), "content": [], "stop_reason": None}
        message["usage"] = {**MESSAGES_USAGE, "output_tokens": 1}
        block = {"type": "text", "text": ""}
        return [
            {"type": "message_start", "message": message},
            {"type": "content_block_start", "index": 0, "content_block": block},
            {"type": "ping"},
        ]

    def token(self, text):
        delta = {"type": "text_delta", "text": text}
        return {"type": "content_block_delta", "index": 0, "delta": delta}

    def finish(self, reason):
        reason = {"stop": "end_turn", "length": "max_tokens"}[reason]
        usage = {"output_tokens": MESSAGES_USAGE["output_tokens"]}
        return [
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage},
        ]

    def error(self, message):
        return {"type": "error", "error": {"type": "overloaded_error", "message": message}}


class ChatServer:
    """One server with threads of its own.

    Args:
        behaviour: How to answer when neither model nor prompt names a behaviour.
        tokens: The answer; by default `echo: ` and the words of the last prompt.
        delay_s: The time before each token of a `slow` answer.
        port: 0 takes a free one.

    Attributes:
        requests: One `Recorded(path, headers, json)` per request, header names in lower case.
        connections: How many TCP connections were accepted.
        aborted: Set once a client went away in the middle of an answer.
    """

    def __init__(self, behaviour="ok", *, tokens=None, delay_s=0.05, port=0):
        self.behaviour = behaviour
        self.tokens = tokens
        self.delay_s = delay_s
        self.requests = []
        self.connections = 0
        self.aborted = threading.Event()
        self.closing = threading.Event()
        self._open = set()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.owner = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self._server.shutdown()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        self._thread.join()

    def opened(self, connection):
        self.connections += 1
        self._open.add(connection)

    def closed(self, connection):
        self._open.discard(connection)


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # a full backlog would cost a second per connection
    daemon_threads = False  # closing waits for the answers, which end when `closing` is set

    def process_request(self, request, client_address):
        self.owner.opened(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.owner.closed(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        if isinstance(sys.exception(), ConnectionError):
            self.owner.aborted.set()
        else:
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        """Stay silent; `requests` is the log."""

    def do_POST(self):
        self.owner = self.server.owner
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.owner.requests.append(Recorded(self.path, headers, body))
        self.asked = body
        self.dialect = (_Messages if self.path.endswith("/messages") else _Chat)(body)
        self.key = self.headers["authorization"] or self.headers["x-api-key"]
        self.prompt = _prompt_of(body)
        named = [body.get("model"), self.prompt, self.owner.behaviour]
        BEHAVIOURS[next(name for name in named if str(name) in BEHAVIOURS)](self)

    @property
    def tokens(self):
        return self.owner.tokens or ["echo: ", *_words(self.prompt)]

    def answer(self):
        if "inputs" in self.asked:
            self.send_json(200, [{"generated_text": "".join(self.tokens)}])
        elif self.asked.get("stream"):
            self.stream_answer()
        else:
            self.answer_plainly()

    def answer_plainly(self):
        self.send_json(200, self.dialect.plain("".join(self.tokens)))

    def answer_strictly(self):
        """Answer as usual, but refuse what is not in the book, as some providers do."""
        unknown = sorted(self.asked.keys() - STRICT_KEYS)
        self.dialect = _StrictChat(self.asked)
        if unknown:
            self.send_json(422, {"message": {"detail": f"extra inputs: {unknown}"}})
        else:
            self.answer()

    def stream_answer(self, delay_s=0.0):
        self.start_stream()
        for token in self.tokens:
            if delay_s and self.owner.closing.wait(delay_s):
                return self.hang_up()
            self.send_token(token)
        self.send_events(*self.dialect.finish("stop"), *self.dialect.last)
        return self.end_stream()

    def answer_slowly(self):
        if self.asked.get("stream"):
            self.stream_answer(self.owner.delay_s)
        elif not self.owner.closing.wait(self.owner.delay_s * len(self.tokens)):
            self.answer()

    def cut_off(self):
        """Send two tokens, or half a plain answer, and hang up."""
        if self.asked.get("stream"):
            self.start_stream()
            for token in self.tokens[:2]:
                self.send_token(token)
        else:
            self.send_head(200, "application/json", 1000)
            self.wfile.write(b'{"choices": [')
        self.hang_up()

    def end_early(self):
        """End the stream in good form, but without a reason and the last event."""
        self.start_stream()
        self.send_token(self.tokens[0])
        self.end_stream()

    def end_without_done(self):
        self.start_stream()
        for token in self.tokens:
            self.send_token(token)
        self.send_events(*self.dialect.finish("length"))
        self.end_stream()

    def stay_open_after_done(self):
        self.start_stream()
        self.send_token("all")
        self.send_events(*self.dialect.last)
        self.owner.closing.wait()
        self.hang_up()

    def fail_in_stream(self):
        self.start_stream()
        self.send_token(self.tokens[0])
        self.send_events(self.dialect.error(f"overloaded, key was {self.key}"))
        self.end_stream()

    def stream_nonsense(self):
        self.start_stream()
        self.send_token(self.tokens[0])
        self.send_events('{"choices": [{"delta"')
        self.end_stream()

    def send_malformed(self):
        self.send_body(200, "application/json", b'{"choices": [{"mess')

    def send_page(self):
        self.send_body(200, "text/html", b"<html>Please log in</html>")

    def echo_key(self):
        """Refuse and repeat the key, as careless providers do."""
        self.send_json(401, {"error": f"bad credentials: {self.key}"})

    def send_token(self, text):
        self.send_events(self.dialect.token(text))

    def send_events(self, *events):
        """Send each event, a document or the data as it is; a document's type names its event."""
        for event in events:
            data, name = event, ""
            if isinstance(event, dict):
                data = json.dumps(event, ensure_ascii=False)
                name = f"event: {event['type']}\n" if "type" in event else ""
            lines = f"{name}data: {data}\n\n".encode()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(lines), lines))
            self.wfile.flush()

    def start_stream(self):
        self.send_head(200, "text/event-stream; charset=utf-8", None)
        self.send_events(*self.dialect.opening())

    def end_stream(self):
        self.wfile.write(b"0\r\n\r\n")

    def send_json(self, status, document):
        self.send_body(status, "application/json", json.dumps(document).encode())

    def send_body(self, status, content_type, body):
        self.send_head(status, content_type, len(body))
        self.wfile.write(body)

    def send_head(self, status, content_type, length):
        self.send_response(status)
        self.send_header("content-type", content_type)
        if length is None:
            self.send_header("transfer-encoding", "chunked")
        else:
            self.send_header("content-length", str(length))
        self.end_headers()

    def hang_up(self):
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


def _refusal(status, document):
    return lambda handler: handler.send_json(status, document)


BEHAVIOURS = {
    "ok": _Handler.answer,
    "slow": _Handler.answer_slowly,
    "plain": _Handler.answer_plainly,
    "strict": _Handler.answer_strictly,
    "cut-off": _Handler.cut_off,
    "ends-early": _Handler.end_early,
    "no-done": _Handler.end_without_done,
    "stays-open": _Handler.stay_open_after_done,
    "error-in-stream": _Handler.fail_in_stream,
    "nonsense-in-stream": _Handler.stream_nonsense,
    "malformed": _Handler.send_malformed,
    "page": _Handler.send_page,
    "echo-key": _Handler.echo_key,
    **{name: _refusal(*answer) for name, answer in REFUSALS.items()},
}


def _prompt_of(body):
    if "inputs" in body:
        return body["inputs"]
    return body.get("messages", [{}])[-1].get("content")


def _words(text):
    return [word + " " for word in str(text).split(" ")[:-1]] + [str(text).split(" ")[-1]]


def main():
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
