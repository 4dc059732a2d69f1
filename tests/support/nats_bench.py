"""A term of a router among clients made by hand: no nats-server, and no clock but this one."""

import random
from collections import Counter

import attrs

from cosmonapse.synapse.nats import frames, subjects
from cosmonapse.synapse.nats.frames import Tag
from cosmonapse.synapse.nats.post import RouterContext
from cosmonapse.synapse.nats.router_state import RouterFigures
from cosmonapse.synapse.nats.router_term import RouterTerm
from zmq_transport.proxy.settings import Settings
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.heads import Verb

ROUTER = b"R" * 16
NOW_S = 1000.0
BODY = b"work"
_DICE = random.Random(7)


@attrs.define
class Message:
    """As much of a message of nats-py as a router reads."""

    subject: str
    data: bytes = b""
    reply: str = ""
    headers: dict[str, str] | None = None


class FakePost:
    """Records what is sent, and paces when it is told to."""

    def __init__(self, max_payload=1_000_000):
        self.max_payload = max_payload
        self.is_connected = True
        self.waiting_bytes = 0
        self.sent = []
        self.paced = {}

    def publish(self, subject, data, reply=""):
        assert len(data) <= self.max_payload
        self.sent.append((subject, bytes(data), reply))

    def pace(self, key, hand_over):
        self.paced.setdefault(key, hand_over)

    def pump(self, budget_bytes=1_000_000):
        """Hand over everything that waits."""
        while self.paced:
            key = next(iter(self.paced))
            hand_over = self.paced.pop(key)
            if hand_over(budget_bytes):
                self.paced[key] = hand_over

    def take(self, subject=""):
        """Remove and return what was sent to a subject, or to all."""
        taken = [each for each in self.sent if subject in ("", each[0])]
        self.sent = [each for each in self.sent if each not in taken]
        return taken


class Bench:
    """A term that serves everything, and the means to be a client of it."""

    def __init__(self, max_payload=1_000_000, claim=True, dead_after_s=15.0, **options):
        always_publish = options.pop("always_publish", False)
        self.now_s = NOW_S
        self.post, self.topics = FakePost(max_payload), FakePost(max_payload)
        self.counts = Counter()
        self.notices = []
        self.figures = RouterFigures(self.counts, NOW_S)
        context = RouterContext(
            ROUTER,
            self.post,
            self.topics,
            Settings(**options),
            self.counts,
            None,
            always_publish,
            dead_after_s,
            self.state,
        )
        self.term = RouterTerm(context, NOW_S, self.notices.append)
        if claim:
            self.tick(0.1)
            self.post.take()

    def tick(self, seconds=0.1):
        """Let time pass, in steps of a tick."""
        until_s = self.now_s + seconds
        while self.now_s < until_s - 1e-9:
            self.now_s += min(0.1, until_s - self.now_s)
            self.term.tick(self.now_s)
            self.figures.tick(self.now_s)

    def state(self, draining, now_s):
        return self.figures.state(self.engines, draining, now_s)

    def client(self, name="1", namespace="demo", user="-"):
        """Return a client that has said nothing yet."""
        return BenchClient(self, namespace, user, name.rjust(16, "0"))

    def gone(self, subject):
        """Say of everything that was sent there that nobody reads it."""
        for _, _, reply in self.post.take(subject):
            if reply:
                self.no_responders(reply)

    def no_responders(self, reply):
        self.term.on_gone(Message(reply, headers={"Status": "503"}), self.now_s)
        self.term.flush()

    @property
    def engines(self):
        return [slot.engine for slot in self.term.slots.values()]


class BenchClient:
    """One connection of a client."""

    def __init__(self, bench, namespace, user, connection):
        self.bench, self.namespace = bench, namespace
        self.up = subjects.up(namespace, ROUTER, user, connection)
        self.down = subjects.down(namespace, user, connection)
        self.heard_at = subjects.heard(namespace, user, connection)
        self.secret = _DICE.randbytes(16)
        self.instance = heads.instance_of(self.secret)

    def say(self, data):
        """Send a message as it is."""
        self.bench.term.on_up(Message(self.up, data), self.bench.now_s)
        self.bench.term.flush()

    def send(self, head, body=b""):
        self.say(frames.pack_directed(head, body))

    def greet(self, namespace=None, calls=True):
        """Say HELLO; return the verbs of what comes back."""
        hello = greetings.Hello(
            self.secret, self.instance, namespace or self.namespace, "name", b"", calls=calls
        )
        body = greetings.pack_hello(hello)
        self.send(heads.pack(Verb.HELLO, len(body)), body)
        return [verb for verb, _, _ in self.take()]

    def serve(self, name):
        """Register a seat."""
        facts = greetings.pack_map({"capabilities": []})
        item = (int(Verb.REGISTER), 0, 0, 0, heads.NOBODY, heads.NOBODY)
        self.send(heads.pack_items([(*item, len(facts)), (*item, 0)], address=name), facts)

    def task(self, address, number=1, body=BODY):
        head = heads.pack(
            Verb.TASK,
            len(body),
            number=10_000,
            task=number.to_bytes(16, "big"),
            trace=b"t" * 16,
            address=address,
        )
        self.send(head, body)

    def raw(self):
        """Remove and return the messages to this client, as bytes."""
        return [data for _, data, _ in self.bench.post.take(self.down)]

    def take(self):
        """Remove and return the directed messages to it: verb, head and body of each."""
        found = []
        for data in self.raw():
            if frames.tag_of(data) == Tag.DIRECTED:
                head, body = frames.unpack_directed(data)
                found += [(Verb(item[0]), head, body) for item in heads.unpack_items(head)[1]]
        return found

    def heard(self):
        """Remove and return topic, header and body of what came to its listening line."""
        found = self.bench.topics.take(self.heard_at)
        return [frames.unpack_publication(data) for _, data, _ in found]

    def told(self):
        """Remove and return the tags of what is no directed message."""
        return [Tag(frames.tag_of(data)) for data in self.raw() if data[0] != Tag.DIRECTED]
