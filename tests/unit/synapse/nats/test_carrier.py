"""What the carrier over NATS decides, without a nats-server."""

import asyncio
import time
from unittest import mock

import pytest
import pytest_asyncio

pytest.importorskip("nats", reason="nats-py is not installed")

from cosmonapse.synapse.nats import subjects
from cosmonapse.synapse.nats.carrier import MAX_WAITING_BYTES, NatsCarrier
from cosmonapse.synapse.nats.errors_of import fault_of
from cosmonapse.synapse.nats.frames import (
    ASK,
    JOIN,
    Tag,
    Totals,
    pack_directed,
    pack_publication,
    pack_read,
    pack_topic,
    tag_of,
)
from cosmonapse.synapse.nats.pieces import Joiner
from cosmonapse.synapse.nats.place import NatsPlace
from cosmonapse.synapse.nats.shares import SLOTS, Beat, pack_beat
from support.manual_line import NO_RESPONDERS, ManualLine
from zmq_transport import AccessRefused, Cause, Sent
from zmq_transport.wire import heads
from zmq_transport.wire.heads import Verb

pytestmark = pytest.mark.asyncio
A, B = b"a" * 16, b"b" * 16
EVERYTHING = (1 << SLOTS) - 1
PROBE = pack_directed(b"", b"")
PLACE = NatsPlace.of("nats://ada:secret@127.0.0.1:4222")
KIND = heads.kind_topic("team", 2)
TRACE = heads.trace_topic("team", bytes(16))


class Client:
    """The events, as a client would take them."""

    def __init__(self):
        self.seen = []

    def on_message(self, head, body):
        self.seen.append(("message", head, body))

    def on_writable(self):
        self.seen.append(("writable",))

    def on_dropped(self, reason):
        self.seen.append(("dropped", reason))

    def on_disconnected(self):
        self.seen.append(("disconnected",))

    def on_access_refused(self, error):
        self.seen.append(("refused", error))

    def on_broadcast_refused(self, error):
        self.seen.append(("broadcast refused", error))

    def on_publication(self, topic, header, body):
        self.seen.append(("publication", topic, header, body))

    def on_subscription(self, joins, topic):
        self.seen.append(("subscription", joins, topic))

    def taken(self):
        seen, self.seen = self.seen, []
        return seen


class HandClock:
    """Takes the place of `time.monotonic`."""

    def __init__(self):
        self.now_s = 1_000.0

    def __call__(self):
        return self.now_s


class HandFabric:
    """A carrier with lines that a test moves by hand.

    Attributes:
        line: The directed line.
    """

    def __init__(self):
        self.client = Client()
        self.lines = []
        self.carrier = NatsCarrier(PLACE, "team", self._new_line)

    def _new_line(self, place, name, events, ping_s=None):
        line = ManualLine(place, name, events, ping_s, max_payload=10_000)
        self.lines.append(line)
        return line

    @property
    def line(self):
        return self.lines[0]

    @property
    def listening(self):
        return self.lines[1]

    def beat(self, router=A, slots=EVERYTHING, *, leaves=False):
        self.line.deliver(subjects.BEATS, pack_beat(Beat(router, slots, leaves)))

    def connect(self, router=A):
        """Let a router claim the namespace, and return the subjects of the new connection."""
        self.line.taken()
        self.beat(router)
        (up, data, down), *_ = self.line.taken()
        assert data == PROBE
        return up, down

    def connect_and_answer(self, router=A):
        up, down = self.connect(router)
        self.line.deliver(down, pack_directed(b"who", b""))
        self.client.taken()
        return up, down


@pytest_asyncio.fixture
async def fabric():
    made = HandFabric()
    await made.carrier.open(made.client)
    made.line.come_up()
    yield made
    made.carrier.close()


