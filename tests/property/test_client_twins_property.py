"""A client that takes whole messages does what one does that takes them item by item."""

import asyncio
from types import SimpleNamespace
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from support.examples import examples
from zmq_transport.client import client, directed_sender
from zmq_transport.client.client import Client
from zmq_transport.client.diagnosis import Diagnosis
from zmq_transport.errors import Cause
from zmq_transport.kernel import pack_single
from zmq_transport.sockets.sent import Sent
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.bundle import MAX_BODY_BYTES, Bundler
from zmq_transport.wire.heads import Verb

IDS = st.integers(0, 3).map(lambda n: bytes([n]) * 16)
SIZES = st.integers(0, 9) | st.sampled_from([MAX_BODY_BYTES, MAX_BODY_BYTES + 1, 20_000])
FLAGS, KINDS = st.integers(0, 15), st.integers(0, 255)
VERBS = st.sampled_from([10, 10, 11, 11, int(Verb.LOST), int(Verb.CANCEL), int(Verb.PING), 99])
ITEMS = st.lists(
    st.tuples(VERBS, FLAGS, KINDS, st.integers(0, heads.MAX_NUMBER), IDS, IDS, st.integers(0, 3)),
    min_size=1,
    max_size=4,
)
UNIFORM = st.tuples(st.sampled_from([10, 11]), ITEMS).map(
    lambda drawn: [(drawn[0], *rest) for _, *rest in drawn[1]]
)
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("task"),
            st.sampled_from([b"echo", b"?a,b"]),
            *(IDS, IDS, KINDS, SIZES, st.integers(0, 2**40), FLAGS),
        ),
        st.tuples(
            st.just("reply"), IDS, IDS, IDS, KINDS, SIZES, st.integers(0, heads.MAX_NUMBER), FLAGS
        ),
        st.tuples(st.just("cancel"), IDS, IDS),
        st.tuples(st.just("room"), st.none() | st.integers(0, 3)),
        st.tuples(st.just("arrives"), ITEMS | UNIFORM, IDS, st.sampled_from([b"", b"s", b"\xff"])),
        st.tuples(st.just("bytes"), st.binary(max_size=90), st.binary(max_size=9)),
        st.tuples(st.just("time"), st.sampled_from([0.0005, 0.002])),
        *(st.tuples(st.just(each)) for each in ("turn", "turn", "writable", "lost", "welcome")),
    ),
    max_size=30,
)


class BundlerOutgoing:
    """What gathers the messages one by one: the reference for `Outgoing`."""

    def __init__(self):
        self._bundler = Bundler()

    @property
    def count(self):
        return self._bundler.count

    def add(self, verb, flags, kind, number, task, trace, peer, address, body):
        fields = verb, flags, kind, number, task, trace
        self._bundler.add(b"", pack_single(*fields, peer, address, len(body)), body)

    def take(self):
        return self._bundler.take(b"")


class NotingCarrier:
    """Keeps what it is given, as long as it has room."""

    endpoint = "fake://there"

    def __init__(self):
        self.calls = []
        self.room = None

    async def open(self, events):
        self.events = events

    def diagnosis(self):
        return Diagnosis(Cause.SLOW, "nobody answered")

    def send(self, head, body):
        if self.room == 0:
            self.calls.append(("refused", head, body))
            return Sent.BUSY
        if self.room is not None:
            self.room -= 1
        self.calls.append(("sent", head, body))
        return Sent.OK

    def poll_soon(self):
        self.calls.append(("poll_soon",))

    def __getattr__(self, name):
        return lambda *_: True  # of the broadcast plane, which is no part of this


class NotingReceiver:
    def __init__(self):
        self.events = []

    def __getattr__(self, name):
        if not name.startswith("on_"):
            raise AttributeError(name)
        return lambda *arguments: self.events.append((name, *arguments))


def welcome():
    body = greetings.pack_welcome(greetings.Welcome(b"e" * 16, 7072, 7073, 1500, 18_000))
    return heads.pack(Verb.WELCOME, len(body)), body


async def played(steps, fast, clock):
    """Return all that a client did, in order."""
    carrier, notes, outcomes = NotingCarrier(), NotingReceiver(), []
    subject = Client(carrier, namespace="demo", name="x", receiver=notes, fast=fast)
    opening = asyncio.ensure_future(subject.open(5.0))
    await asyncio.sleep(0)
    subject.on_message(*welcome())
    for step, *values in steps:
        if step == "task":
            address, task, trace, kind, size, ttl_ms, flags = values
            body = bytes(size)
            outcomes.append(subject.send_task(address, task, trace, kind, body, ttl_ms, flags))
        elif step == "reply":
            caller, task, trace, kind, size, index, flags = values
            body = bytes(size)
            outcomes.append(subject.send_reply(caller, task, trace, kind, body, index, flags))
        elif step == "cancel":
            outcomes.append(subject.send_cancel(*values))
        elif step == "room":
            (carrier.room,) = values
        elif step == "arrives":
            items, peer, address = values
            body = bytes(sum(item[-1] for item in items))
            subject.on_message(heads.pack_items(items, peer=peer, address=address), body)
        elif step == "time":
            clock.now_s += values[0]
        elif step == "turn":
            await asyncio.sleep(0)
        else:
            does = {"bytes": subject.on_message, "writable": subject.on_writable}
            does |= {"lost": subject.on_disconnected, "welcome": subject.on_message}
            does[step](*(welcome() if step == "welcome" else values))
    await asyncio.sleep(0)
    left = len(subject.outbox), subject.outbox.bytes
    opening.cancel()
    await asyncio.wait([opening])
    return carrier.calls, outcomes, notes.events, +subject.counts, left


def play(steps, fast):
    clock = SimpleNamespace(now_s=1000.0)
    time = SimpleNamespace(monotonic=lambda: clock.now_s)
    reference = {} if fast else {"Outgoing": BundlerOutgoing}
    with (
        mock.patch.multiple(client, time=time, os=SimpleNamespace(urandom=bytes)),
        mock.patch.multiple(directed_sender, time=time, **reference),
    ):
        return asyncio.run(played(steps, fast, clock))


@settings(max_examples=examples(1_000))
@given(steps=STEPS)
def test_both_make_the_same_calls_and_tell_and_count_the_same(steps):
    assert play(steps, fast=True) == play(steps, fast=False)
