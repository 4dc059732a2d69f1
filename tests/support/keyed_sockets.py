"""Sockets of libzmq with keys, each with its ZAP handler: what a proxy with keys shows at first."""

import contextlib
import threading

import zmq
from zmq.utils import z85

from zmq_transport.access.curve_keys import ClientKeys, KeyPair

ZAP = "inproc://zeromq.zap.01"


def key_pair():
    """Return a new key pair."""
    public, secret = zmq.curve_keypair()
    return KeyPair(z85.decode(public), z85.decode(secret))


def keys_of(user, *proxies):
    """Return the keys of a client that expects these public keys."""
    return ClientKeys(user, key_pair(), proxies)


class KeyedSockets:
    """Sockets that let in whose key is in `listed`.

    Attributes:
        listed: The public keys.
        tries: How often anybody showed a key.
    """

    def __init__(self, context, pair):
        self.listed = set()
        self.tries = 0
        self._context = context
        self._pair = pair
        self._stop = threading.Event()
        self._answering = threading.Thread(target=self._answer, name="zap")
        self._ready = threading.Event()
        self._answering.start()
        assert self._ready.wait(10)
        self._sockets = []

    def bound(self, kind, port=None, host="127.0.0.1"):
        """Return the port of a new socket."""
        socket = self._context.socket(kind)
        self._sockets.append(socket)
        socket.linger = 0
        socket.set(zmq.CURVE_SERVER, 1)
        socket.set(zmq.CURVE_SECRETKEY, self._pair.secret)
        socket.set(zmq.CURVE_PUBLICKEY, self._pair.public)
        socket.set(zmq.ZAP_DOMAIN, b"test")
        socket.set(zmq.ZAP_ENFORCE_DOMAIN, 1)
        if port is None:
            return socket.bind_to_random_port("tcp://127.0.0.1")
        socket.bind(f"tcp://{host}:{port}")
        return port

    def close(self):
        for each in self._sockets:
            each.close()
        self._stop.set()
        self._answering.join()

    def _answer(self):
        with self._context.socket(zmq.REP) as handler:
            handler.linger = 0
            handler.bind(ZAP)
            self._ready.set()
            while not self._stop.is_set():
                if handler.poll(10):
                    _, number, _, _, _, _, public = handler.recv_multipart()
                    self.tries += 1
                    said = (b"200", b"OK") if public in self.listed else (b"400", b"not listed")
                    handler.send_multipart((b"1.0", number, *said, b"user", b""))


@contextlib.contextmanager
def keyed_sockets(pair):
    """Open sockets in a context of their own."""
    with zmq.Context() as context:
        opened = KeyedSockets(context, pair)
        try:
            yield opened
        finally:
            opened.close()
