"""A bench for the engine: clients that greet, register and send, and what came out, by name."""

import sys

import attrs
import pytest

from zmq_transport.access.origin import UNKNOWN, Origin, instance_of_user
from zmq_transport.kernel import Entry
from zmq_transport.proxy.engine import Engine
from zmq_transport.proxy.settings import Settings
from zmq_transport.proxy.tables import CUT, SEND
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.heads import Verb
from zmq_transport.wire.state_messages import QUESTION

EPOCH = b"epoch of proxy 1"
TASK = b"t" * 16
TRACE = b"r" * 16


@attrs.frozen
class Guest:
    """A client: what its connection is called, and its instance id."""

    connection: bytes
    instance: bytes
    secret: bytes = attrs.field(repr=False)


@attrs.frozen
class Sent:
    """One directed message that the engine wants sent, taken apart."""

    to: bytes
    verb: Verb
    peer: bytes
    number: int
    task: bytes
    address: bytes
    body: bytes


class Bench:
    """An engine and its clock."""

    def __init__(self, *, fast=True, reports_ends=False, access=None, **settings):
        self.published = []
        self.cuts = []
        self.lost_notices = []
        self.now_s = 100.0
        self.ears = 0
        self.engine = Engine(
            epoch=EPOCH,
            now_s=self.now_s,
            settings=Settings(**settings),
            lost_notice=self._lost_notice,
            reports_ends=reports_ends,
            fast=fast,
            access=access,
        )

    @staticmethod
    def ask_state():
        """Return the head and body that ask how the proxy is."""
        return heads.pack(Verb.ROSTER, len(QUESTION), task=b"q" * 16), QUESTION

    def _lost_notice(self, name, capabilities, instance, reason):
        self.lost_notices.append((name, capabilities, reason))
        return 20, reason.encode()

    @property
    def counts(self):
        return self.engine.counts

    def take(self, outputs):
        """Split outputs: directed ones are returned, broadcast ones kept in `published`."""
        self.published += [output[1:] for output in outputs if output[0] not in (SEND, CUT)]
        self.cuts += [(line, reason) for code, line, _, reason in outputs if code == CUT]
        return [self._sent(*output[1:]) for output in outputs if output[0] == SEND]

    @staticmethod
    def _sent(connection, head, body):
        peer, items, address = heads.unpack_items(head)
        verb, _, _, number, task, _, _ = items[0]
        return Sent(connection, Verb(verb), peer, number, task, address, bytes(body))

    def listen(self, topic, user=""):
        """Let somebody subscribe, over a connection of its own."""
        self.ears += 1
        self.engine.subscriptions.opened(self.ears)
        return self.engine.subscriptions.subscribe(topic, Origin(user, "host", self.ears))

    def publish(self, topic, publisher, caller=None, worker=heads.NOBODY, user="", body=b"news"):
        """Publish on a topic by a socket; return whether it was passed on."""
        caller = publisher if caller is None else caller
        header = heads.pack_header(publisher, 0, caller, worker)
        origin = self.origin(user, b"x-" + user.encode())
        return self.engine.on_publication([topic, header, body], self.now_s, origin)

    def say(self, who, head, body=b"", origin=UNKNOWN):
        connection = who.connection if isinstance(who, Guest) else who
        return self.take(self.engine.on_message(connection, head, body, self.now_s, origin))

    @staticmethod
    def origin(user, connection):
        """Return where a connection of a user comes from; its line is named like it."""
        return Origin(user, "host", connection) if user else UNKNOWN

    def hello(self, name, namespace="demo", connection=None, user="", **fields):
        """Say HELLO and return (who, what came out)."""
        secret = name.encode().ljust(16, b".")
        has_tag = user and not user.startswith("uid:")
        instance = instance_of_user(secret, user) if has_tag else heads.instance_of(secret)
        guest = Guest(connection or b"c-" + name.encode(), instance, secret)
        fields = {"runs": True, "access": bool(user), **fields}
        hello = greetings.Hello(secret, guest.instance, namespace, name, **fields)
        body = greetings.pack_hello(hello)
        origin = self.origin(user, guest.connection)
        return guest, self.say(guest, heads.pack(Verb.HELLO, len(body)), body, origin)

    def join(self, name, *seats, namespace="demo", capabilities=(), **fields):
        guest, sent = self.hello(name, namespace, **fields)
        assert sent[-1].verb is Verb.WELCOME
        for seat in seats:
            self.presence(guest, seat, capabilities=list(capabilities))
        return guest

    def presence(self, guest, seat, verb=Verb.REGISTER, kind=18, opaque=b"opaque", **facts):
        packed = greetings.pack_map(facts)
        items = [
            (int(verb), 0, 0, 0, heads.NOBODY, heads.NOBODY, len(packed)),
            (int(verb), 0, kind, 0, heads.NOBODY, heads.NOBODY, len(opaque)),
        ]
        head = heads.pack_items(items, address=heads.address_of(seat))
        return self.say(guest, head, packed + opaque)

    def task(self, guest, address=b"echo", task=TASK, ttl_ms=5000, body=b"question", flags=0):
        head = heads.pack(
            Verb.TASK,
            len(body),
            flags=flags,
            kind=1,
            number=ttl_ms,
            task=task,
            trace=TRACE,
            address=address,
        )
        return self.say(guest, head, body)

    def reply(self, guest, caller, task=TASK, settles=True, body=b"answer"):
        head = heads.pack(
            Verb.REPLY, len(body), peer=caller.instance, flags=settles, kind=2, task=task
        )
        return self.say(guest, head, body)

    def cut(self, guest):
        """Let a PING to a client fail, as it does when its connection is gone."""
        ping = heads.pack(Verb.PING)
        unsent = self.engine.on_unsent(guest.connection, ping, b"", False, self.now_s)
        return self.take(unsent)

    def unsent(self, sent_to, head, body=b"question", busy=False):
        return self.take(self.engine.on_unsent(sent_to.connection, head, body, busy, self.now_s))

    def tick(self, after_s=0.1):
        self.now_s += after_s
        return [each for each in self.take(self.engine.tick(self.now_s)) if each.verb != Verb.PING]


@pytest.fixture
def steps_of():
    """Count the lines of Python that a call runs, each turn of a loop included."""

    def count(function, *args):
        steps = 0

        def trace(frame, event, _):
            nonlocal steps
            steps += event == "line"
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            function(*args)
        finally:
            sys.settrace(before)
        return steps

    return count


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def bench_with():
    """Make a bench with settings of its own."""
    return Bench


@pytest.fixture
def entry_of():
    """Make a ledger entry: (task, seat) and what else matters."""

    def make(task, seat, caller=b"c" * 16, expires_at_s=1000.0, keep=False, body_bytes=7):
        address, trace = seat.address, TRACE
        return Entry(caller, task, trace, address, seat, expires_at_s, keep, body_bytes, 1000)

    return make
