"""A client over a carrier that only takes notes: what goes out when, in which order."""

import asyncio
from types import SimpleNamespace

import msgpack
import pytest
import pytest_asyncio

from support.heads import bundled
from zmq_transport.access.origin import instance_of_user
from zmq_transport.client import client, directed_sender
from zmq_transport.client.client import Client, Outcome
from zmq_transport.client.diagnosis import Diagnosis
from zmq_transport.errors import (
    AccessFault,
    AccessRefused,
    Cause,
    MessageTooLarge,
    Refused,
    Unreachable,
)
from zmq_transport.kernel import Outgoing
from zmq_transport.sockets.sent import Sent
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.bundle import MAX_BODY_BYTES
from zmq_transport.wire.heads import ItemFlag, Reason, Verb

pytestmark = pytest.mark.asyncio

PEER, TASK, TRACE = b"p" * 16, b"t" * 16, b"r" * 16
HEADER = heads.pack_header(b"e" * 16, 0, heads.NOBODY, heads.NOBODY)
LIMIT_BYTES = 100_000


class FakeCarrier:
    """Keeps what it is given in `sent`, as long as it has room; answers greetings if it may."""

    endpoint = "fake://there"
    address = "fake://here"

    def __init__(self):
        self.sent = []
        self.room = None
        self.answers = True
        self.closed = False
        self.is_alone = False
        self.passed_over = []
        self.published = []
        self._events = None

    async def open(self, events):
        self._events = events

    def diagnosis(self):
        return Diagnosis(Cause.SLOW, "nobody answered")

    def send(self, head, body):
        if self.room == 0:
            return Sent.BUSY
        if self.room is not None:
            self.room -= 1
        self.sent.append((head, body))
        if self.answers and heads.unpack_items(head)[1][0][0] == Verb.HELLO:
            self._soon(self._events.on_message, *welcome())
        return Sent.OK

    def poll_soon(self):
        pass

    def pass_over(self, fabric):
        self.passed_over.append(fabric)

    def join(self, listen_port, publish_port):
        return True

    def open_publisher(self):
        self._soon(self._events.on_subscription, True, heads.LIVE_TOPIC)

    def subscribe(self, topic):
        if b"/_sync/" in topic:
            self._soon(self._events.on_publication, topic, HEADER, b"")

    def unsubscribe(self, topic):
        pass

    def publish(self, *message):
        self.published.append(message)

    def close(self):
        self.closed = True

    def take(self):
        """Return what was sent since the last time: of each message its items."""
        sent, self.sent = self.sent, []
        return [[named(*single) for single in heads.split(*message)] for message in sent]

    @staticmethod
    def _soon(call, *arguments):
        asyncio.get_running_loop().call_soon(call, *arguments)


class Notes:
    """A receiver that keeps what it is told; `then` may act upon a welcome."""

    def __init__(self):
        self.happened = []
        self.then = None

    def on_welcomed(self, fresh):
        self.happened.append(("on_welcomed", fresh))
        if self.then is not None:
            self.then()

    def __getattr__(self, name):
        if not name.startswith("on_"):
            raise AttributeError(name)
        return lambda *arguments: self.happened.append((name, *arguments))


def named(head, body):
    """Return a message with one item as short text: `TASK 1`, `CANCEL`, `GOODBYE`."""
    verb = Verb(heads.unpack_single(head)[1])
    named_by_body = verb in (Verb.TASK, Verb.REPLY)
    return f"{verb.name} {bytes(body[:9]).decode()}" if named_by_body else verb.name


def welcome(epoch=b"e" * 16, max_body_bytes=LIMIT_BYTES, **more):
    body = greetings.pack_welcome(
        greetings.Welcome(epoch, 7072, 7073, 1500, max_body_bytes, **more)
    )
    return heads.pack(Verb.WELCOME, len(body)), body


def task(subject, number, address=b"echo", body=None, **options):
    body = b"%d" % number if body is None else body
    options = {"ttl_ms": 5000, **options}
    return subject.send_task(address, number.to_bytes(16, "big"), TRACE, 1, body, **options)


def reply(subject, number, caller=PEER):
    body = b"%d" % number
    return subject.send_reply(caller, TASK, TRACE, 2, body, number)


def register(subject):
    return subject.send_presence(Verb.REGISTER, "seat", {"capabilities": []}, 18, b"opaque")


def comes_back(subject, *numbers, reason=Reason.HELLO_FIRST):
    """Let tasks come back whole, as one message."""
    singles = [
        heads.pack(Verb.TASK, 1, number=5000, task=bytes([n]) * 16, address=b"echo")
        for n in numbers
    ]
    body = reason.encode() + b"".join(b"%d" % n for n in numbers)
    subject.on_message(heads.bounced_whole(bundled(singles), reason), body)