async def test_it_asks_who_serves_its_namespace_and_connects_to_the_one_that_answers(fabric):
    ((subject, _, inbox),) = fabric.line.taken()
    assert subject == subjects.WHO

    fabric.line.deliver(inbox, pack_beat(Beat(A, EVERYTHING, leaves=False)))

    ((up, data, down),) = fabric.line.taken()
    assert up.startswith(f"cosmo.team.up.{A.hex()}.ada.")
    assert down == f"cosmo.team.down.ada.{up[-16:]}"
    assert data == PROBE
    fabric.line.deliver(down, pack_directed(b"head", b"body"))
    assert fabric.client.taken() == [("message", b"head", b"body")]


async def test_it_sends_nothing_without_a_router_and_says_when_it_can(fabric):
    assert fabric.carrier.send(b"head", b"body") is Sent.BUSY
    up, down = fabric.connect()

    fabric.carrier._tick()

    assert ("writable",) in fabric.client.taken()
    assert fabric.carrier.send(b"head", b"body") is Sent.OK
    assert fabric.line.taken()[-1] == (up, pack_directed(b"head", b"body"), down)


async def test_another_router_that_claims_the_namespace_is_another_connection(fabric):
    up, down = fabric.connect()

    other_up, other_down = fabric.connect(B)

    assert fabric.client.taken() == [("disconnected",)]
    assert B.hex() in other_up
    assert up[-16:] != other_up[-16:]
    assert not fabric.line.deliver(down, pack_directed(b"late", b""))
    assert fabric.line.deliver(other_down, pack_directed(b"new", b""))
    assert fabric.client.taken() == [("message", b"new", b"")]


async def test_the_same_router_claiming_again_is_no_news(fabric):
    fabric.connect()

    fabric.beat()

    assert fabric.line.taken() == []
    assert fabric.client.taken() == []


@pytest.mark.parametrize(
    ("data", "headers"),
    [(b"", NO_RESPONDERS), (pack_read(Totals(2**64 - 1, 2**64 - 1)), None)],
    ids=["nobody reads there", "the router knows nothing of it"],
)
async def test_a_router_that_is_gone_is_left_at_once_and_searched_anew(fabric, data, headers):
    _, down = fabric.connect()

    fabric.line.deliver(down, data, headers)

    assert fabric.client.taken() == [("disconnected",)]
    assert [subject for subject, _, _ in fabric.line.taken()] == [subjects.WHO]
    assert fabric.carrier.send(b"head", b"") is Sent.BUSY


async def test_the_answer_that_nobody_is_there_is_no_beat(fabric):
    ((_, _, inbox),) = fabric.line.taken()

    fabric.line.deliver(inbox, b"", NO_RESPONDERS)

    assert fabric.client.taken() == []
    diagnosis = fabric.carrier.diagnosis()
    assert diagnosis.cause is Cause.STRANGER
    assert "no Synapse serves the namespace team" in diagnosis.text


async def test_silence_of_two_seconds_ends_the_connection_and_a_blocked_loop_does_not(fabric):
    with mock.patch.object(time, "monotonic", HandClock()) as clock:
        fabric.connect()
        fabric.carrier._tick()
        clock.now_s += 30.0  # the loop was blocked
        fabric.carrier._tick()
        assert fabric.client.taken() == []
        for _ in range(11):
            clock.now_s += 0.1
            fabric.carrier._tick()

    assert fabric.client.taken() == [("disconnected",)]


async def test_a_line_that_breaks_is_the_end_of_the_connection_and_the_next_one_begins_anew(fabric):
    up, _ = fabric.connect()

    fabric.line.go_down()
    assert fabric.client.taken() == [("disconnected",)]
    fabric.line.come_up()
    again, _ = fabric.connect()

    assert up != again
    assert fabric.client.taken() == []


async def test_credit_bounds_what_is_on_its_way(fabric):
    with mock.patch.object(NatsCarrier, "window", 4):
        _, down = fabric.connect()
        sent = [fabric.carrier.send(b"head", b"body") for _ in range(5)]
    data = [each for _, each, _ in fabric.line.taken()]

    assert sent == [Sent.OK] * 3 + [Sent.BUSY] * 2  # the probe was the first one
    assert data.count(ASK) == 1
    size = sum(len(each) for each in data if each != ASK) + len(PROBE)
    fabric.line.deliver(down, pack_read(Totals(4, size)))
    assert fabric.client.taken() == [("writable",)]
    assert fabric.carrier.send(b"head", b"body") is Sent.OK


