"""The proxy's engine among clients that come, go, vanish, stall and lie."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from support.engine_model import EPOCH, NAMESPACES, Model
from support.examples import examples
from zmq_transport.wire import heads
from zmq_transport.wire.heads import Verb
from zmq_transport.wire.recipients import Recipients

CLIENTS = st.integers(0, 5)
NAMES = st.sampled_from(["a", "b", "c"])
ABILITIES = st.sampled_from([(), ("x",), ("x", "y")])
ADDRESSES = st.sampled_from([b"a", b"b", b"c", b"?x", b"?y", b"?x,y", b"nobody", b"\xff bad"])
KINDS = st.sampled_from([1, 2])
TOPICS = st.builds(
    lambda namespace, kind: heads.kind_topic(namespace, kind),
    st.sampled_from(NAMESPACES),
    st.sampled_from([0, 1, 2, 18]),
)
EAR_COUNT = 4
EARS = st.integers(0, EAR_COUNT - 1)


class EngineMachine(RuleBasedStateMachine):
    """Every rule is something that a client, its host or its network may do."""

    def __init__(self):
        super().__init__()
        self.model = Model()

    @initialize(names=st.lists(NAMES, min_size=6, max_size=6), abilities=ABILITIES)
    def everyone_arrives(self, names, abilities):
        for client, name in zip(self.model.clients, names, strict=True):
            self.model.connect(client, epoch=EPOCH)
            if client is not self.model.clients[0]:
                self.model.say(client, Verb.REGISTER, name, abilities)

    @rule(who=CLIENTS, epoch=st.sampled_from([b"", EPOCH]))
    def come_back_or_take_over(self, who, epoch):
        client = self.model.clients[who]
        self.model.excuse(client)
        self.model.connect(client, epoch)

    @rule(who=CLIENTS, name=NAMES, abilities=ABILITIES)
    def register(self, who, name, abilities):
        self.model.say(self.model.clients[who], Verb.REGISTER, name, abilities)

    @rule(who=CLIENTS, name=NAMES, verb=st.sampled_from([Verb.HEARTBEAT, Verb.DEREGISTER]))
    def beat_or_deregister(self, who, name, verb):
        self.model.say(self.model.clients[who], verb, name)

    @rule(
        who=CLIENTS,
        address=ADDRESSES,
        kind=KINDS,
        ttl_ms=st.sampled_from([0, 50, 30_000]),
        flags=st.sampled_from([0, 2]),
        is_struck=st.booleans(),
    )
    def dispatch(self, who, address, kind, ttl_ms, flags, is_struck):
        """Send a task; `is_struck` lets whoever is next die at that very moment."""
        model, client = self.model, self.model.clients[who]
        if is_struck:
            model.strike_next(client.namespace, address)
        was_known = model.knows(client)
        task = model.dispatch(client, address, kind, ttl_ms, flags)
        if not model.is_up(client) or client.connection in model.busy:
            model.excuse(client)
        if ttl_ms and task.outcomes:
            assert not model.could_serve(client.namespace, address)
        topic = heads.kind_topic(client.namespace, kind)
        is_parked = model.engine.tables.parking.holds(client.instance, task.task)
        expected = was_known and not is_parked and model.topics[topic] > 0
        assert model.published == [topic] * expected

    @rule(who=CLIENTS, settles=st.booleans(), which=st.randoms(use_true_random=False))
    def reply(self, who, settles, which):
        model, worker = self.model, self.model.clients[who]
        if not worker.held or not model.knows(worker):
            return
        topic = heads.kind_topic(worker.namespace, 2)
        key = which.choice(list(worker.held))
        entry = model.engine.tables.ledger.find(*key)
        is_its = entry is not None and entry.seat.peer.instance == worker.instance
        is_shown = is_its and not entry.cancelled and model.topics[topic] > 0
        model.reply(worker, worker.held[key], settles=settles)
        assert model.published == [topic] * is_shown
        if settles:
            del worker.held[key]

    @rule(who=CLIENTS, which=st.randoms(use_true_random=False))
    def cancel(self, who, which):
        client = self.model.clients[who]
        own = [task for task in self.model.tasks.values() if task.caller is client]
        if own:
            task = which.choice(own)
            task.excused = task.excused or not task.workers
            self.model.receive(client.connection, heads.pack(Verb.CANCEL, task=task.task))

    @rule(thief=CLIENTS, which=st.randoms(use_true_random=False))
    def reply_to_the_task_of_another(self, thief, which):
        client = self.model.clients[thief]
        others = [task for task in self.model.tasks.values() if client not in task.workers]
        if others:
            self.model.reply(client, which.choice(others), settles=True)
            assert not any(verb == Verb.REPLY for _, verb in self.model.got)

    @rule(who=CLIENTS, to=CLIENTS, bits=st.integers(0, 31), wanted=ABILITIES, kind=KINDS)
    def hand_over(self, who, to, bits, wanted, kind):
        """It reaches those for whom it is meant, each once, and nobody else."""
        model, sender, receiver = self.model, self.model.clients[who], self.model.clients[to]
        bits = bits if wanted else bits & ~Recipients.OFFERS
        meant = model.recipients(sender, bits, receiver, wanted)
        address = heads.address_of(None, wanted) if wanted else b""
        head = heads.pack(
            Verb.PUBLISH, 4, peer=receiver.instance, kind=kind, number=bits, address=address
        )

        model.receive(sender.connection, head, b"news")

        got = [connection for connection, verb in model.got if verb == Verb.PUBLISH]
        assert sorted(got) == sorted(meant)

    @rule(who=CLIENTS)
    def say_goodbye(self, who):
        client = self.model.clients[who]
        self.model.excuse(client)
        self.model.receive(client.connection, heads.pack(Verb.GOODBYE))
        assert not self.model.knows(client)

    @rule(who=CLIENTS, last_word=st.none() | NAMES, is_noticed=st.booleans())
    def vanish(self, who, last_word, is_noticed):
        """A connection ends; what it had sent before may be read long after."""
        client = self.model.clients[who]
        self.model.excuse(client)
        self.model.dead.add(client.connection)
        if is_noticed:
            self.model.tick()
        if last_word is not None:
            self.model.say(client, Verb.REGISTER, last_word)
            for other in self.model.clients:
                self.dispatch(
                    self.model.clients.index(other), last_word.encode(), 1, 30_000, 0, False
                )

    @rule(who=CLIENTS)
    def stall_or_go_on(self, who):
        client = self.model.clients[who]
        self.model.excuse(client)
        self.model.busy ^= {client.connection}

    @rule(ticks=st.integers(1, 15), step_s=st.sampled_from([0.1, 0.1, 1.0]))
    def time_passes(self, ticks, step_s):
        for _ in range(ticks):
            self.model.now_s += step_s
            self.model.tick()

    @rule(topic=TOPICS, ear=EARS)
    def listen(self, topic, ear):
        self.model.listen(topic, ear)

    @rule(topic=TOPICS, ear=EARS)
    def listen_no_more(self, topic, ear):
        self.model.listen_no_more(topic, ear)

    @rule(ear=EARS, is_noticed=st.booleans())
    def an_ear_is_cut_off(self, ear, is_noticed):
        self.model.cut_ear(ear)
        if is_noticed:
            self.model.release(100)

    @rule(limit=st.integers(1, 3))
    def take_back_what_was_cut_off(self, limit):
        self.model.release(limit)

    @rule(who=st.none() | CLIENTS, head=st.binary(max_size=80), body=st.binary(max_size=20))
    def send_garbage(self, who, head, body):
        stranger = who is None
        connection = b"stranger" if stranger else self.model.clients[who].connection
        self.model.receive(connection, head, body)

    @invariant()
    def every_task_has_one_outcome_or_is_open(self):
        self.model.check_tasks()

    @invariant()
    def who_is_away_or_hosts_is_what_a_look_at_everybody_says(self):
        peers = self.model.engine.tables.peers
        assert set(peers.absent) == {each for each in peers if each.absent_at_s is not None}
        for namespace in peers.namespaces.values():
            assert set(namespace.hosts) == {each for each in namespace.peers if each.seats}
            assert namespace.older == set()

    @invariant()
    def loads_are_what_the_ledger_says(self):
        self.model.check_loads()

    @invariant()
    def subscriptions_are_charged_to_who_holds_them(self):
        self.model.check_subscriptions()

    def teardown(self):
        model = self.model
        model.dead |= {client.connection for client in model.clients}
        for ear in range(EAR_COUNT):
            model.cut_ear(ear)
        model.release(1000)
        for _ in range(30):
            model.now_s += 0.1
            model.tick()
        model.check_empty()


EngineMachine.TestCase.settings = settings(max_examples=examples(700), stateful_step_count=40)
TestEngine = EngineMachine.TestCase