async def a_turn():
    """Let the loop go round once: what was called for soon has happened."""
    await asyncio.sleep(0)


async def pass_time(loop_clock, after_s):
    """Turn the hands on and let the timers go off."""
    loop_clock.now_s += after_s
    await a_turn()  # the loop sees that they are due
    await a_turn()


@pytest.fixture
def carrier():
    return FakeCarrier()


@pytest.fixture
def notes():
    return Notes()


@pytest.fixture
def fresh(carrier, notes):
    """A client that is not open yet."""
    return Client(carrier, namespace="demo", name="client", receiver=notes)


@pytest_asyncio.fixture
async def ready(fresh, carrier, notes, clock):
    """A client that was welcomed; its carrier has nothing noted yet.

    Its clock stands still: a stalled machine would otherwise make a pause between two messages.
    """
    opening = asyncio.ensure_future(fresh.open(5.0))
    await a_turn()
    fresh.on_message(heads.pack(Verb.WHO), b"")
    await opening
    carrier.take()
    notes.happened.clear()
    yield fresh
    fresh.abort()


@pytest.fixture
def clock(monkeypatch):
    """The hands of the monotonic clock that deadlines are read from."""
    clock = SimpleNamespace(now_s=1000.0)
    for module in (client, directed_sender):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now_s))
    return clock


@pytest_asyncio.fixture
async def loop_clock(monkeypatch):
    """The hands of the loop's own clock, which its timers go by."""
    loop = asyncio.get_running_loop()
    clock = SimpleNamespace(now_s=loop.time())
    monkeypatch.setattr(loop, "time", lambda: clock.now_s)
    return clock


# -- what travels together -----------------------------------------------------------------------


async def test_the_first_message_of_a_turn_goes_at_once_and_the_others_together(ready, carrier):
    outcomes = [task(ready, number) for number in range(4)]

    assert outcomes == [Outcome.SENT] * 4
    assert carrier.take() == [["TASK 0"]]
    await a_turn()
    assert carrier.take() == [["TASK 1", "TASK 2", "TASK 3"]]


async def test_the_first_message_after_an_arrival_goes_at_once(ready, carrier):
    for number in range(3):
        task(ready, number)
        assert carrier.take() == [[f"TASK {number}"]]
        await a_turn()
        ready.on_message(heads.pack(Verb.PING), b"")

    assert carrier.take() == []


async def test_the_first_message_after_a_millisecond_without_one_goes_at_once(
    ready, carrier, clock
):
    ready.on_message(heads.pack(Verb.PING), b"")
    task(ready, 0)
    clock.now_s += 0.0005
    task(ready, 1)
    assert carrier.take() == [["TASK 0"]]
    await a_turn()
    assert carrier.take() == [["TASK 1"]]
    clock.now_s += 0.0006

    task(ready, 2)

    assert carrier.take() == [["TASK 2"]]


async def test_after_a_turn_of_several_messages_the_first_one_waits_for_the_others(
    ready, carrier, clock
):
    for number in range(3):
        task(ready, number)
    await a_turn()
    carrier.take()
    clock.now_s += 1.0

    for number in range(2):
        task(ready, number)

    assert carrier.take() == []
    await a_turn()
    assert carrier.take() == [["TASK 0", "TASK 1"]]


def arrives(subject, count, kind=2):
    """Let so many replies arrive as one message."""
    items = [(int(Verb.REPLY), 0, kind, n, TASK, TRACE, 0) for n in range(count)]
    subject.on_message(heads.pack_items(items, peer=PEER), b"")


async def test_what_several_items_wake_up_goes_together_in_the_turn_after_them(ready, carrier):
    loop = asyncio.get_running_loop()
    for number in range(2):
        loop.call_soon(task, ready, number)
    arrives(ready, 2)
    assert carrier.take() == []

    await a_turn()

    assert carrier.take() == [["TASK 0", "TASK 1"]]


async def test_the_turn_ends_behind_what_the_last_of_several_messages_woke_up(ready, carrier):
    loop = asyncio.get_running_loop()
    for number in range(3):
        arrives(ready, 2)
        loop.call_soon(task, ready, number)
    arrives(ready, 2)

    await a_turn()

    assert carrier.take() == [["TASK 0", "TASK 1", "TASK 2"]]


async def test_arrivals_hold_up_nothing_that_is_gathered(ready, carrier):
    arrives(ready, 2)
    task(ready, 0)
    for _ in range(3):
        arrives(ready, 2)

    await a_turn()

    assert carrier.take() == [["TASK 0"]]


async def test_each_target_gets_a_message_of_its_own(ready, carrier):
    task(ready, 0)
    task(ready, 1)
    task(ready, 2, b"?chat")
    reply(ready, 3)
    reply(ready, 4, b"q" * 16)
    reply(ready, 5)
    task(ready, 6)
    await a_turn()

    assert carrier.take() == [
        ["TASK 0"],
        ["TASK 1", "TASK 6"],
        ["TASK 2"],
        ["REPLY 3", "REPLY 5"],
        ["REPLY 4"],
    ]


