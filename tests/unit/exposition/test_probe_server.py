"""The server of probes alone: addresses, bounds, and what goes wrong in it."""

import contextlib
import socket
import threading

import pytest

from cosmonapse import PortInUse
from cosmonapse.exposition import probe_server
from cosmonapse.exposition.place import place_of
from cosmonapse.exposition.probe_server import MAX_REQUESTS, ProbeServer, probing
from cosmonapse.telemetry.liveness import Judgement
from support.scraping import answer

FINE = Judgement(True, "fine")


def metrics(environ, start):
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"figures\n"]


@contextlib.contextmanager
def serving(app=None, address="127.0.0.1:0"):
    server = ProbeServer(address, app or probing(metrics, lambda: FINE, lambda: FINE))
    try:
        yield server
    finally:
        server.close()


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:9464", ("::1", 9464)),
        ("0.0.0.0:65535", ("0.0.0.0", 65535)),
    ],
)
def test_an_address_is_a_host_and_a_port(address, place):
    assert place_of(address) == place


@pytest.mark.parametrize(
    "address", ["9464", ":9464", "host", "host:", "host:x", "::1:9464", "h:65536"]
)
def test_what_is_no_address_is_refused_with_an_example(address):
    with pytest.raises(ValueError, match=r"expected HOST:PORT such as 127\.0\.0\.1:9464"):
        place_of(address)


def test_a_judgement_is_a_status_and_a_line():
    app = probing(metrics, lambda: FINE, lambda: Judgement(False, "the Synapse is away"))
    with serving(app) as server:
        assert answer(f"{server.url}/healthz") == (200, "fine\n")
        assert answer(f"{server.url}/readyz") == (503, "the Synapse is away\n")
        assert answer(f"{server.url}/metrics") == (200, "figures\n")
        assert answer(f"{server.url}/other")[0] == 404


def test_a_collector_that_raises_is_one_line_and_the_log(caplog):
    def broken(environ, start):
        raise ValueError("no figures")

    with serving(probing(broken, lambda: FINE, lambda: FINE)) as server:
        status, text = answer(f"{server.url}/metrics")

    assert (status, text.count("\n")) == (500, 1)
    assert "a request for /metrics failed" in caplog.text


def test_a_port_in_use_is_named():
    with serving() as server, pytest.raises(PortInUse, match="choose another address"):
        ProbeServer(server.url.removeprefix("http://"), metrics)


def test_an_address_of_others_gets_a_warning():
    with serving() as own, serving(address="0.0.0.0:0") as public:
        assert own.warning == ""
        assert "HTTP without a password" in public.warning


def test_the_request_after_16_is_not_answered():
    begun, go_on = threading.Semaphore(0), threading.Event()

    def slow(environ, start):
        begun.release()
        go_on.wait(10)
        return metrics(environ, start)

    with serving(probing(slow, lambda: FINE, lambda: FINE)) as server:
        port = int(server.url.rpartition(":")[2])
        lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(MAX_REQUESTS)]
        for line in lines:
            line.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            assert begun.acquire(timeout=10)

        with socket.create_connection(("127.0.0.1", port), timeout=10) as one_more:
            assert one_more.recv(1) == b""

        go_on.set()
        for line in lines:
            assert line.recv(100).startswith(b"HTTP/1.0 200")
            line.close()


def test_a_request_that_does_not_come_is_given_up(monkeypatch):
    assert probe_server.REQUEST_S == 3.0
    monkeypatch.setattr(probe_server, "REQUEST_S", 0.3)
    given_up = threading.Event()

    with serving() as server:
        port = int(server.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as slow:

            def trickle():
                with contextlib.suppress(OSError):
                    slow.sendall(b"GET /healthz HTTP/1.0\r\n")
                    while not given_up.wait(0.02):
                        slow.sendall(b"x: y\r\n")

            thread = threading.Thread(target=trickle)
            thread.start()
            with contextlib.suppress(ConnectionError):
                assert slow.recv(1) == b""
            given_up.set()
            thread.join()


def test_connections_that_send_nothing_make_room_for_one_that_asks(monkeypatch):
    monkeypatch.setattr(probe_server, "REQUEST_S", 60.0)
    with serving() as server, contextlib.ExitStack() as stack:
        port = int(server.url.rpartition(":")[2])
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            for _ in range(MAX_REQUESTS)
        ]

        assert answer(f"{server.url}/healthz") == (200, "fine\n")

        assert silent[0].recv(1) == b""
        silent[1].sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert silent[1].recv(100).startswith(b"HTTP/1.0 200")
