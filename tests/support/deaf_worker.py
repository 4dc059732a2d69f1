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
        self.socket = socket.create_connection((host, port), 10.0)
        self.socket.settimeout(120.0)
        self._zmtp = Connection(CLIENT, MAX_BYTES)
        self._waiting = []
        self._unanswered = []
        self.socket.sendall(CLIENT.opening)
        while self._zmtp.state is not ConnectionState.OPEN:
            self._read()
        self.socket.sendall(PROBE)

    def take_seat(self, namespace):
        """Say HELLO and REGISTER; return when the seat is there."""
        self.say_hello(namespace)
        facts = greetings.pack_map({"capabilities": []})
        items = [
            (int(Verb.REGISTER), 0, kind, 0, heads.NOBODY, heads.NOBODY, size)
            for kind, size in enumerate((len(facts), 0))
        ]
        self.send(heads.pack_items(items, address=heads.address_of("deaf")), facts)
        self._next(Verb.REGISTER)

    def say_hello(self, namespace):
        """Say HELLO; return once it is welcome."""
        secret = os.urandom(16)
        hello = greetings.Hello(secret, heads.instance_of(secret), namespace, "deaf")
        body = greetings.pack_hello(hello)
        self.send(heads.pack(Verb.HELLO, len(body)), body)
        self._next(Verb.WELCOME)

    def read_task(self):
        """Read a TASK, to be answered; return the size of its body."""
        (caller, _, _, _, _, task, trace, size, _), _ = self._next(Verb.TASK)
        self._unanswered.append((caller, task, trace))
        return size

    def answer_all(self):
        """Settle each TASK that was read."""
        settles = int(ItemFlag.SETTLES)
        for caller, task, trace in self._unanswered:
            head = heads.pack(Verb.REPLY, 0, peer=caller, flags=settles, task=task, trace=trace)
            self.send(head, b"")
        self._unanswered.clear()

    def send(self, head, body):
        """Send a message."""
        self.socket.sendall(encode_message(head, body))

    def read_one(self, *verbs):
        """Return the verb of the next item with one of these."""
        return self._next(*verbs)[0][1]

    def _next(self, *verbs):
        """Return the next item with one of these verbs, unpacked, and its body."""
        while True:
            while not self._waiting:
                self._read()
            single, body = self._waiting.pop(0)
            if single[1] in verbs:
                return single, body

    def _read(self):
        data = self.socket.recv(1024 * 1024)
        if not data:
            raise ConnectionError("the proxy closed the connection")
        for head, body in self._zmtp.receive(data):
            each = heads.split(head, body)
            self._waiting += [(heads.unpack_single(head), body) for head, body in each]
        if self._zmtp.answers:
            self.socket.sendall(self._zmtp.take_answers())


def main(host, port, namespace):
    worker = DeafWorker(host, port)
    worker.take_seat(namespace)
    say("ready")
    for line in sys.stdin:
        size = sum(worker.read_task() for _ in range(int(line)))
        worker.answer_all()
        say("answered", size)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