async def test_no_message_has_more_items_than_can_come_back(ready, carrier):
    for number in range(100):
        task(ready, number)
    await a_turn()

    taken = carrier.take()
    assert [len(each) for each in taken] == [1, 63, 36]
    assert [item for each in taken for item in each] == [f"TASK {n}" for n in range(100)]


async def test_a_large_body_travels_alone_and_overtakes_nothing(ready, carrier):
    for number in range(3):
        task(ready, number)
    task(ready, 3, body=b"large".ljust(MAX_BODY_BYTES + 1, b"."))
    task(ready, 4)
    task(ready, 5)

    assert carrier.take() == [["TASK 0"], ["TASK 1", "TASK 2"], ["TASK large...."]]
    await a_turn()
    assert carrier.take() == [["TASK 4", "TASK 5"]]


async def test_a_cancel_overtakes_no_task(ready, carrier):
    for number in range(3):
        task(ready, number)
    ready.send_cancel(bytes(15) + b"\x02", TRACE)
    task(ready, 3)

    assert carrier.take() == [["TASK 0"], ["TASK 1", "TASK 2"], ["CANCEL"]]
    await a_turn()
    assert carrier.take() == [["TASK 3"]]


async def test_presence_overtakes_no_reply(ready, carrier):
    reply(ready, 0)
    reply(ready, 1)

    assert register(ready) is Outcome.SENT

    assert carrier.take() == [["REPLY 0"], ["REPLY 1"], ["REGISTER", "REGISTER"]]


async def test_what_is_gathered_has_the_fields_it_was_given(ready, carrier):
    task(ready, 0)
    task(ready, 1, ttl_ms=77, flags=ItemFlag.KEEP)
    task(ready, 2, ttl_ms=2**40)
    await a_turn()

    _, kept, longest = [heads.unpack_single(h) for m in carrier.sent for h, _ in heads.split(*m)]
    number = (1).to_bytes(16, "big")
    assert kept == (heads.NOBODY, Verb.TASK, ItemFlag.KEEP, 1, 77, number, TRACE, 1, b"echo")
    assert longest[4] == heads.MAX_NUMBER


async def test_nothing_is_sent_when_the_client_was_closed_within_the_turn(ready, carrier):
    task(ready, 0)
    task(ready, 1)
    ready.abort()
    await a_turn()

    assert carrier.take() == [["TASK 0"]]


# -- what waits ----------------------------------------------------------------------------------


async def test_what_the_carrier_has_no_room_for_waits_and_goes_in_order(ready, carrier):
    carrier.room = 0

    outcomes = [task(ready, 0), ready.send_cancel(TASK, TRACE), reply(ready, 1), task(ready, 2)]
    carrier.room = None
    late = task(ready, 3)

    assert [*outcomes, late] == [Outcome.WAITING] * 5
    assert carrier.take() == []
    ready.on_writable()
    assert carrier.take() == [["TASK 0"], ["CANCEL"], ["REPLY 1"], ["TASK 2"], ["TASK 3"]]


async def test_the_outbox_is_emptied_as_far_as_there_is_room(ready, carrier):
    carrier.room = 0
    for number in range(4):
        task(ready, number)
    carrier.room = 2

    ready.on_writable()

    assert carrier.take() == [["TASK 0"], ["TASK 1"]]
    assert len(ready.outbox) == 2
    carrier.room = None
    ready.on_writable()
    assert carrier.take() == [["TASK 2"], ["TASK 3"]]


async def test_a_bundle_that_finds_no_room_waits_one_by_one_and_in_order(ready, carrier):
    carrier.room = 1
    for number in range(4):
        task(ready, number)
    task(ready, 4, b"other")
    await a_turn()

    assert task(ready, 5) is Outcome.WAITING
    assert carrier.take() == [["TASK 0"]]
    carrier.room = None
    ready.on_writable()
    assert carrier.take() == [["TASK 1"], ["TASK 2"], ["TASK 3"], ["TASK 4"], ["TASK 5"]]


@pytest.mark.parametrize("gathered", [False, True])
async def test_the_time_of_a_task_that_waits_goes_on_running(ready, carrier, clock, gathered):
    carrier.room = 1 if gathered else 0
    task(ready, 0, ttl_ms=9000)
    task(ready, 1, ttl_ms=5000)
    task(ready, 2, ttl_ms=1000)
    reply(ready, 3)
    await a_turn()
    carrier.take()
    clock.now_s += 1.5
    carrier.room = None

    ready.on_writable()

    left_ms = [heads.unpack_single(head)[4] for head, _ in carrier.sent]
    assert carrier.take() == ([] if gathered else [["TASK 0"]]) + [["TASK 1"], ["REPLY 3"]]
    assert left_ms[-2:] == [3500, 3]
    assert ready.counts["drop.expired_in_outbox"] == 1


