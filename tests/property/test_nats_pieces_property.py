"""Messages in pieces arrive whole, once, and in the order that is promised."""

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse.synapse.nats.frames import Tag, tag_of
from cosmonapse.synapse.nats.pieces import Joiner, Outgoing, order_key
from zmq_transport.errors import WireError
from zmq_transport.wire import heads
from zmq_transport.wire.heads import Verb

MOST = 40
KEYS = st.sampled_from([None, b"a", b"b", b"c"])
PUTS = st.tuples(st.just("put"), KEYS, st.integers(1, 200))
TAKES = st.tuples(st.just("take"), st.integers(1, 150))
STEPS = st.lists(st.one_of(PUTS, PUTS, TAKES), max_size=30)


def message(number, size):
    """Return a message that begins with a tag that is none of a piece, and says its number."""
    return bytes((Tag.DIRECTED, number)) + bytes(size)


class Far:
    """Reads what is handed over; each message is known by its second byte."""

    def __init__(self):
        self._joiner = Joiner(10_000, 10_000)
        self.read = []

    def take(self, data):
        assert len(data) <= MOST
        whole = self._joiner.take(data) if tag_of(data) == Tag.PIECE else data
        if whole is not None:
            self.read.append(whole)


def carried(steps):
    """Return the messages in the order they were put, with their keys, and as they were read."""
    outgoing, far, put = Outgoing(MOST), Far(), []
    for step in steps:
        if step[0] == "take":
            for data in outgoing.take(step[1]):
                far.take(data)
            continue
        _, key, size = step
        data = message(len(put), size)
        put.append((key, data))
        if outgoing.put(key, data):
            far.take(data)
    while len(outgoing):
        for data in outgoing.take(1):
            far.take(data)
    assert outgoing.waiting_bytes == 0
    return put, far.read


@given(STEPS)
def test_every_message_arrives_whole_and_once(steps):
    put, read = carried(steps)

    assert sorted(read) == sorted(data for _, data in put)


@given(STEPS)
def test_messages_of_one_key_keep_their_order(steps):
    put, read = carried(steps)

    for key in (b"a", b"b", b"c"):
        mine = [data for each, data in put if each == key]
        assert [data for data in read if data in mine] == mine


@given(STEPS)
def test_a_message_without_a_key_follows_all_before_it_and_leads_all_after_it(steps):
    put, read = carried(steps)

    places = [read.index(data) for _, data in put]
    for number, (key, _) in enumerate(put):
        if key is None:
            assert all(place < places[number] for place in places[:number])
            assert all(place > places[number] for place in places[number + 1 :])


@given(st.integers(MOST + 1, 5_000), st.integers(1, 200))
def test_a_small_message_of_another_key_passes_a_large_one(size, budget):
    outgoing = Outgoing(MOST)
    outgoing.put(b"a", message(0, size))

    parts = outgoing.take(min(budget, size // 2))

    assert parts
    assert outgoing.put(b"b", message(1, 3))
    assert not outgoing.put(b"a", message(2, 3))


@given(STEPS, st.integers(1, 500))
def test_about_the_budget_is_handed_over_and_never_nothing(steps, budget):
    outgoing = Outgoing(MOST)
    for step in steps:
        if step[0] == "put":
            outgoing.put(step[1], message(0, step[2]))
    waited = len(outgoing)

    taken = sum(map(len, outgoing.take(budget)))

    assert taken < budget + MOST
    assert bool(taken) == bool(waited)


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=40), st.integers(0, 300))
def test_whatever_comes_in_pieces_stays_within_the_bounds(parts, most):
    joiner, reasons = Joiner(100, most), set()
    for data in parts:
        try:
            whole = joiner.take(bytes((Tag.PIECE,)) + data)
        except WireError as error:
            reasons.add(error.reason)
        else:
            assert whole is None or len(whole) <= 100
        assert 0 <= joiner.partial_bytes <= most
    assert reasons <= {"bad_frame", "max_partial", "too_large", "partial_bytes"}


def test_no_more_messages_are_begun_at_a_time_than_a_receiver_takes():
    outgoing, joiner = Outgoing(MOST), Joiner(1_000, 100_000)
    for number in range(200):
        outgoing.put(b"%d" % number, message(number, 300))

    whole = [joiner.take(data) for data in outgoing.take(10**6)]

    assert sum(each is not None for each in whole) == 200


def test_the_rest_of_a_refused_message_is_refused_and_the_next_one_is_whole():
    outgoing, joiner = Outgoing(MOST), Joiner(100, 1_000)
    outgoing.put(b"a", message(0, 500))
    outgoing.put(b"a", message(1, 60))
    read, refused = [], []

    while len(outgoing):
        for data in outgoing.take(1):
            try:
                read.append(joiner.take(data))
            except WireError as error:
                refused.append(error.reason)

    assert [each for each in read if each is not None] == [message(1, 60)]
    assert refused == ["too_large"]
    assert joiner.partial_bytes == 0


def test_tasks_to_one_address_and_replies_to_one_caller_have_a_key_and_nothing_else_has():
    task = heads.pack(Verb.TASK, address=b"echo")
    reply = heads.pack(Verb.REPLY, peer=b"c" * 16)

    assert order_key(task) == order_key(heads.pack(Verb.TASK, 5, address=b"echo"))
    assert order_key(task) != order_key(heads.pack(Verb.TASK, address=b"other"))
    assert order_key(reply) != order_key(heads.pack(Verb.REPLY, peer=b"d" * 16))
    assert {order_key(heads.pack(verb)) for verb in Verb} - {order_key(heads.pack(Verb.TASK))} == {
        None,
        order_key(heads.pack(Verb.REPLY)),
    }
    assert order_key(b"short") is None
