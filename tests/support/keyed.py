"""A proxy with keys in a process of its own, its list of users, and bare sockets that join it."""

import json
import os

import zmq
from zmq.utils import z85

from support.transport import RunningProxy
from zmq_transport.access.origin import instance_of_user
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.heads import Verb

NAMESPACE = "test"
FAILED = (
    zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)
ENDS = zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_SUCCEEDED | FAILED


def key_pair():
    """Return a public and a secret key, 32 bytes each."""
    return tuple(z85.decode(key) for key in zmq.curve_keypair())


class Users:
    """A list of users that grows and shrinks.

    Attributes:
        keys: By name, the key pairs that it has or had.
    """

    def __init__(self):
        self.keys = {}
        self._users = {}
        self._grants = {}

    def allow(self, name, **grant):
        """List a new key under a name, with the arguments of a `Grant`; return the pair."""
        public, secret = key_pair()
        self.keys.setdefault(name, []).append((public, secret))
        self._users[public] = name
        self._grants[name] = grant
        return public, secret

    def allow_uid(self, uid, **grant):
        self._grants[f"uid:{uid}"] = grant

    def allow_again(self, name, **grant):
        """List all keys that a name ever had."""
        self._users.update({public: name for public, _ in self.keys[name]})
        self._grants[name] = grant

    def revoke(self, name):
        self._users = {public: user for public, user in self._users.items() if user != name}
        self._grants.pop(name, None)

    def revoke_key(self, public):
        del self._users[public]

    def as_json(self):
        return {
            "users": {public.hex(): name for public, name in self._users.items()},
            "grants": self._grants,
        }


class KeyedProxy(RunningProxy):
    """A proxy with keys.

    Args:
        children: The processes that are ended with the test.
        users: Who may come in at the start.
        options: See `proxy.py`.
    """

    def __init__(self, children, users, **options):
        self.users = users
        self.public, secret = key_pair()
        keys = {"public": self.public.hex(), "secret": secret.hex(), **users.as_json()}
        super().__init__(children, keys=keys, **options)

    def use_users(self):
        """Put the list of users in force as it is now."""
        self.child.tell("access " + json.dumps(self.users.as_json()))

    def count(self, name):
        return self.counts.get(name, 0)


class BareSocket:
    """A bare socket that joins a proxy, and what its monitor told.

    Args:
        context: Its context.
        kind: Its kind.
        endpoint: Where it connects.
        keys: Its key pair; None to speak no CURVE.
        proxy: The public key of the proxy.
        options: Any option of a socket.
    """

    def __init__(self, context, kind, endpoint, keys=None, proxy=None, **options):
        self.socket = context.socket(kind)
        self.socket.set(zmq.LINGER, 0)
        self.socket.set(zmq.RECONNECT_IVL, 20)
        if keys is not None:
            self.socket.set(zmq.CURVE_PUBLICKEY, keys[0])
            self.socket.set(zmq.CURVE_SECRETKEY, keys[1])
            self.socket.set(zmq.CURVE_SERVERKEY, proxy)
        for name, value in options.items():
            self.socket.set(getattr(zmq, name), value)
        self.monitor = self.socket.get_monitor_socket(ENDS)
        self.told = []
        self.socket.connect(endpoint)

    def close(self):
        if self.socket.closed:
            return
        self.socket.disable_monitor()
        self.monitor.close(0)
        self.socket.close(0)

    def events(self):
        """Return the events so far, as numbers."""
        while self.monitor.poll(0):
            event, _ = self.monitor.recv_multipart()
            self.told.append(int.from_bytes(event[:2], "little"))
        return self.told

    def is_in(self):
        """Tell whether it is connected."""
        told = [each for each in self.events() if each != zmq.EVENT_CONNECTED]
        return bool(told) and told[-1] == zmq.EVENT_HANDSHAKE_SUCCEEDED

    def was_refused(self):
        return any(each & FAILED for each in self.events())


class BareMember(BareSocket):
    """A client on a DEALER that says HELLO."""

    def __init__(self, context, endpoint, keys=None, proxy=None, user="", **options):
        super().__init__(context, zmq.DEALER, endpoint, keys, proxy, **options)
        self.secret = os.urandom(16)
        self.instance = instance_of_user(self.secret, user)
        self.heard = []

    def say(self, verb, body=b"", **fields):
        self.socket.send_multipart([heads.pack(verb, len(body), **fields), body])

    def say_hello(self, namespace=NAMESPACE):
        hello = greetings.Hello(self.secret, self.instance, namespace, "bare")
        self.say(Verb.HELLO, greetings.pack_hello(hello))

    def verbs(self):
        """Return the verbs that came so far; `heard` has them with their bodies."""
        while self.socket.poll(0):
            head, body = self.socket.recv_multipart()
            _, [(verb, *_), *_], _ = heads.unpack_items(head)
            self.heard.append((verb, body))
        return [verb for verb, _ in self.heard]

    def body_of(self, verb):
        """Return the map in the last message of a verb."""
        self.verbs()
        found = [body for each, body in self.heard if each == verb]
        return greetings.unpack_map(found[-1]) if found else None