async def test_a_full_outbox_says_busy(ready, carrier):
    ready.outbox._max_messages = 1
    carrier.room = 0

    assert [task(ready, 0), task(ready, 1)] == [Outcome.WAITING, Outcome.BUSY]
    assert ready.counts["drop.outbox_full"] == 1


async def test_what_was_gathered_is_kept_beyond_the_bound(ready, carrier):
    ready.outbox._max_messages = 1
    carrier.room = 1
    for number in range(4):
        task(ready, number)
    await a_turn()

    assert len(ready.outbox) == 3
    assert task(ready, 4) is Outcome.BUSY


async def test_what_is_sent_while_nobody_is_there_goes_out_after_the_next_welcome(
    ready, carrier, notes
):
    ready.on_disconnected()
    outcomes = [task(ready, 0), task(ready, 1)]
    ready.on_writable()
    await a_turn()
    assert outcomes == [Outcome.WAITING] * 2
    assert carrier.take() == []
    notes.then = lambda: reply(ready, 2)

    ready.on_message(*welcome())

    assert carrier.take() == [["TASK 0"], ["TASK 1"], ["REPLY 2"]]
    assert notes.happened == [("on_away", "disconnected"), ("on_welcomed", False)]


async def test_what_was_gathered_when_the_connection_ended_goes_out_after_the_next_welcome(
    ready, carrier
):
    for number in range(3):
        task(ready, number)
    ready.on_disconnected()
    await a_turn()

    assert carrier.take() == [["TASK 0"]]
    ready.on_message(*welcome())
    assert carrier.take() == [["TASK 1"], ["TASK 2"]]


async def test_a_question_that_is_not_answered_is_asked_again_after_a_welcome(ready, carrier):
    asked = asyncio.ensure_future(ready.queries.state(5.0))
    barrier = asyncio.ensure_future(ready.barrier(5.0))
    await a_turn()
    assert carrier.take() == [["ROSTER"], ["ROSTER"]]

    ready.on_disconnected()
    ready.on_message(heads.pack(Verb.WHO), b"")
    await a_turn()

    assert carrier.take() == [["HELLO"], ["ROSTER"]]  # a barrier would prove nothing
    for waiting in (asked, barrier):
        waiting.cancel()


async def test_presence_does_not_wait_for_a_welcome(ready, carrier):
    ready.on_disconnected()

    assert register(ready) is Outcome.WAITING
    assert len(ready.outbox) == 0
    ready.on_message(*welcome())
    assert carrier.take() == []


async def test_who_waits_for_an_empty_outbox_waits_for_the_last_message(ready, carrier):
    carrier.room = 0
    task(ready, 0)
    task(ready, 1)
    waiting = [asyncio.ensure_future(ready.drained()) for _ in range(2)]
    carrier.room = 1
    await a_turn()
    ready.on_writable()
    await a_turn()
    assert not any(each.done() for each in waiting)

    carrier.room = 1
    ready.on_writable()

    await asyncio.gather(*waiting)
    assert len(ready.outbox) == 0


async def test_nobody_waits_for_an_outbox_that_is_empty(ready):
    assert await ready.drained() is None


# -- what came back ------------------------------------------------------------------------------


async def test_what_came_back_goes_out_first_and_one_by_one(ready, carrier):
    ready.on_disconnected()
    task(ready, 8)
    comes_back(ready, 1, 2)
    comes_back(ready, 3)
    task(ready, 9)

    ready.on_message(*welcome())

    assert carrier.take() == [["TASK 1"], ["TASK 2"], ["TASK 3"], ["TASK 8"], ["TASK 9"]]
    assert ready.counts["returned"] == 2


async def test_the_time_of_a_task_that_came_back_goes_on_running(ready, carrier, clock):
    ready.on_disconnected()
    comes_back(ready, 1)
    clock.now_s += 2.0

    ready.on_message(*welcome())

    assert heads.unpack_single(carrier.sent[0][0])[4] == 3000


async def test_what_a_proxy_that_goes_away_returns_is_for_the_next_one(ready, carrier, notes):
    ready.on_message(heads.pack(Verb.GOING_AWAY), b"")
    task(ready, 8)
    comes_back(ready, 1, reason=Reason.GOING_AWAY)
    ready.on_message(heads.pack(Verb.GOODBYE), b"")
    ready.on_disconnected()
    assert carrier.take() == [["GOODBYE"]]

    ready.on_message(heads.pack(Verb.WHO), b"")
    await a_turn()

    assert carrier.take() == [["HELLO"], ["TASK 1"], ["TASK 8"]]
    assert notes.happened == [("on_away", "going away"), ("on_welcomed", False)]
    assert not [name for name in ready.counts if name.startswith("unexpected")]


