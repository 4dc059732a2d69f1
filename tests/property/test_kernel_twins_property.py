"""The compiled kernel of the transport gives what its plain twin gives, hostile bytes included."""

import random
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.mutations import mutated
from zmq_transport.kernel import batches, entries, frames, items

compiled = pytest.importorskip("zmq_transport.kernel._compiled", exc_type=ImportError)

CHANGES = 250
"""Variants of each example, most of them hostile."""
SEEDS = st.integers(0, 2**64)
IDS = st.sampled_from([bytes(16), b"\xff" * 16, bytes(range(16))])
U8 = st.integers(0, 255)
U32 = st.integers(0, 2**32 - 1)
BODIES = st.binary(max_size=20) | st.integers(250, 260).map(bytes)
FRAMES = st.tuples(st.sampled_from([0, 1, 4, 5]), st.booleans(), BODIES)


def frame(flags, is_long, body):
    """Return a frame, with a size of eight bytes if it needs or wants it."""
    if is_long or len(body) > 255:
        return bytes((flags | 2,)) + len(body).to_bytes(8, "big") + body
    return bytes((flags, len(body))) + body


def decoded(kernel, data, start, open_frames, limits):
    kept, messages, commands = list(open_frames), [], []
    at = kernel.decode_frames(data, start, kept, *limits, messages, commands)
    return at, kept, messages, commands


@given(
    traffic=st.lists(FRAMES, max_size=12).map(lambda each: b"".join(frame(*f) for f in each)),
    open_frames=st.lists(BODIES, max_size=2),
    limits=st.tuples(st.integers(0, 4), st.integers(0, 400)),
    seed=SEEDS,
)
def test_frames_are_taken_alike(traffic, open_frames, limits, seed):
    dice = random.Random(seed)
    for number in range(CHANGES):
        data = mutated(dice, traffic) if number else traffic
        start = dice.randrange(len(data) + 1) if number % 2 else 0

        expected = decoded(frames, data, start, open_frames, limits)

        assert decoded(compiled, data, start, open_frames, limits) == expected


@given(head=BODIES, body=BODIES)
def test_a_message_is_framed_alike(head, body):
    assert compiled.encode_message(head, body) == frames.encode_message(head, body)


VERBS = st.sampled_from([10, 10, 10, 11, 11, 11, 12])
MESSAGES = st.tuples(
    VERBS, st.lists(st.tuples(U8, U8, U32, IDS, IDS, BODIES), min_size=1, max_size=66), IDS, BODIES
)


def message_of(verb, parts, peer, address):
    """Return head and body of a message; over 64 items make it invalid."""
    packed = [
        items._pack_item(verb, flags, kind, number, task, trace, len(body))
        for flags, kind, number, task, trace, body in parts
    ]
    head = b"".join((b"\x01\x00", peer, bytes((len(packed),)), *packed, address))
    return head, b"".join(body for *_, body in parts)


@given(message=MESSAGES, seed=SEEDS)
def test_messages_are_split_alike(message, seed):
    dice = random.Random(seed)
    whole = message_of(*message)
    for number in range(CHANGES):
        head, body = (mutated(dice, each) for each in whole) if number % 3 else whole
        if number % 3 == 1:
            body = whole[1]

        assert compiled.read_target(head) == items.read_target(head)
        assert compiled.split_items(head, body) == items.split_items(head, body)


ADDED = st.tuples(
    st.sampled_from([10, 11]), U8, U8, U32, IDS, IDS, IDS, st.sampled_from([b"", b"?a,b"]), BODIES
)


@given(turns=st.lists(st.lists(st.tuples(ADDED, st.integers(1, 70)), max_size=6), max_size=3))
def test_messages_are_gathered_alike(turns):
    ours, twin = compiled.Outgoing(), items.Outgoing()
    for turn in turns:
        for added, repeats in turn:
            for _ in range(repeats):
                ours.add(*added)
                twin.add(*added)
        assert ours.count == twin.count

        assert ours.take() == twin.take()
        assert ours.count == twin.count == 0