async def test_a_full_socket_makes_it_busy_until_there_is_room(fabric):
    fabric.connect()
    fabric.line.waiting_bytes = MAX_WAITING_BYTES + 1

    assert fabric.carrier.send(b"head", b"body") is Sent.BUSY
    fabric.carrier.publish(KIND, b"header", b"body")
    fabric.carrier._tick()
    assert fabric.client.taken() == [("dropped", "publisher_full")]
    fabric.line.waiting_bytes = 0
    fabric.carrier._tick()

    assert fabric.client.taken() == [("writable",)]


async def test_it_answers_how_much_it_read(fabric):
    up, down = fabric.connect()
    data = pack_directed(b"head", b"body")
    fabric.line.deliver(down, data)

    fabric.line.deliver(down, ASK)

    assert fabric.line.taken() == [(up, pack_read(Totals(1, len(data))), down)]


async def test_a_large_message_goes_in_pieces_and_a_small_one_passes(fabric):
    fabric.connect()
    large = heads.pack(Verb.TASK, 1_000_000, peer=b"a" * 16, address=b"x"), bytes(1_000_000)
    small = heads.pack(Verb.TASK, 3, peer=b"b" * 16, address=b"x"), b"abc"

    assert fabric.carrier.send(*large) is Sent.OK
    await asyncio.sleep(0)
    assert fabric.carrier.send(*small) is Sent.OK
    while fabric.carrier._pumps:
        await asyncio.sleep(0)
        for flush in fabric.line.flushes:
            if not flush.done():
                flush.set_result(True)

    data = [each for _, each, _ in fabric.line.taken() if each != ASK]
    assert all(len(each) <= 10_000 for each in data)
    at = data.index(pack_directed(*small))
    assert 0 < at < 40  # behind what was handed over before, and ahead of all else
    joiner = Joiner(10**7, 10**7)
    whole = [joiner.take(each) for each in data if tag_of(each) == Tag.PIECE]
    assert whole[-1] == pack_directed(*large)
    assert len(fabric.line.flushes) >= 3


async def test_pieces_of_a_connection_that_ended_are_not_sent_on_the_next_one(fabric):
    fabric.connect()
    fabric.carrier.send(heads.pack(Verb.TASK, 10**6, peer=b"a" * 16), bytes(10**6))
    await asyncio.sleep(0)

    up, _ = fabric.connect(B)
    fabric.line.flushes[0].set_result(True)
    for _ in range(5):
        await asyncio.sleep(0)

    assert not [each for subject, each, _ in fabric.line.taken() if subject == up]
    assert not fabric.carrier._pumps


async def test_it_joins_the_publishers_once_for_each_connection(fabric):
    up, down = fabric.connect_and_answer()
    fabric.carrier.open_publisher()
    assert fabric.line.taken() == []

    assert fabric.carrier.join(1, 2)
    assert not fabric.carrier.join(1, 2)
    fabric.carrier.open_publisher()

    assert fabric.line.taken() == [(up, JOIN, down)]
    fabric.connect_and_answer(B)
    assert fabric.carrier.join(1, 2)
    assert [data for _, data, _ in fabric.line.taken()] == [JOIN]


