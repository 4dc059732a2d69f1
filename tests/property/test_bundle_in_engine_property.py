"""A bundle that the engine takes as a whole means what its messages mean one by one."""

from hypothesis import given
from hypothesis import strategies as st

from support.engine_twins import state_of
from support.heads import bundled
from zmq_transport.access.origin import Origin
from zmq_transport.proxy.engine import Engine
from zmq_transport.proxy.tables import SEND
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.bundle import split_bundle
from zmq_transport.wire.heads import ItemFlag, Verb

NAMES = ("caller", "other", "worker", "worker 2", "worker 3")
SECRETS = {name: name.encode().ljust(16, b".") for name in NAMES}
INSTANCES = {name: heads.instance_of(secret) for name, secret in SECRETS.items()}
NUMBERS = st.lists(st.integers(0, 9), min_size=1, max_size=8)
FLAGS = st.sampled_from([0, int(ItemFlag.SETTLES), int(ItemFlag.KEEP)])
TASKS = st.tuples(
    st.just(Verb.TASK),
    st.sampled_from(["caller", "other"]),
    st.sampled_from([b"echo", b"nobody"]),
    NUMBERS,
    FLAGS,
    st.sampled_from([0, 5000]),
)
REPLIES = st.tuples(
    st.just(Verb.REPLY),
    st.sampled_from(["worker", "worker 2", "worker 3"]),
    st.sampled_from(["caller", "other"]),
    NUMBERS,
    FLAGS,
    st.just(0),
)
CANCELS = st.tuples(
    st.just(Verb.CANCEL), st.just("caller"), st.just(b""), NUMBERS, st.just(0), st.just(0)
)
LEAVES = st.tuples(
    st.just(Verb.GOODBYE),
    st.sampled_from(["other", "worker 2"]),
    st.just(b""),
    st.just([0]),
    st.just(0),
    st.just(0),
)


def engine_with(workers, watched, fast=True):
    """Return an engine with two callers and so many workers."""
    engine = Engine(epoch=b"e" * 16, now_s=0.0, fast=fast)
    for name in NAMES[: 2 + workers]:
        hello = greetings.Hello(
            secret=SECRETS[name], instance=INSTANCES[name], namespace="demo", name="x"
        )
        body = greetings.pack_hello(hello)
        engine.on_message(name.encode(), heads.pack(Verb.HELLO, len(body)), body, 5.0)
        if name.startswith("worker"):
            facts = greetings.pack_map({"capabilities": []})
            item = (int(Verb.REGISTER), 0, 0, 0, heads.NOBODY, heads.NOBODY, len(facts))
            empty = (*item[:6], 0)
            head = heads.pack_items([item, empty], address=b"echo")
            engine.on_message(name.encode(), head, facts, 5.0)
    if watched:
        engine.subscriptions.opened(1)
        engine.subscriptions.subscribe(heads.kind_topic("demo", 2), Origin("", "here", 1))
        engine.subscriptions.subscribe(
            heads.trace_topic("demo", b"\x01" * 16), Origin("", "here", 1)
        )
    return engine


def messages_of(step):
    """Return the messages of a step, one by one."""
    verb, _, target, numbers, flags, ttl_ms = step
    peer = INSTANCES[target] if verb is Verb.REPLY else heads.NOBODY
    address = target if verb is Verb.TASK else b""
    return [
        (
            heads.pack(
                verb,
                number,
                peer=peer,
                flags=flags,
                kind=2,
                number=ttl_ms,
                task=bytes([number]) * 16,
                trace=bytes([number % 3]) * 16,
                address=address,
            ),
            b"x" * number,
        )
        for number in numbers
    ]


def one_by_one(outputs):
    """Return what goes out by connection, and what is published, each message alone."""
    sent, published = {}, []
    for code, first, second, body in outputs:
        if code == SEND:
            sent.setdefault(first, []).extend(split_bundle(second, bytes(body)))
        else:
            published.append((first, second, bytes(body)))
    return sent, published


def ledger_of(engine):
    return sorted(
        (
            entry.caller,
            entry.task,
            entry.trace,
            entry.seat.peer.connection,
            entry.keep,
            entry.cancelled,
        )
        for entry in engine.tables.ledger
    )


@given(
    workers=st.integers(0, 3),
    watched=st.booleans(),
    steps=st.lists(st.one_of(TASKS, TASKS, REPLIES, REPLIES, CANCELS, LEAVES), max_size=12),
)
def test_a_bundle_means_what_its_messages_mean(workers, watched, steps):
    whole, single = engine_with(workers, watched), engine_with(workers, watched)
    reference = engine_with(workers, watched, fast=False)
    for step in steps:
        who, messages = step[1].encode(), messages_of(step)
        if who not in single.tables.peers.by_connection:
            continue  # what a stranger says comes back whole
        body = b"".join(part for _, part in messages)

        message = bundled([head for head, _ in messages]), body
        outputs = whole.on_message(who, *message, 6.0)
        wanted = [out for each in messages for out in single.on_message(who, *each, 6.0)]

        assert one_by_one(outputs) == one_by_one(wanted)
        assert ledger_of(whole) == ledger_of(single)
        assert outputs == reference.on_message(who, *message, 6.0)
        assert state_of(whole) == state_of(reference)
    assert whole.counts == single.counts