# -- what is refused at once ---------------------------------------------------------------------


async def test_a_body_over_the_limit_of_the_proxy_is_refused(ready, carrier):
    assert task(ready, 1, body=bytes(LIMIT_BYTES + 1)) is Outcome.TOO_LARGE
    assert carrier.take() == []
    assert len(ready.outbox) == 0
    assert task(ready, 1, body=b"x" * LIMIT_BYTES) is Outcome.SENT


async def test_the_lower_limit_counts(carrier, notes):
    subject = Client(carrier, namespace="demo", name="c", receiver=notes, max_body_bytes=10)
    opening = asyncio.ensure_future(subject.open(5.0))
    await a_turn()
    subject.on_message(*welcome())
    await opening

    assert (subject.max_body_bytes, subject.heartbeat_s) == (10, 1.5)
    assert [task(subject, 1, body=bytes(size)) for size in (11, 10)] == [
        Outcome.TOO_LARGE,
        Outcome.SENT,
    ]
    subject.abort()


async def test_facts_over_the_limit_are_refused(ready, carrier):
    with pytest.raises(MessageTooLarge):
        ready.send_presence(Verb.REGISTER, "seat", {"note": "x" * 9000}, 18, b"")

    assert carrier.take() == []


async def test_a_client_that_is_not_open_sends_nothing(fresh, carrier):
    assert [task(fresh, 1), fresh.send_cancel(TASK, TRACE)] == [Outcome.CLOSED] * 2
    assert carrier.take() == []


# -- opening and closing -------------------------------------------------------------------------


async def test_hello_is_said_again_every_second_until_it_is_answered(fresh, carrier, loop_clock):
    carrier.answers = False
    opening = asyncio.ensure_future(fresh.open(60.0))
    await a_turn()
    heard = []
    for _ in range(4):
        await pass_time(loop_clock, 0.6)
        heard.append(carrier.take())

    fresh.on_message(*welcome())
    await opening
    await pass_time(loop_clock, 5.0)

    assert heard == [[], [["HELLO"]], [], [["HELLO"]]]
    assert carrier.take() == []
    fresh.abort()


async def test_hello_is_said_again_when_the_connection_ended(ready, carrier, loop_clock):
    ready.on_disconnected()

    await pass_time(loop_clock, 1.1)

    assert carrier.take() == [["HELLO"]]


async def test_a_client_that_was_closed_says_nothing_more(ready, carrier, loop_clock):
    ready.on_disconnected()
    ready.abort()

    await pass_time(loop_clock, 5.0)

    assert carrier.take() == []


async def test_a_greeting_that_finds_no_room_is_counted(fresh, carrier):
    opening = asyncio.ensure_future(fresh.open(5.0))
    await a_turn()
    carrier.room = 0

    fresh.on_message(heads.pack(Verb.WHO), b"")

    assert fresh.counts["drop.greeting"] == 1
    opening.cancel()
    await asyncio.wait([opening])
    assert carrier.closed


async def test_opening_ends_when_nobody_answers_in_time(fresh, carrier):
    with pytest.raises(Unreachable, match=r"fake://there.*nobody answered"):
        await fresh.open(0.0)

    assert carrier.closed
    assert task(fresh, 1) is Outcome.CLOSED


async def test_opening_ends_with_the_reason_of_a_refusal(fresh, carrier):
    carrier.answers = False
    opening = asyncio.ensure_future(fresh.open(5.0))
    await a_turn()
    fresh.on_message(heads.pack(Verb.WHO), b"")
    body = greetings.pack_map({"reason": "full"})
    fresh.on_message(heads.pack(Verb.REFUSED, len(body)), body)

    with pytest.raises(Refused, match="full"):
        await opening
    assert carrier.closed


def standby(*fabric):
    body = greetings.pack_map({"reason": "stands by", "code": "standby", "fabric": list(fabric)})
    return heads.pack(Verb.REFUSED, len(body)), body


async def test_a_proxy_that_stands_by_is_passed_over_and_the_opening_goes_on(fresh, carrier):
    carrier.answers = False
    opening = asyncio.ensure_future(fresh.open(5.0))
    await a_turn()
    fresh.on_message(heads.pack(Verb.WHO), b"")
    fresh.on_message(*standby("cosmo://10.0.0.2:7070"))
    carrier.answers = True
    fresh.on_message(heads.pack(Verb.WHO), b"")  # of the next one
    await opening

    assert carrier.passed_over == [("cosmo://10.0.0.2:7070",)]
    assert fresh.away_s is None
    fresh.abort()