async def test_who_listens_is_told_once_and_ends_with_the_connection(fabric):
    _, down = fabric.connect_and_answer()
    fabric.carrier.open_publisher()
    fabric.carrier.join(0, 0)
    subscribed = subjects.subscribed("team")

    fabric.line.deliver(down, pack_topic(Tag.JOINS, KIND))
    fabric.line.deliver(subscribed, pack_topic(Tag.JOINS, KIND))
    fabric.line.deliver(down, pack_topic(Tag.JOINS, heads.LIVE_TOPIC))
    fabric.line.deliver(subscribed, pack_topic(Tag.JOINS, TRACE))
    fabric.line.deliver(subscribed, pack_topic(Tag.LEAVES, TRACE))
    assert fabric.client.taken() == [
        ("subscription", True, KIND),
        ("subscription", True, heads.LIVE_TOPIC),
        ("subscription", True, TRACE),
        ("subscription", False, TRACE),
    ]
    fabric.line.deliver(down, b"", NO_RESPONDERS)

    assert fabric.client.taken() == [
        ("subscription", False, KIND),
        ("subscription", False, heads.LIVE_TOPIC),
        ("disconnected",),
    ]
    assert not fabric.line.deliver(subscribed, pack_topic(Tag.JOINS, TRACE))


async def test_a_broadcast_message_goes_up_or_is_counted(fabric):
    fabric.carrier.publish(KIND, b"header", b"body")
    assert fabric.client.taken() == [("dropped", "publisher_full")]
    up, down = fabric.connect()

    fabric.carrier.publish(KIND, b"header", b"body")

    assert fabric.line.taken() == [(up, pack_publication(KIND, b"header", b"body"), down)]


async def test_the_second_line_begins_with_the_first_topic_and_tells_the_router(fabric):
    up, _ = fabric.connect_and_answer()
    assert len(fabric.lines) == 1
    sync = heads.sync_topic("team", bytes(16), 1)

    fabric.carrier.subscribe(KIND)
    fabric.carrier.subscribe(sync)
    fabric.listening.come_up()

    heard = f"cosmo.team.heard.ada.{up[-16:]}"
    assert set(fabric.listening.takers) == {heard, "cosmo.team.t.AGENT_OUTPUT"}
    assert fabric.listening.taken() == [
        (up, pack_topic(Tag.SUBSCRIBE, KIND), ""),
        (up, pack_topic(Tag.SUBSCRIBE, sync), ""),
    ]
    fabric.listening.deliver(heard, pack_publication(sync, b"", b""))
    fabric.listening.deliver("cosmo.team.t.AGENT_OUTPUT", pack_publication(KIND, b"h", b"b"))
    assert fabric.client.taken() == [
        ("publication", sync, b"", b""),
        ("publication", KIND, b"h", b"b"),
    ]
    fabric.carrier.unsubscribe(KIND)
    assert fabric.listening.taken() == [(up, pack_topic(Tag.UNSUBSCRIBE, KIND), "")]
    assert set(fabric.listening.takers) == {heard}


async def test_a_topic_waits_until_the_router_knows_the_connection(fabric):
    fabric.carrier.subscribe(KIND)
    fabric.listening.come_up()
    up, down = fabric.connect()
    assert fabric.listening.taken() == []

    fabric.line.deliver(down, pack_directed(b"who", b""))

    assert fabric.listening.taken() == [(up, pack_topic(Tag.SUBSCRIBE, KIND), "")]


async def test_a_listener_that_is_cut_subscribes_again_and_the_directed_line_never_notices(fabric):
    up, _ = fabric.connect_and_answer()
    fabric.carrier.subscribe(TRACE)
    fabric.listening.come_up()
    fabric.listening.taken()

    fabric.listening.go_down("slow consumer")
    fabric.listening.come_up()

    assert fabric.listening.taken() == [(up, pack_topic(Tag.SUBSCRIBE, TRACE), "")]
    assert f"cosmo.team.r.{bytes(16).hex()}" in fabric.listening.takers
    assert fabric.client.taken() == []
    assert fabric.carrier.send(b"head", b"") is Sent.OK


async def test_a_new_router_learns_all_topics(fabric):
    old_up, _ = fabric.connect_and_answer()
    fabric.carrier.subscribe(KIND)
    fabric.listening.come_up()
    fabric.listening.taken()

    up, _ = fabric.connect_and_answer(B)

    assert fabric.listening.taken() == [(up, pack_topic(Tag.SUBSCRIBE, KIND), "")]
    assert f"cosmo.team.heard.ada.{old_up[-16:]}" not in fabric.listening.takers


