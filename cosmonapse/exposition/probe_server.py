"""The HTTP server of metrics and probes: in threads, so that it answers while a loop is blocked."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from ..errors import PortInUse
from ..runtime.addresses import beyond_loopback
from ..telemetry.liveness import Judge
from .place import place_of

_LOG = logging.getLogger(__name__)
MAX_REQUESTS = 16
REQUEST_S = 3.0
"""How long the header of a request may take."""
_SEND_S = 10.0
_LOOK_S = 0.1
_PLAIN = ("Content-Type", "text/plain; charset=utf-8")
_PATHS = "this server has /metrics, /healthz and /readyz\n"
_HINT = "choose another address (--metrics HOST:PORT)"

App = Callable[[dict[str, Any], Any], Iterable[bytes]]
"""A WSGI application."""


def probing(metrics: App, alive: Judge, ready: Judge) -> App:
    """Return the application that answers at the three paths.

    Args:
        metrics: Answers at `/metrics`.
        alive: Judges for `/healthz`: 200 or 503, and one line.
        ready: Judges for `/readyz` likewise.
    """
    judges: Mapping[str, Judge] = {"/healthz": alive, "/readyz": ready}

    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            start("405 Method Not Allowed", [_PLAIN, ("Allow", "GET, HEAD")])
            return [b"read with GET\n"]
        if path == "/metrics":
            return metrics(environ, start)
        if path not in judges:
            start("404 Not Found", [_PLAIN])
            return [_PATHS.encode()]
        judgement = judges[path]()
        start("200 OK" if judgement.ok else "503 Service Unavailable", [_PLAIN])
        return [f"{judgement.why}\n".encode()]

    def answer_or_fail(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        try:
            return answer(environ, start)
        except Exception:  # noqa: BLE001  # the last door: a collector of the program may raise
            _LOG.exception("a request for %s failed", environ.get("PATH_INFO"))
            start("500 Internal Server Error", [_PLAIN])
            return [b"it failed; the log says why\n"]

    return answer_or_fail


class ProbeServer:
    """Listens, and answers in threads until it is closed.

    Args:
        address: `HOST:PORT`; port 0 for any free one.
        app: From `probing`.

    Attributes:
        url: Where it listens, such as `http://127.0.0.1:9464`.
        warning: A line for people if other machines can read it, else empty.

    Raises:
        ValueError: `address` is no address.
        PortInUse: It cannot listen there.
    """

    def __init__(self, address: str, app: App) -> None:
        host, port = place_of(address)
        try:
            self._server = _server(host, port)
        except (OSError, UnicodeError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            raise PortInUse(address, reason, _HINT) from error
        self._server.set_app(app)
        bound = f"[{host}]" if ":" in host else host
        self.url = f"http://{bound}:{self._server.server_port}"
        self.warning = (
            f"whoever reaches {self.url} reads the metrics: HTTP without a password"
            if beyond_loopback(host)
            else ""
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_LOOK_S,), name="metrics", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Listen no more. Idempotent."""
        self._server.shutdown()
        self._server.server_close()


class _QuietHandler(WSGIRequestHandler):
    server: _BoundedServer
    timeout = _SEND_S  # of each send, so that nobody holds a thread

    def parse_request(self) -> bool:
        """Read the header; from then on the server waits for us, and not for the client."""
        return super().parse_request() and self.server.has_come(self.connection)

    def address_string(self) -> str:
        """Return the address itself: a look-up of its name may take seconds."""
        return str(self.client_address[0])

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a scrape every few seconds is no news."""


class _BoundedServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, place: Any, family: int) -> None:
        self.address_family = family
        self._lock = threading.Lock()
        self._waiting: dict[socket.socket, float] = {}  # without a whole header; since when
        self._answering: set[socket.socket] = set()
        super().__init__(place, _QuietHandler)

    def server_bind(self) -> None:
        """Bind without looking for the name of this machine, which may take seconds."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread; of 17 close the one that has been silent longest, else this one."""
        with self._lock:
            is_full = len(self._waiting) + len(self._answering) >= MAX_REQUESTS
            if is_full and self._waiting:
                self._give_up(next(iter(self._waiting)))
                is_full = False
            if not is_full:
                self._waiting[request] = time.monotonic()
        if is_full:
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def has_come(self, request: socket.socket) -> bool:
        """Take note that the header of a request is whole; False if it was given up before."""
        with self._lock:
            if self._waiting.pop(request, None) is None:
                return False
            self._answering.add(request)
            return True

    def service_actions(self) -> None:
        """Give up those whose header does not come; called ten times a second."""
        oldest_s = time.monotonic() - REQUEST_S
        with self._lock:
            for request in [each for each, since_s in self._waiting.items() if since_s < oldest_s]:
                self._give_up(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, then make room."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._waiting.pop(request, None)
                self._answering.discard(request)

    def _give_up(self, request: socket.socket) -> None:
        """Let the thread of a request find that its client has gone."""
        del self._waiting[request]
        with contextlib.suppress(OSError):
            request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away."""


def _server(host: str, port: int) -> _BoundedServer:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, place = found[0]
    return _BoundedServer(place, family)
