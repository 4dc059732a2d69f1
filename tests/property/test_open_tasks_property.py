"""No bound on open tasks is ever exceeded, and both ways through the engine agree about it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from support.engine_twins import EngineTwins
from support.examples import examples
from zmq_transport.proxy.settings import Settings
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.heads import Verb

CALLERS, WORKERS = (b"c0", b"c1", b"c2"), (b"w0", b"w1")
LIMITS = Settings(max_tasks=160, max_tasks_per_caller=80, max_open_bytes=3_000)
TRACE = b"r" * 16
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("tasks"),
            st.sampled_from(CALLERS),
            st.sampled_from([b"s0", b"s1", b"?x"]),
            st.sampled_from([63, 40, 1, 7]),
            st.sampled_from([1, 1, 10, 100, 2_000, 5_000]),
        ),
        st.tuples(st.just("replies"), st.sampled_from(WORKERS), st.integers(1, 40)),
        st.tuples(st.just("leave"), st.sampled_from(CALLERS + WORKERS)),
    ),
    min_size=8,
    max_size=40,
)


class Fabric:
    """Three callers, two workers with a seat each, and what these have to answer."""

    def __init__(self):
        self.engine = EngineTwins(epoch=b"e" * 16, now_s=0.0, settings=LIMITS)
        self.now_s = 0.0
        self.tasks = 0
        for name in CALLERS + WORKERS:
            self.come(name)

    def say(self, name, head, body=b""):
        self.engine.on_message(name, head, body, self.now_s)

    def come(self, name):
        secret = name.ljust(16, b".")
        hello = greetings.Hello(secret, heads.instance_of(secret), "demo", name.decode(), runs=True)
        body = greetings.pack_hello(hello)
        self.say(name, heads.pack(Verb.HELLO, len(body)), body)
        if name in WORKERS:
            facts = greetings.pack_map({"capabilities": ["x"]})
            row = int(Verb.REGISTER), 0, 18, 0, heads.NOBODY, heads.NOBODY
            head = heads.pack_items([(*row, len(facts)), (*row, 1)], address=b"s" + name[1:])
            self.say(name, head, facts + b"x")

    def leave(self, name):
        self.say(name, heads.pack(Verb.GOODBYE))
        self.come(name)

    def send(self, name, address, count, size):
        ids = [(self.tasks + number).to_bytes(16, "big") for number in range(count)]
        self.tasks += count
        rows = [(int(Verb.TASK), 0, 1, 9_000, task, TRACE, size) for task in ids]
        self.say(name, heads.pack_items(rows, address=address), bytes(size * count))

    def answer(self, name, count):
        open_tasks = self.engine.tables.peers.by_connection[name].open_tasks()
        for entry in open_tasks[:count]:
            head = heads.pack(Verb.REPLY, 1, peer=entry.caller, flags=1, kind=2, task=entry.task)
            self.say(name, head, b"a")

    def check(self):
        tables = self.engine.tables
        assert len(tables.ledger) == len(list(tables.ledger)) <= LIMITS.max_tasks
        for entries in tables.ledger.by_caller.values():
            assert len(entries) <= LIMITS.max_tasks_per_caller
        for peer in tables.peers:
            held = peer.open_tasks()
            assert peer.open_count == len(held)
            assert peer.open_bytes == sum(entry.body_bytes for entry in held)
            assert peer.open_bytes <= LIMITS.max_open_bytes or len(held) == 1


@settings(max_examples=examples(60))
@given(steps=STEPS)
def test_no_bound_on_open_tasks_is_ever_exceeded(steps):
    fabric = Fabric()
    for what, name, *arguments in steps:
        if what == "tasks":
            fabric.send(name, *arguments)
        elif what == "replies":
            fabric.answer(name, *arguments)
        else:
            fabric.leave(name)
        fabric.check()
