"""Whatever clients and routers send, a router counts what it cannot use and goes on."""

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse.synapse.nats import frames, subjects
from cosmonapse.synapse.nats.frames import Tag, Totals
from cosmonapse.synapse.nats.shares import Beat, pack_beat
from cosmonapse.synapse.nats.topic_queue import TopicQueue
from support.nats_bench import ROUTER, Bench, Message
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.heads import Verb

BYTES = st.binary(max_size=80)
NAMESPACES = st.sampled_from(["red", "blue", "a.b"])
COUNTS = st.integers(0, 2**64 - 1)
TOPICS = st.one_of(
    BYTES,
    st.builds(heads.kind_topic, NAMESPACES, st.integers(0, 300)),
    st.builds(heads.sync_topic, NAMESPACES, st.just(b"i" * 16), st.integers(0, 9)),
)
HEADS = st.one_of(
    BYTES,
    st.builds(
        lambda verb, size, task, address: heads.pack(
            verb, size, task=task, trace=b"t" * 16, number=1000, address=address
        ),
        st.sampled_from(list(Verb)),
        st.integers(0, 90),
        st.binary(min_size=16, max_size=16),
        st.sampled_from([b"echo", b"", b"?a,b", b"\xff"]),
    ),
)
SECRETS = st.sampled_from([b"1" * 16, b"2" * 16])


def hello(namespace, secret):
    """Return a HELLO."""
    fields = greetings.Hello(secret, heads.instance_of(secret), namespace, "name", b"", calls=True)
    body = greetings.pack_hello(fields)
    return frames.pack_directed(heads.pack(Verb.HELLO, len(body)), body)


INNER = st.one_of(
    BYTES,
    st.builds(frames.pack_directed, HEADS, BYTES),
    st.builds(hello, NAMESPACES, SECRETS),
    st.builds(frames.pack_publication, TOPICS, BYTES, BYTES),
    st.builds(frames.pack_topic, st.sampled_from(list(Tag)), TOPICS),
    st.builds(lambda a, b: frames.pack_read(Totals(a, b)), COUNTS, COUNTS),
    st.sampled_from([b"", frames.ASK, frames.JOIN]),
)
DATA = st.one_of(
    INNER,
    st.builds(
        lambda number, part, is_last: frames.pack_piece(number, part, is_last=is_last),
        st.integers(0, 2**32 - 1),
        INNER,
        st.booleans(),
    ),
    st.builds(lambda data, cut: data[:cut], INNER, st.integers(0, 90)),
)
UPS = st.one_of(
    st.builds(
        lambda namespace, conn: subjects.up(namespace, ROUTER, "-", f"{conn:016x}"),
        NAMESPACES,
        st.integers(0, 3),
    ),
    st.text(max_size=60),
)
BEATS = st.one_of(
    BYTES,
    st.builds(
        lambda router, slots, leaves: pack_beat(Beat(router, slots, leaves)),
        st.sampled_from([ROUTER, b"2" * 16, b"3" * 16]),
        st.integers(0, 2**256 - 1),
        st.booleans(),
    ),
)
GONES = st.builds(
    lambda who: f"cosmo._gone.{ROUTER.hex()}.{who}",
    st.one_of(st.text(max_size=8), st.integers(0, 20).map("{:x}".format)),
)
NO_ONE = st.sampled_from([None, {}, {"Status": "503"}])
EVENTS = st.one_of(
    st.tuples(st.just("on_up"), st.builds(Message, UPS, DATA)),
    st.tuples(st.just("on_up"), st.builds(Message, UPS, DATA)),
    st.tuples(st.just("on_gone"), st.builds(Message, GONES, BYTES, st.just(""), NO_ONE)),
    st.tuples(st.just("on_beat"), st.builds(Message, st.just(subjects.BEATS), BEATS)),
    st.tuples(
        st.just("on_who"),
        st.builds(
            Message, st.just(subjects.WHO), BYTES, st.sampled_from(["", subjects.BEATS, "_INBOX.x"])
        ),
    ),
    st.tuples(st.just("tick"), st.sampled_from([0.1, 3.0])),
)


@given(st.lists(EVENTS, max_size=40), st.booleans())
def test_no_message_ends_a_router_and_its_sums_hold(events, always_publish):
    bench = Bench(max_payload=300, always_publish=always_publish, max_body_bytes=2000)

    for name, argument in events:
        if name == "tick":
            bench.tick(argument)
        else:
            getattr(bench.term, name)(argument, bench.now_s)
            bench.term.flush()
        bench.post.pump()
        bench.topics.pump()

    term = bench.term
    clients = [far for slot in term.slots.values() for far in slot.clients.values()]
    assert term.context.partial_bytes == sum(far.partial_bytes for far in clients)
    assert term.context.queued_bytes == term.context.queued_topic_bytes == 0
    assert {far.subject for far in clients} == set(term._by_subject)
    assert {far.number for far in clients} == set(term._by_number)
    assert all(not each.counts["drop.engine_fault"] for each in bench.engines)
    assert not bench.counts["drop.engine_fault"]
    term.end()
    assert (term.context.partial_bytes, term.context.waiting_bytes) == (0, 0)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.binary(min_size=1, max_size=200))),
    st.integers(30, 60),
    st.lists(st.integers(1, 100), min_size=1),
)
def test_what_is_published_in_a_namespace_arrives_whole_and_in_order(messages, most, budgets):
    queue = TopicQueue(most, iter(range(1000)))
    sent = []
    for index, (subject, data) in enumerate(messages):
        if queue.put(subject, frames.pack_publication(b"t", b"h", data)):
            sent.append((subject, frames.pack_publication(b"t", b"h", data)))
        sent += queue.take(budgets[index % len(budgets)])
    while queue:
        sent += queue.take(1)

    whole, parts = [], {}
    for subject, data in sent:
        assert len(data) <= most
        if frames.tag_of(data) != Tag.PIECE:
            whole.append((subject, data))
            continue
        number, is_last, part = frames.unpack_piece(data)
        parts.setdefault(number, []).append(bytes(part))
        if is_last:
            whole.append((subject, b"".join(parts.pop(number))))
    assert [(subject, frames.unpack_publication(data)[2]) for subject, data in whole] == messages
    assert (queue.waiting_bytes, parts) == (0, {})
