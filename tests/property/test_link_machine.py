"""Engine and Links joined by pipes that break, and lose what is in them, at any time."""

from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from support.examples import examples
from zmq_transport.client.link import Link, LinkEvent
from zmq_transport.client.outbox import Outbox
from zmq_transport.client.session import State
from zmq_transport.proxy.engine import Engine
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.heads import Verb

WHO = st.integers(0, 2)
COUNT = st.integers(1, 4)


class Wired:
    """A Link with its outbox and the two pipes of its connection."""

    def __init__(self, number):
        self.link = Link(bytes([number]) * 16, "space", f"client-{number}")
        self.outbox = Outbox()
        self.connection = b""
        self.up, self.down = deque(), deque()
        self.late_disconnects = 0
        self.registered, self.accepted = False, []
        self.sent = 0
        self.link.start()

    def do(self, occurrences):
        for happening, *arguments in occurrences:
            if happening is LinkEvent.WRITE and self.connection:
                self.up.append(tuple(arguments))
            elif happening is LinkEvent.RETURNED:
                self.outbox.put_back(*arguments, None)
            elif happening is LinkEvent.REGISTERED:
                self.registered = True
            self.flush()

    def flush(self):
        while self.link.ready and self.connection and (message := self.outbox.first(0.0)):
            self.up.append(message)
            self.outbox.sent()

    def send_numbered(self):
        self.sent += 1
        task = self.sent.to_bytes(16, "big")
        head = heads.pack(Verb.TASK, number=1000, task=task, address=b"nobody")
        self.outbox.push(head, b"", None)
        self.flush()


class LinkMachine(RuleBasedStateMachine):
    """What happens between a proxy and its clients, connection by connection."""

    def __init__(self):
        super().__init__()
        self.now_s, self.turn = 100.0, 0
        self.clients = [Wired(number) for number in range(3)]
        self.start_engine()

    def start_engine(self):
        self.turn += 1
        self.engine = Engine(epoch=self.turn.to_bytes(16, "big"), now_s=self.now_s)

    def perform(self, outputs):
        waiting = deque(outputs)
        by_connection = {client.connection: client for client in self.clients if client.connection}
        while waiting:
            _, connection, head, body = waiting.popleft()
            client = by_connection.get(connection)
            if client is None:
                waiting += self.engine.on_unsent(connection, head, body, False, self.now_s)
                continue
            single = heads.unpack_single(head)
            if single is not None and single[1] == Verb.BOUNCE:
                client.accepted.append(int.from_bytes(single[5], "big"))
            client.down.append((head, body))

    @rule(who=WHO, unsent=st.integers(0, 3), keeps=st.booleans())
    def connect(self, who, unsent, keeps):
        """Connect anew; `keeps` lets what was not yet sent go out behind the probe."""
        client = self.clients[who]
        for _ in range(unsent):
            client.send_numbered()
        if client.link.session.state is State.CLOSED:
            return
        if client.connection:
            client.late_disconnects += 1
        self.turn += 1
        client.connection = self.turn.to_bytes(5, "big")
        kept = [
            m for m in client.up if keeps and m[0] and heads.unpack_single(m[0])[1] == Verb.TASK
        ]
        client.up, client.down = deque([(b"", b""), *kept]), deque()

    @rule(who=WHO)
    def disconnect(self, who):
        client = self.clients[who]
        if client.connection:
            client.connection = b""
            client.up.clear()
            client.down.clear()
            client.late_disconnects += 1

    @rule(who=WHO)
    def tell_of_the_disconnection(self, who):
        client = self.clients[who]
        if client.late_disconnects:
            client.late_disconnects -= 1
            client.do(client.link.on_disconnected())

    @rule(who=WHO, count=COUNT)
    def proxy_reads(self, who, count):
        client = self.clients[who]
        for _ in range(min(count, len(client.up))):
            head, body = client.up.popleft()
            self.perform(self.engine.on_message(client.connection, head, body, self.now_s))

    @rule(who=WHO, count=COUNT)
    def client_reads(self, who, count):
        client = self.clients[who]
        for _ in range(min(count, len(client.down))):
            client.do(client.link.on_message(*client.down.popleft()))

    @rule(who=WHO, count=COUNT)
    def client_sends(self, who, count):
        for _ in range(count):
            self.clients[who].send_numbered()

    @rule()
    def proxy_dies_and_comes_back(self):
        for who in range(len(self.clients)):
            self.disconnect(who)
        self.start_engine()

    @rule(step_s=st.sampled_from([0.1, 0.5, 1.0, 7.0]))
    def time_passes(self, step_s):
        self.now_s += step_s
        self.perform(self.engine.tick(self.now_s))

    @rule(who=WHO)
    def client_leaves(self, who):
        client = self.clients[who]
        if client.link.session.state not in (State.LEAVING, State.CLOSED):
            client.do(client.link.leave())

    @rule()
    def let_everything_arrive(self):
        for who, client in enumerate(self.clients):
            while client.late_disconnects or client.up or client.down:
                self.tell_of_the_disconnection(who)
                self.proxy_reads(who, 100)
                self.client_reads(who, 100)

    def be_quiet(self):
        for who, client in enumerate(self.clients):
            if not client.connection:
                self.connect(who, unsent=0, keeps=False)
        for _ in range(3):
            self.let_everything_arrive()
            self.time_passes(1.1)
            for client in self.clients:
                client.do(client.link.hello_again())
        self.let_everything_arrive()

    def teardown(self):
        self.be_quiet()
        for client in self.clients:
            state = client.link.session.state
            assert state in (State.READY, State.CLOSED)
            assert client.accepted == sorted(set(client.accepted))
            if state is State.READY:
                assert not len(client.outbox)
                self.check_a_seat(client)

    def check_a_seat(self, client):
        facts = greetings.pack_map({})
        items = [
            (int(Verb.REGISTER), 0, 0, 0, heads.NOBODY, heads.NOBODY, n) for n in (len(facts), 0)
        ]
        client.up.append((heads.pack_items(items, address=b"seat"), facts))
        self.let_everything_arrive()
        assert client.registered
        assert self.engine.tables.peers.by_instance[client.link.instance].seats


LinkMachine.TestCase.settings = settings(max_examples=examples(800), stateful_step_count=40)
TestLink = LinkMachine.TestCase
