"""Several proxies that stand by for each other, each in a process of its own, and bare clients."""

import json
import os
import time
from pathlib import Path

import zmq

from support.processes import TIMEOUT_S, free_ports
from zmq_transport.access.origin import instance_of_user
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.heads import Verb

PROXY = Path(__file__).with_name("proxy.py")
NAMESPACE = "test"


class Member:
    """One proxy of a fabric, which can be started again.

    Args:
        children: The processes that are ended with the test.
        peers: The others, as pairs of host and port.
        port: Its port.
        options: See `proxy.py`.
    """

    def __init__(self, children, peers, port, **options):
        self._children = children
        self._options = {"peers": peers, **options}
        self.port = port
        self.url = f"cosmo://127.0.0.1:{port}"
        self.start()

    def start(self):
        self.child = self._children.start(
            PROXY, self.port, json.dumps(self._options), merge_stderr=True
        )
        self.child.line("listening")

    def news(self, kind, count=1):
        """Wait until something was told so often; return what stood behind it, the last time."""
        found = self.child.lines(f"news {kind}", count)
        assert len(found) >= count, self.child.said
        return found[-1]

    def counts(self, tag):
        self.child.tell(tag)
        return json.loads(self.child.line(f"counts {tag}").text)


def pair(children, **options):
    """Start two proxies that know each other; each hears the other when this returns."""
    ports = free_ports(), free_ports()
    first, second = (
        Member(children, [["127.0.0.1", ports[1 - at]]], ports[at], **options) for at in (0, 1)
    )
    for each in (first, second):
        each.news("hears_no_leader")
    return first, second


class Guest:
    """A bare client: a DEALER, and what it is answered.

    Args:
        port: Where it connects.
        keys: Its own public and secret key, and the public key of the proxy.
        user: The name of its key.
    """

    def __init__(self, port, keys=None, user=""):
        self._socket = zmq.Context.instance().socket(zmq.DEALER)
        self._socket.set(zmq.LINGER, 0)
        if keys is not None:
            for option, key in zip(
                (zmq.CURVE_PUBLICKEY, zmq.CURVE_SECRETKEY, zmq.CURVE_SERVERKEY), keys, strict=True
            ):
                self._socket.set(option, key)
        self._secret, self._user = os.urandom(16), user
        self._ends = self._socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self._socket.connect(f"tcp://127.0.0.1:{port}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.disable_monitor()
        self._ends.close()
        self._socket.close()

    def was_cut(self):
        """Wait for the end of its connection; return whether it came."""
        return bool(self._ends.poll(TIMEOUT_S * 1000))

    def say_hello(self, *, alone=False):
        hello = greetings.Hello(
            self._secret,
            instance_of_user(self._secret, self._user),
            NAMESPACE,
            "guest",
            publish=True,
            runs=True,
            access=bool(self._user),
            alone=alone,
        )
        body = greetings.pack_hello(hello)
        self.send(heads.pack(Verb.HELLO, len(body)), body)

    def send(self, head, body=b""):
        self._socket.send_multipart([head, body])

    def receive(self, *verbs):
        """Wait for a message with one of these verbs; return its verb and body."""
        while self._socket.poll(TIMEOUT_S * 1000):
            found = self._next(verbs)
            if found is not None:
                return found
        raise AssertionError(f"none of {verbs} came")

    def answer(self, *verbs):
        """Wait as `receive` does; return the verb, or None if its connection ended instead.

        A proxy that leaves says nothing to who has not been welcomed: the end is all it is told.
        """
        both = zmq.Poller()
        both.register(self._socket, zmq.POLLIN)
        both.register(self._ends, zmq.POLLIN)
        while both.poll(TIMEOUT_S * 1000):
            if not self._socket.poll(0):
                return None
            found = self._next(verbs)
            if found is not None:
                return found[0]
        raise AssertionError(f"neither one of {verbs} nor an end came")

    def _next(self, verbs):
        """Read a message; return its verb and body if it has one of these verbs."""
        head, body = self._socket.recv_multipart()
        verb = Verb(heads.fields_of(head).verb)
        if verb is Verb.WHO and Verb.WHO not in verbs:
            self.say_hello()
        return (verb, body) if verb in verbs else None

    def waits_for(self, verb, timeout_s):
        """Return whether a message with a verb comes in that time."""
        until_s = time.monotonic() + timeout_s
        while self._socket.poll(max(0.0, until_s - time.monotonic()) * 1000):
            head, _ = self._socket.recv_multipart()
            if heads.fields_of(head).verb == verb:
                return True
        return False

    def greet(self, *, alone=False):
        """Say HELLO; return the verb of the answer, and its fields."""
        self.say_hello(alone=alone)
        verb, body = self.receive(Verb.WELCOME, Verb.REFUSED)
        return verb, greetings.unpack_map(body)


def greet(port, *, alone=False, **options):
    """Return how a proxy greets a client that has just come."""
    with Guest(port, **options) as guest:
        return guest.greet(alone=alone)
