"""A ROUTER of libzmq: which connection an id belongs to, when descriptors are used again."""

import pytest
import zmq

from zmq_transport.access.origin import UNKNOWN
from zmq_transport.proxy.libzmq_router import LibzmqRouter
from zmq_transport.proxy.line_table import LibzmqConnection
from zmq_transport.proxy.poller import Poller

OLD, NEW = b"\0\0\0\0\7", b"\0\0\0\0\x08"
LINE, NEXT_LINE = (20, 1), (20, 2)


class Lines:
    """Connections that have one descriptor in turn; `follow` reads what the monitor told."""

    def __init__(self):
        self.monitor = None
        self.now = LibzmqConnection(LINE, 0.0)
        self.told = []
        self.on_ended = None

    def follow(self, now_s):
        for each in self.told:
            self.on_ended(self.now)
            self.now = each
        self.told.clear()

    def connection_of(self, frame, now_s):
        return self.now

    def watch(self, now_s):
        pass

    def close(self):
        pass


class Bench:
    """A router whose connections are made up, and what it hands over."""

    def __init__(self, monkeypatch, socket):
        self.lines, self.heard, self.ended = Lines(), [], []
        monkeypatch.setattr(
            "zmq_transport.proxy.libzmq_router.LineTable", lambda *unused: self.lines
        )
        self.router = LibzmqRouter(
            socket, None, None, Poller(), self._on_message, self._on_end, lambda name: True
        )

    def _on_message(self, name, frames, now_s, alone, origin):
        self.heard.append((name, origin))

    def _on_end(self, name, now_s):
        self.ended.append(name)

    def say(self, name):
        self.router._hand_over([name, b"head", b"body"], 0.0, True)

    def tick(self):
        for _ in range(3):
            self.router.tick(0.0)


@pytest.fixture
def bench(monkeypatch):
    with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
        yield Bench(monkeypatch, socket)


def test_a_connection_on_the_descriptor_of_one_that_ended_is_not_taken_for_it(bench):
    bench.say(OLD)
    bench.lines.told.append(LibzmqConnection(NEXT_LINE, 0.0))

    bench.say(NEW)
    bench.tick()

    assert bench.lines.now.name == NEW
    assert bench.ended == [OLD]


def test_the_last_words_of_one_that_ended_do_not_take_the_next_connection(bench):
    bench.say(OLD)
    bench.lines.told.append(LibzmqConnection(NEXT_LINE, 0.0))
    bench.say(NEW)

    bench.say(OLD)
    bench.tick()

    assert bench.heard[-1] == (OLD, UNKNOWN)
    assert bench.lines.now.name == NEW
    assert bench.ended == [OLD]