async def test_who_is_passed_on_by_a_proxy_that_led_is_away_and_its_messages_wait(
    ready, carrier, notes
):
    ready.on_message(*standby())
    task(ready, 1)

    assert carrier.passed_over == [()]
    assert ("on_away", "stands by") in notes.happened
    assert carrier.take() == []


async def test_hello_says_alone_from_the_moment_at_which_the_carrier_is(fresh, carrier):
    carrier.answers = False
    opening = asyncio.ensure_future(fresh.open(5.0))
    await a_turn()

    fresh.on_message(heads.pack(Verb.WHO), b"")
    carrier.is_alone = True
    fresh.on_message(heads.pack(Verb.WHO), b"")

    hellos = [greetings.unpack_hello(body).alone for _, body in carrier.sent]
    assert hellos == [False, True]
    fresh.abort()
    await asyncio.gather(opening, return_exceptions=True)


async def test_each_welcome_is_handed_over_ahead_of_the_receiver(carrier, notes):
    client = Client(
        carrier,
        namespace="demo",
        name="client",
        receiver=notes,
        on_welcome=lambda welcome: notes.happened.append(("half", welcome.half)),
    )
    opening = asyncio.ensure_future(client.open(5.0))
    await a_turn()
    client.on_message(heads.pack(Verb.WHO), b"")
    await opening
    client.on_message(*welcome(half=True))

    named = [each for each in notes.happened if each[0] in ("half", "on_welcomed")]
    assert named == [("half", False), ("on_welcomed", True), ("half", True), ("on_welcomed", False)]
    client.abort()


async def test_closing_sends_all_and_waits_for_the_answer_to_goodbye(ready, carrier):
    for number in range(3):
        task(ready, number)
    closing = asyncio.ensure_future(ready.close(5.0))
    await a_turn()

    assert carrier.take() == [["TASK 0"], ["TASK 1", "TASK 2"], ["GOODBYE"]]
    assert not closing.done()
    assert not carrier.closed
    ready.on_message(heads.pack(Verb.GOODBYE), b"")
    assert await closing is True
    assert carrier.closed
    assert task(ready, 3) is Outcome.CLOSED


async def test_closing_sends_what_waited_before_it_says_goodbye(ready, carrier):
    carrier.room = 1
    for number in range(3):
        task(ready, number)
    await a_turn()
    carrier.room = None
    closing = asyncio.ensure_future(ready.close(5.0))
    await a_turn()
    ready.on_message(heads.pack(Verb.GOODBYE), b"")

    assert await closing is True
    assert carrier.take() == [["TASK 0"], ["TASK 1"], ["TASK 2"], ["GOODBYE"]]


async def test_closing_without_an_answer_ends_in_time_and_says_so(ready, carrier):
    assert await ready.close(0.0) is False
    assert carrier.take() == [["GOODBYE"]]
    assert carrier.closed


async def test_closing_twice_is_closing_once(ready, carrier):
    closing = asyncio.ensure_future(ready.close(5.0))
    await a_turn()
    ready.on_message(heads.pack(Verb.GOODBYE), b"")
    await closing
    carrier.take()

    assert await ready.close(5.0) is True
    assert carrier.take() == []


