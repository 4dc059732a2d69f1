"""What `cosmo doctor` says of a port is what answers there."""

import socket
import threading

import pytest

from cosmonapse.cli.nats_checks import server_at
from cosmonapse.synapse.url import Endpoint

HOST = "127.0.0.1"


@pytest.fixture
def looked_at():
    """Return a function that looks at a port whose server says some bytes and ends, or waits."""
    done = threading.Event()

    def look(said, ends=True):
        with socket.create_server((HOST, 0)) as server:

            def serve():
                with server.accept()[0] as line:
                    line.sendall(said)
                    if not ends:
                        done.wait(10.0)

            thread = threading.Thread(target=serve)
            thread.start()
            port = server.getsockname()[1]
            found = server_at(HOST, Endpoint(HOST, port), 0.3, str)
            done.set()
            thread.join(10.0)
        return found

    return look


def test_a_nats_server_is_known_by_its_first_words(looked_at):
    said = b'INFO {"version": "2.9.10", "max_payload": 1048576, "auth_required": true} \r\n'

    found = looked_at(said)

    assert found.level == "ok"
    assert "a nats-server 2.9.10, 1,048,576 bytes a message, wants credentials" in found.says


def test_a_limit_at_which_nearly_all_travels_in_pieces_is_a_warning(looked_at):
    found = looked_at(b'INFO {"version": "2.9.10", "max_payload": 1024} \r\n')

    assert (found.level, "max_payload" in found.fix) == ("warning", True)


def test_one_that_waits_for_tls_is_no_fault(looked_at):
    found = looked_at(b"", ends=False)

    assert (found.level, "says nothing before TLS" in found.says) == ("ok", True)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"INFO {\r\n",
        b"INFO []\r\n",
        b"INFO {}\r\n",
        b"INFO " + b"[" * 60_000 + b"\r\n",
        b"INFO " + b"x" * 100_000,
    ],
)
def test_whatever_else_answers_is_told_from_it(looked_at, said):
    found = looked_at(said)

    assert (found.level, "but something else" in found.says) == ("bad", True)


def test_a_port_without_a_listener_says_how_to_start_one():
    with socket.socket() as free:
        free.bind((HOST, 0))
        found = server_at(HOST, Endpoint(HOST, free.getsockname()[1]), 0.3, str)

    assert (found.level, "start a nats-server" in found.fix) == ("bad", True)
