"""A worker on a plain socket that does not read while it is told nothing.

`python deaf_worker.py HOST PORT NAMESPACE` takes the seat `deaf` and prints `ready`. To a line on
stdin with a number it reads that many TASKs, answers each, and prints `answered` and how many bytes
they had. Until then it reads nothing, as a program whose loop is blocked.
"""

import os
import socket
import sys

from zmq_transport import ItemFlag, Verb
from zmq_transport.kernel import encode_message
from zmq_transport.wire import greetings, heads
from zmq_transport.zmtp.connection import CLIENT, Connection, ConnectionState
from zmq_transport.zmtp.frame_writer import PROBE

MAX_BYTES = 64 * 1024 * 1024


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


class DeafWorker:
    """One connection to the directed port, and its seat."""

    def __init__(self, host, port):
        self._socket = socket.create_connection((host, port), 10.0)
        self._socket.settimeout(120.0)
        self._zmtp = Connection(CLIENT, MAX_BYTES)
        self._waiting = []
        self._socket.sendall(CLIENT.opening)
        while self._zmtp.state is not ConnectionState.OPEN:
            self._read()
        self._socket.sendall(PROBE)

    def take_seat(self, namespace):
        """Say HELLO and REGISTER; return when the seat is there."""
        secret = os.urandom(16)
        hello = greetings.Hello(secret, heads.instance_of(secret), namespace, "deaf")
        body = greetings.pack_hello(hello)
        self._send(heads.pack(Verb.HELLO, len(body)), body)
        self._next(Verb.WELCOME)
        facts = greetings.pack_map({"capabilities": []})
        items = [
            (int(Verb.REGISTER), 0, kind, 0, heads.NOBODY, heads.NOBODY, size)
            for kind, size in enumerate((len(facts), 0))
        ]
        self._send(heads.pack_items(items, address=heads.address_of("deaf")), facts)
        self._next(Verb.REGISTER)

    def answer_next(self):
        """Read a TASK and settle it; return the size of its body."""
        single, _ = self._next(Verb.TASK)
        caller, _, _, _, _, task, trace, size, _ = single
        settles = int(ItemFlag.SETTLES)
        reply = heads.pack(Verb.REPLY, 0, peer=caller, flags=settles, task=task, trace=trace)
        self._send(reply, b"")
        return size

    def _send(self, head, body):
        self._socket.sendall(encode_message(head, body))

    def _next(self, verb):
        """Return the next item with a verb, unpacked, and its body."""
        while True:
            while not self._waiting:
                self._read()
            single, body = self._waiting.pop(0)
            if single[1] == verb:
                return single, body

    def _read(self):
        data = self._socket.recv(1024 * 1024)
        if not data:
            raise ConnectionError("the proxy closed the connection")
        for head, body in self._zmtp.receive(data):
            each = heads.split(head, body)
            self._waiting += [(heads.unpack_single(head), body) for head, body in each]
        if self._zmtp.answers:
            self._socket.sendall(self._zmtp.take_answers())


def main(host, port, namespace):
    worker = DeafWorker(host, port)
    worker.take_seat(namespace)
    say("ready")
    for line in sys.stdin:
        say("answered", sum(worker.answer_next() for _ in range(int(line))))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
