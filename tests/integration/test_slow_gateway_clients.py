"""Clients of a gateway that do not read while a Neuron floods: they are told what they missed."""

import http.client
import json
import socket
import threading
from urllib.parse import urlsplit

import pytest

from cosmonapse import Axon
from cosmonapse.dendrite.caller.signal_buffer import MAX_SIGNALS
from support.gateways import serving

COUNT = 3 * MAX_SIGNALS
DONE_S = 60.0


def said(number):
    """Return a thought: all of them are more than what the sockets in between hold."""
    return f"{number} ".ljust(64)


class Flood:
    """A Neuron that says far more than a gateway keeps, and says when it has."""

    def __init__(self):
        self.done = threading.Event()

    async def __call__(self, input, context):
        for number in range(COUNT):
            yield said(number)
        self.done.set()
        yield {"count": COUNT}


def echo(input, context):
    return input


@pytest.fixture
def flood():
    return Flood()


@pytest.fixture
def gateway(url, flood):
    axons = Axon(neuron_id="flood", neuron_fn=flood), Axon(neuron_id="echo", neuron_fn=echo)
    with serving(url, *axons, flags=["--http", "--mcp"]) as running:
        yield running


def begun(gateway, method, path, accept):
    """Ask with a small receive buffer, and return the connection and the response, unread."""
    place = urlsplit(gateway.base_url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=DONE_S)
    connection.sock = socket.socket()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    connection.sock.settimeout(DONE_S)
    connection.sock.connect((place.hostname, place.port))
    headers = {**gateway.headers, "Accept": accept, "Content-Type": "application/json"}
    connection.request(method, path, body="{}" if method == "POST" else None, headers=headers)
    return connection, connection.getresponse()


def wait_for_flood(gateway, flood):
    """Return when all of the flood is at the gateway: what its worker says next comes after it."""
    assert flood.done.wait(DONE_S)
    with gateway.client(timeout=DONE_S) as client:
        assert client.post("/neurons/echo", json={"a": 1}).json() == {"a": 1}


def events_of(body):
    """Return the names and values of the events in a body."""
    found = []
    for event in body.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in event.splitlines() if line[:1] != ":")
        if lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


def told_numbers(events, delta_of):
    """Return the number of every thought; each that is missing stands in a gap at its place."""
    at = 0
    for name, value in events:
        if name == "gap":
            at += value["missed"]
        elif delta_of(name, value) is not None:
            assert delta_of(name, value) == said(at)
            at += 1
    return at


def test_events_tell_how_many_signals_are_missing_at_their_place(gateway, flood):
    connection, response = begun(gateway, "POST", "/neurons/flood", "text/event-stream")
    wait_for_flood(gateway, flood)

    events = events_of(response.read().decode())
    connection.close()

    assert "gap" in [name for name, _ in events]
    assert events[-1] == ("output", {"count": COUNT})
    deltas = told_numbers(events, lambda name, value: value["delta"] if name == "thought" else None)
    assert deltas == COUNT


def test_a_text_that_is_not_whole_breaks_off(gateway, flood):
    connection, response = begun(gateway, "POST", "/neurons/flood", "text/plain")
    wait_for_flood(gateway, flood)

    with pytest.raises(http.client.IncompleteRead) as broken:
        response.read()
    connection.close()

    numbers = broken.value.partial.decode().split()
    assert numbers == [str(number) for number in range(len(numbers))]
    assert len(numbers) < COUNT