async def test_what_is_no_message_is_counted(fabric):
    _, down = fabric.connect_and_answer()
    fabric.carrier.subscribe(KIND)
    fabric.listening.come_up()

    for data in (b"\x01\xff", b"\x63", b"\x08abc", b"\x09\x00", pack_topic(Tag.SUBSCRIBE, KIND)):
        fabric.line.deliver(down, data)
    fabric.line.deliver(subjects.BEATS, b"no beat")
    for data in (b"\x63", b"\x02", b""):
        fabric.listening.deliver("cosmo.team.t.AGENT_OUTPUT", data)

    assert fabric.client.taken() == [("dropped", "bad_frame")] * 9


async def test_a_router_that_leaves_is_heard_out(fabric):
    _, down = fabric.connect_and_answer()
    fabric.beat(A, 0, leaves=True)
    fabric.beat(B)
    assert fabric.client.taken() == []

    fabric.line.deliver(down, pack_directed(heads.pack(Verb.GOING_AWAY), b""))

    assert [each[0] for each in fabric.client.taken()] == ["message", "disconnected"]
    assert any(B.hex() in subject for subject, _, _ in fabric.line.taken())


async def test_it_shows_a_sign_of_life_when_nothing_happens(fabric):
    with mock.patch.object(time, "monotonic", HandClock()) as clock:
        fabric.connect()
        for _ in range(100):
            clock.now_s += 0.1
            fabric.beat()
            fabric.carrier._tick()

    signs = [data for _, data, _ in fabric.line.taken() if tag_of(data) == Tag.READ]
    assert 5 <= len(signs) <= 6


async def test_a_refusal_of_the_nats_server_is_one_for_the_client_and_shows_no_password(fabric):
    fault = fault_of(Exception("nats: 'Authorization Violation'"))

    fabric.line.events.on_fault(fault)
    fabric.carrier.subscribe(KIND)
    fabric.listening.events.on_fault(fault)

    (kind, error), (other, second) = fabric.client.taken()
    assert (kind, other) == ("refused", "broadcast refused")
    assert isinstance(error, AccessRefused)
    assert isinstance(second, AccessRefused)
    assert "secret" not in f"{error} {error.endpoint} {error.fix} {fabric.carrier.endpoint}"


async def test_the_diagnosis_says_what_is_missing(fabric):
    assert fabric.carrier.diagnosis().cause is Cause.STRANGER
    fabric.connect_and_answer()
    assert fabric.carrier.diagnosis().cause is Cause.SLOW
    fabric.carrier.subscribe(KIND)
    assert fabric.carrier.diagnosis().cause is Cause.BROADCAST
    fabric.line.attempts, fabric.line.last_error = 3, "connection refused"
    fabric.line.go_down()

    diagnosis = fabric.carrier.diagnosis()
    assert diagnosis.cause is Cause.NOBODY
    assert "3 tries" in diagnosis.text
    assert "connection refused" in diagnosis.text


async def test_nothing_happens_after_the_close(fabric):
    _, down = fabric.connect_and_answer()
    fabric.carrier.subscribe(KIND)
    take = fabric.line.takers[down]

    fabric.carrier.close()
    fabric.carrier.close()
    take(mock.Mock(data=pack_directed(b"late", b""), headers=None))
    fabric.carrier.subscribe(TRACE)
    fabric.carrier.unsubscribe(KIND)

    assert fabric.client.taken() == []
    assert fabric.carrier.send(b"head", b"") is Sent.BUSY
    assert [each.is_closed for each in fabric.lines] == [True, True]


async def test_a_client_that_closes_within_an_event_is_left_alone(fabric):
    fabric.connect_and_answer()
    fabric.client.on_disconnected = fabric.carrier.close

    fabric.beat(B)

    assert not [data for _, data, _ in fabric.line.taken() if data == PROBE]