# -- what the receiver is told -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "body", "told"),
    [
        (
            heads.pack(Verb.TASK, 1, peer=PEER, kind=1, number=9, task=TASK, address=b"seat"),
            b"x",
            ("on_tasks", PEER, "seat", [(TASK, heads.NOBODY, 1, 9, 0, b"x")]),
        ),
        (
            heads.pack(Verb.REPLY, 1, peer=PEER, flags=1, kind=2, number=3, task=TASK),
            b"y",
            ("on_replies", PEER, [(TASK, heads.NOBODY, 2, 3, 1, b"y")]),
        ),
        (heads.pack(Verb.CANCEL, peer=PEER, task=TASK), b"", ("on_cancel", PEER, TASK)),
        (heads.pack(Verb.BOUNCE, 4, task=TASK), b"busy", ("on_bounce", TASK, Reason.BUSY)),
        (
            heads.pack(Verb.LOST, 11, task=TASK),
            b"worker_lost",
            ("on_lost", TASK, Reason.WORKER_LOST),
        ),
        (heads.pack(Verb.REGISTER, address=b"seat"), b"", ("on_registered", "seat", "")),
        (heads.pack(Verb.REGISTER, 4, address=b"seat"), b"full", ("on_registered", "seat", "full")),
        (heads.pack(Verb.WHO), b"", ("on_away", "asked again")),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
async def test_what_a_message_means_is_told(ready, notes, head, body, told):
    ready.on_message(head, body)

    assert notes.happened == [told]


async def test_the_parts_count_into_one_list(ready):
    ready.on_dropped("frame_count")
    ready.on_message(b"\x01", b"")
    ready.on_subscription(True, b"nonsense")

    assert ready.counts == {
        "drop.frame_count": 1,
        "drop.short_head": 1,
        "ignored.bad_topic": 1,
    }


# -- order, when messages have to wait ------------------------------------------------------------


async def test_a_cancel_waits_behind_the_bundle_that_found_no_room(ready, carrier):
    carrier.room = 1
    task(ready, 0)
    task(ready, 1)
    send = carrier.send

    def busy_once(head, body):
        carrier.send = send
        carrier.room = None
        return Sent.BUSY

    carrier.send = busy_once
    ready.send_cancel(bytes(15) + b"\x01", TRACE)
    ready.on_writable()

    assert carrier.take() == [["TASK 0"], ["TASK 1"], ["CANCEL"]]


async def test_what_is_sent_after_the_connection_ended_waits_behind_what_was_gathered(
    ready, carrier
):
    task(ready, 0)
    task(ready, 1)
    ready.on_disconnected()
    ready.send_cancel(bytes(15) + b"\x01", TRACE)
    await a_turn()

    ready.on_message(*welcome())

    assert carrier.take() == [["TASK 0"], ["TASK 1"], ["CANCEL"]]


async def test_closing_with_messages_that_still_wait_does_not_claim_that_they_were_read(ready):
    ready.on_disconnected()
    task(ready, 0)

    assert await ready.close(0.0) is False


async def test_a_returned_message_whose_sizes_do_not_add_up_is_counted(ready):
    head = heads.bounced_whole(heads.pack(Verb.TASK, 9, address=b"echo"))

    ready.on_message(head, b"hello_first" + b"short")

    assert ready.counts["drop.body_length"] == 1


# -- nothing is done twice for one message -------------------------------------------------------


class CountingCarrier(FakeCarrier):
    """Counts the calls of a client, in order; polls by itself when it sends, as the port says."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def send(self, head, body):
        self.calls.append("send")
        return super().send(head, body)

    def poll_soon(self):
        self.calls.append("poll_soon")


@pytest.fixture
def takes(monkeypatch):
    """How often what a client gathers was taken, or asked for."""
    takes = []

    class Counted(Outgoing):
        def take(self):
            takes.append(1)
            return super().take()

    monkeypatch.setattr(directed_sender, "Outgoing", Counted)
    return takes


class TestOnceForEachMessage:
    @pytest.fixture
    def carrier(self, takes):
        return CountingCarrier()

    @pytest.mark.parametrize("send", [task, reply])
    async def test_a_lone_message_is_one_call_to_the_carrier(self, ready, carrier, takes, send):
        carrier.calls.clear()
        takes.clear()

        send(ready, 1)
        await a_turn()

        assert carrier.calls == ["send"]
        assert takes == []

    async def test_what_follows_in_a_calm_turn_is_flushed_once(self, ready, carrier, takes):
        carrier.calls.clear()
        takes.clear()

        for number in range(3):
            task(ready, number)
        await a_turn()

        assert carrier.calls == ["send", "poll_soon", "send"]
        assert takes == [1]

    async def test_a_busy_turn_polls_once_and_sends_once(self, ready, carrier, takes):
        for number in range(3):
            task(ready, number)
        await a_turn()
        carrier.calls.clear()
        takes.clear()

        for number in range(3):
            task(ready, number)
        await a_turn()

        assert carrier.calls == ["poll_soon", "send"]
        assert takes == [1]

    async def test_a_cancel_with_nothing_gathered_flushes_nothing(self, ready, carrier, takes):
        carrier.calls.clear()
        takes.clear()

        ready.send_cancel(TASK, TRACE)

        assert carrier.calls == ["send"]
        assert takes == []


async def test_a_first_task_between_hello_and_welcome_asks_for_the_workers_ahead_of_it(
    ready, carrier
):
    ready.resync_from(SimpleNamespace(open_tasks=list, held_tasks=list))
    carrier.answers = False
    ready.on_disconnected()
    ready.on_message(heads.pack(Verb.WHO), b"")  # our HELLO does not say yet that we call
    task(ready, 0)

    ready.on_message(*welcome())

    sent = [name for message in carrier.take() for name in message]
    assert sent.index("WORKERS") < sent.index("TASK 0")
    assert (sent[0], sent[-2:]) == ("HELLO", ["WORKERS", "TASK 0"])


# -- an older proxy takes the place of a newer one -----------------------------------------------


async def test_tasks_that_wait_say_to_an_older_proxy_that_their_caller_reads_no_runs(
    ready, carrier
):
    ready.on_message(*welcome(runs=True))
    ready.on_disconnected()
    task(ready, 1, flags=int(ItemFlag.RUN))
    carrier.take()
    ready.on_message(heads.pack(Verb.WHO), b"")
    await a_turn()

    sent = [heads.unpack_single(head) for head, _ in carrier.sent]
    assert [flags for _, verb, flags, *_ in sent if verb == Verb.TASK] == [0]


async def test_a_publication_that_has_no_way_yet_is_counted(fresh, carrier):
    carrier.answers = False
    opening = asyncio.ensure_future(fresh.open(5.0))
    await a_turn()
    fresh.on_message(*who())
    fresh.on_message(*welcome(publish=True))
    await opening
    fresh.on_disconnected()
    fresh.on_message(*who())
    fresh.on_message(*welcome(epoch=b"f" * 16))  # takes no PUBLISH, and the socket only connects

    assert fresh.publisher.publish(1, TRACE, b"body") == 0
    assert fresh.counts["drop.unpublished"] == 1
    fresh.abort()


def who():
    return heads.pack(Verb.WHO), b""


# -- keys ----------------------------------------------------------------------------------------

UNLISTED = AccessRefused(
    "fake://there", "it does not list the key of ada", "", AccessFault.UNLISTED
)
REVOKED = {"reason": "revoked", "code": "access", "fix": "ask"}


def refuses(subject, **fields):
    body = greetings.pack_map(fields)
    subject.on_message(heads.pack(Verb.REFUSED, len(body)), body)


async def test_opening_ends_at_once_with_a_refusal_for_the_key(fresh, carrier):
    carrier.answers = False
    opening = asyncio.ensure_future(fresh.open(60.0))
    await a_turn()
    fresh.on_access_refused(UNLISTED)

    with pytest.raises(AccessRefused) as caught:
        await opening
    assert caught.value is UNLISTED
    assert carrier.closed


async def test_opening_ends_with_what_to_do_if_a_right_is_missing(fresh, carrier):
    carrier.answers = False
    opening = asyncio.ensure_future(fresh.open(60.0))
    await a_turn()
    fresh.on_message(heads.pack(Verb.WHO), b"")
    refuses(fresh, **REVOKED)

    with pytest.raises(AccessRefused, match="revoked") as caught:
        await opening
    assert (caught.value.fault, caught.value.fix) == (AccessFault.RIGHTS, "ask")


async def test_who_was_welcome_is_away_when_it_is_refused_and_says_so_once(ready, carrier, notes):
    ready.on_disconnected()
    for _ in range(3):
        ready.on_access_refused(UNLISTED)

    away = [each for each in notes.happened if each[0] == "on_away"]
    assert away == [("on_away", "disconnected"), ("on_away", f"refused: {UNLISTED.reason}")]
    assert task(ready, 1) is Outcome.WAITING
    assert not carrier.closed


async def test_who_is_ready_and_loses_its_rights_is_away_until_it_is_welcome(
    ready, carrier, notes, loop_clock
):
    refuses(ready, **REVOKED)
    waiting = task(ready, 1)
    away = list(notes.happened)
    await pass_time(loop_clock, 1.1)
    asked = carrier.take()
    await a_turn()

    assert (waiting, away) == (Outcome.WAITING, [("on_away", "refused: revoked")])
    assert asked == [["HELLO"]]
    assert carrier.take() == [["TASK 1"]]


async def test_a_second_refusal_is_told_again_after_a_welcome(ready, notes):
    refuses(ready, **REVOKED)
    ready.on_message(*welcome())
    refuses(ready, **REVOKED)

    away = [each for each in notes.happened if each[0] == "on_away"]
    assert away == [("on_away", "refused: revoked")] * 2


async def test_a_refusal_on_the_broadcast_plane_ends_the_waits_for_it(ready, carrier):
    carrier.subscribe = lambda topic: None
    ready.broadcast.listen(3)
    syncing = asyncio.ensure_future(ready.broadcast.sync(60.0))
    await a_turn()
    ready.on_broadcast_refused(UNLISTED)

    with pytest.raises(AccessRefused):
        await syncing
    assert task(ready, 1) is Outcome.SENT


def users_page(names):
    body = msgpack.packb(names)
    return heads.pack(Verb.USERS, len(body)), body


async def test_a_client_knows_its_user_its_rights_and_the_others(ready):
    ready.on_message(*welcome(user="ada", may=("watch", "serve=a-*")))
    ready.on_message(*users_page(["ada", "ben"]))

    assert (ready.user, ready.may, list(ready.users)) == (
        "ada",
        ("watch", "serve=a-*"),
        ["ada", "ben"],
    )


async def test_with_a_welcome_the_list_of_the_others_is_complete(ready):
    instance, told = instance_of_user(b"s" * 16, "ben"), []
    for message in (users_page(["ada", "ben"]), welcome(), users_page(["ada"]), welcome()):
        ready.on_message(*message)
        told.append(ready.users.user_of(instance))

    assert told == ["ben", "ben", "ben", None]


async def test_at_a_proxy_without_keys_a_client_is_nobody(ready):
    assert (ready.user, ready.may, list(ready.users)) == ("", (), [])
