"""A stand-in for a proxy that stands by: it asks who comes, and lets nobody in."""

import threading

import zmq

from zmq_transport.wire import greetings, heads
from zmq_transport.wire.heads import Verb

VERSIONS = greetings.pack_map({"speaks": [1, 1]})
WHO = heads.pack(Verb.WHO, len(VERSIONS)), VERSIONS


class Standby:
    """A ROUTER that refuses each HELLO with `standby`.

    Args:
        fabric: The URLs that it names.
        holds: True to leave a HELLO that says `alone` without an answer.

    Attributes:
        hellos: Those that came.
        port: Where it listens.
    """

    def __init__(self, *fabric, holds=False):
        refusal = {"reason": "it stands by", "code": "standby", "fabric": list(fabric)}
        self._refusal = greetings.pack_map(refusal)
        self._holds = holds
        self._ends = threading.Event()
        self.hellos = []

    def __enter__(self):
        self._context = zmq.Context()
        self._router = self._context.socket(zmq.ROUTER)
        self._router.linger = 0
        self.port = self._router.bind_to_random_port("tcp://127.0.0.1")
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()
        self._router.close()
        self._context.term()

    def _run(self):
        while not self._ends.is_set():
            if self._router.poll(20):
                self._answer(*self._router.recv_multipart())

    def _answer(self, connection, head, body=b""):
        if not head:
            self._router.send_multipart([connection, *WHO])
            return
        if heads.unpack_single(head)[1] != Verb.HELLO:
            return
        hello = greetings.unpack_hello(body)
        self.hellos.append(hello)
        if not (self._holds and hello.alone):
            head = heads.pack(Verb.REFUSED, len(self._refusal))
            self._router.send_multipart([connection, head, self._refusal])
