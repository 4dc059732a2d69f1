"""Whether a Synapse answers at an address, from the first bytes alone."""

import contextlib
import socket
import threading
import time

import pytest

from cosmonapse import SynapseServer
from cosmonapse.key_ring import make_folder
from cosmonapse.synapse.access import new_pair
from zmq_transport import TcpEndpoint, greets

TIMEOUT_S = 5.0


@pytest.mark.parametrize("carrier", ["zmtp", "libzmq"])
def test_a_synapse_answers(carrier):
    with SynapseServer(port=0, carrier=carrier) as server:
        port = int(server.url.rpartition(":")[2])

        assert greets(TcpEndpoint("127.0.0.1", port), TIMEOUT_S)


def test_a_synapse_with_keys_answers_one_that_has_none(tmp_path):
    make_folder(str(tmp_path / "keys"), *new_pair())
    with SynapseServer(port=0, keys=tmp_path / "keys") as server:
        port = int(server.url.rpartition(":")[2])

        assert greets(TcpEndpoint("127.0.0.1", port), TIMEOUT_S)


@contextlib.contextmanager
def answering(text):
    """Listen, and answer each connection with some bytes; None for none."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(TIMEOUT_S)

        def serve():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    if text is not None:
                        connection.sendall(text)
                    connection.recv(1024)
                    connection.settimeout(TIMEOUT_S)
                    connection.recv(1024)

        thread = threading.Thread(target=serve)
        thread.start()
        yield TcpEndpoint(*listener.getsockname())
    thread.join()


@pytest.mark.parametrize("text", [b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9, b"\xff" + b"x" * 63 * 9])
def test_something_else_is_no_synapse(text):
    with answering(text) as endpoint:
        assert not greets(endpoint, 0.3)


def test_one_that_says_nothing_costs_the_time_and_no_more():
    with answering(None) as endpoint:
        began_s = time.monotonic()

        assert not greets(endpoint, 0.3)
        assert 0.3 <= time.monotonic() - began_s < TIMEOUT_S


def test_nobody_is_told_at_once():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = TcpEndpoint(*listener.getsockname())

    assert not greets(endpoint, TIMEOUT_S)