@given(sizes=st.lists(st.sampled_from([0, 9_000, 16_384]), min_size=1, max_size=80))
def test_a_bundle_is_full_alike(sizes):
    ours, twin = compiled.Outgoing(), items.Outgoing()
    for size in sizes:
        for each in (ours, twin):
            each.add(10, 0, 1, 5, bytes(16), bytes(16), bytes(16), b"a", bytes(size))

    assert ours.take() == twin.take()


@given(
    fields=st.tuples(U8, U8, U8, U32, st.binary(max_size=20), IDS, IDS, st.binary(max_size=9), U32)
)
def test_a_single_head_is_packed_alike(fields):
    assert compiled.pack_single(*fields) == items.pack_single(*fields)


def ledger_of(kernel):
    """Return a ledger, and what a proxy keeps beside it."""
    seats = [SimpleNamespace(open={}, peer=number) for number in range(2)]
    return SimpleNamespace(kernel=kernel, callers={b"c" * 16: {}, b"d" * 16: {}}, seats=seats)


def facts(entry):
    names = ("caller", "task", "trace", "address", "keep", "expires_at_s", "cancelled")
    names = (*names, "body_bytes", "ttl_ms")
    return [*(getattr(entry, name) for name in names), entry.seat.peer]


def state(ledger):
    """Return everything that is in a ledger, in its order."""
    return (
        [[(t, facts(entry)) for t, entry in of.items()] for of in ledger.callers.values()],
        [[facts(entry) for entry in seat.open] for seat in ledger.seats],
    )


STEPS = st.tuples(
    st.sampled_from([entries.TASK, entries.REPLY]),
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 2, 3, 8]),
            st.sampled_from([1, 2]),
            st.sampled_from([0, 1, 30_000, entries.MAX_TTL_MS, entries.MAX_TTL_MS + 1]),
            st.integers(0, 5).map(lambda n: bytes([n]) * 16),
            IDS,
            st.binary(max_size=3),
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([b"c" * 16, b"d" * 16]),
    st.integers(0, 1),
    st.sampled_from([{}, {}, {2: None}]),
    st.sampled_from([{}, {}, {bytes(16): None}]),
)


def take_step(ledger, head, body, peer, seat, kinds, traces):
    """Enter or settle a message; return what came of it."""
    chosen = ledger.seats[seat]
    if len(head) > 19 and head[19] == entries.TASK:
        return ledger.kernel.enter_tasks(
            head, len(body), peer, chosen, b"seat", ledger.callers[peer], kinds, traces, 7.25
        )
    given = ledger.kernel.settle_replies(
        head, len(body), b"w" * 16, chosen.peer, ledger.callers[peer], kinds, traces
    )
    return given and (given[0], given[1].peer, *given[2:])


@given(steps=st.lists(STEPS, max_size=12), seed=SEEDS)
def test_a_ledger_is_kept_alike(steps, seed):
    dice = random.Random(seed)
    ours, twin = ledger_of(compiled), ledger_of(entries)
    for verb, parts, peer, seat, kinds, traces in steps:
        head, body = message_of(verb, parts, peer, b"address")
        hostile = (mutated(dice, head) for _ in range(CHANGES // 12))
        for each in (head, *hostile):
            made = [take_step(one, each, body, peer, seat, kinds, traces) for one in (ours, twin)]

            assert made[0] == made[1]
            assert state(ours) == state(twin)
        is_cancelled = dice.random() < 0.3
        for one in (ours, twin):
            for entries_of in one.callers.values():
                for entry in list(entries_of.values())[:1]:
                    entry.cancelled = is_cancelled


@given(
    publisher=IDS,
    sequence=st.integers(0, 2**64 - 1),
    bodies=st.lists(BODIES, min_size=1, max_size=64),
    seed=SEEDS,
)
def test_broadcasts_are_packed_and_read_alike(publisher, sequence, bodies, seed):
    dice = random.Random(seed)

    whole = compiled.pack_broadcast(publisher, sequence, b"c" * 16, b"w" * 16, bodies)

    assert whole == batches.pack_broadcast(publisher, sequence, b"c" * 16, b"w" * 16, bodies)
    for number in range(CHANGES):
        header, body = (mutated(dice, each) for each in whole) if number % 3 else whole
        if number % 3 == 1:
            body = whole[1]
        assert compiled.read_broadcast(header, body) == batches.read_broadcast(header, body)
