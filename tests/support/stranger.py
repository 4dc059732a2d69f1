"""A bare peer of a Synapse that sends any message, and a Synapse of another version."""

import contextlib
import os
import threading

import zmq

from support.rude import rude_sockets
from zmq_transport import Verb
from zmq_transport.wire import greetings, heads

TIMEOUT_MS = 5000


class Stranger:
    """One connection to the directed port; it knows the wire and none of its rules."""

    def __init__(self, socket):
        self._socket = socket
        self.secret = os.urandom(16)
        self.instance = heads.instance_of(self.secret)

    def say(self, verb, body=b"", **fields):
        """Send one message that has the form of one."""
        self.send(heads.pack(verb, len(body), **fields), body)

    def send(self, *frames):
        """Send any frames."""
        self._socket.send_multipart(frames)

    def heard(self, wait_ms=TIMEOUT_MS):
        """Return verb, body and task id of the next message; None if none arrives in time."""
        if not self._socket.poll(wait_ms):
            return None
        head, body = self._socket.recv_multipart()
        single = heads.unpack_single(head)
        return Verb(single[1]), body, single[5]

    def raw(self, wait_ms=TIMEOUT_MS):
        """Return the frames of the next message."""
        assert self._socket.poll(wait_ms), "no message came in time"
        return self._socket.recv_multipart()

    def answers_to(self, verb, body=b"", **fields):
        """Send a message and return the next one that is not a PING."""
        self.say(verb, body, **fields)
        while (heard := self.heard()) is not None and heard[0] is Verb.PING:
            pass
        return heard

    def joins(self, namespace):
        """Send a valid HELLO."""
        hello = greetings.Hello(self.secret, self.instance, namespace, "stranger")
        verb, body, _ = self.answers_to(Verb.HELLO, greetings.pack_hello(hello))
        assert verb is Verb.WELCOME, body


@contextlib.contextmanager
def stranger(port):
    """Connect a stranger."""
    with rude_sockets(zmq.DEALER, port) as (socket,):
        yield Stranger(socket)


@contextlib.contextmanager
def false_synapse(*answer):
    """Answer every message with the same frames; yield the port."""
    stop = threading.Event()

    def serve(router):
        while not stop.is_set():
            if router.poll(10):
                router.send_multipart([router.recv_multipart()[0], *answer])

    with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
        router.linger = 0
        port = router.bind_to_random_port("tcp://127.0.0.1")
        serving = threading.Thread(target=serve, args=(router,))
        serving.start()
        try:
            yield port
        finally:
            stop.set()
            serving.join()
