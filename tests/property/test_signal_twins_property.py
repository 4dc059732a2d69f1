"""The compiled kernel of Signals gives what its plain twin gives, hostile bytes included."""

import random

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cosmonapse.errors import BadSignal, UnencodableValue
from cosmonapse.ids import id_text, new_event_id
from cosmonapse.kernel import deadlines, runs, signal_bytes
from cosmonapse.signals import Directed, Signal, SignalType
from support.mutations import mutated

compiled = pytest.importorskip("cosmonapse.kernel._compiled", exc_type=ImportError)

CHANGES = 250
"""Variants of each example, all but one hostile."""
SEEDS = st.integers(0, 2**64)
EDGES = st.sampled_from(
    [
        edge + near
        for bits in (0, 5, 7, 8, 15, 16, 31, 32, 63, 64)
        for edge in (1 << bits, -1 << bits)
        for near in (-1, 0, 1)
    ]
)
SHORT = (
    st.none()
    | st.booleans()
    | EDGES
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=10)
    | st.binary(max_size=10)
    | st.sampled_from([15, 16, 31, 32]).map("x".__mul__)
)
SIZES = st.sampled_from([15, 16, 17, 31, 32, 33, 255, 256, 257, 65_535, 65_536])
LONG = (
    SIZES.map("x".__mul__)
    | SIZES.map(bytes)
    | SIZES.map(lambda size: [None] * size)
    | SIZES.map(lambda size: {f"{key}": key for key in range(size)})
)
ODD = st.sampled_from(
    [
        *(object(), 1j, {1: 2}, {b"a": 1}, bytearray(b"ab"), memoryview(b"abc")[::2]),
        *(SignalType.BID, msgpack.ExtType(1, b""), {"\ud800": 1}, "\ud800", {1, 2}),
        *(type("Text", (str,), {})("a"), type("Row", (list,), {})([1]), type("Map", (dict,), {})()),
    ]
)


def values_of(leaves):
    """Return a strategy of values, some of which no Signal can carry."""
    return st.recursive(
        leaves | ODD,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.lists(inner, max_size=3).map(tuple)
            | st.dictionaries(st.text(st.characters(), max_size=40), inner, max_size=4)
        ),
        max_leaves=10,
    )


VALUES = values_of(SHORT)
TEXT = st.none() | st.text(max_size=8)
DIRECTED = st.none() | st.builds(
    Directed, TEXT, TEXT, st.lists(st.text(max_size=8), max_size=3).map(tuple)
)
IDS = st.binary(min_size=16, max_size=16)
MAPS = st.dictionaries(st.text(max_size=40), VALUES, max_size=3)
SIGNALS = st.builds(
    lambda kind, payload, meta, directed, ids, parent, ts: Signal(
        type=kind,
        payload=payload,
        meta=meta,
        directed=directed,
        id=id_text("evt_", ids[0]),
        trace_id=id_text("trc_", ids[1]),
        parent_id=parent and id_text("evt_", parent),
        ts=ts,
    ),
    st.sampled_from(SignalType),
    MAPS,
    MAPS | st.just({}),
    DIRECTED,
    st.tuples(IDS, IDS),
    st.none() | IDS,
    st.floats() | st.integers(0, 9),
)
RUNS = st.builds(
    lambda ids, producer, ts, seq, texts: runs.encode_thoughts(
        id_text("evt_", ids[0]),
        id_text("trc_", ids[1]),
        id_text("evt_", ids[2]),
        signal_bytes.encode_directed(producer or Directed()),
        ts,
        seq,
        texts,
    ),
    st.tuples(IDS, IDS, IDS),
    DIRECTED,
    st.floats(),
    st.integers(0, 2**53 - 129) | st.sampled_from([0, 127, 128, 255, 256, 65_536, 2**32]),
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=12), min_size=1, max_size=128
    ),
)


def nested(depth):
    value = 0
    for level in range(depth):
        value = {"deep": value} if level % 3 == 0 else [value] if level % 3 == 1 else (value,)
    return value


def outcome_of(function, *arguments):
    """Return the text of what comes of a call: there True is not 1, and nan is nan."""
    try:
        made = function(*arguments)
    except (
        BadSignal,
        UnencodableValue,
        ValueError,
        TypeError,
        OverflowError,
        BufferError,
        RecursionError,
    ) as error:
        return type(error), str(error)
    return repr(made)


@given(value=values_of(SHORT | LONG) | st.integers(190, 210).map(nested))
@example(value=[None] * ((1 << 20) + 1))
@example(value=[None] * (1 << 20))
@example(value={str(n): n for n in range((1 << 20) + 1)})
def test_values_are_written_alike(value):
    expected = signal_bytes.encode_value(value)

    assert compiled.encode_value(value) == expected


def without_ids(body):
    """Return a body without the id that it got, and that of the trace that it may begin."""
    return body and (body[:8], body[34:] if body[65:67] != b"\xc0\x01" else body[65:])


@given(directed=DIRECTED, value=VALUES, ts=st.floats() | st.integers(0, 9))
def test_a_task_is_written_alike(directed, value, ts):
    destination = signal_bytes.encode_directed(directed or Directed())

    ours = compiled.encode_task(destination, value, ts)
    twin = signal_bytes.encode_task(destination, value, ts)

    assert (ours is None) == (twin is None)
    if ours is not None:
        assert without_ids(ours[1]) == without_ids(twin[1])
        assert ours[0] != twin[0]
        id_, trace_id = (ours[1][at : at + 26].decode() for at in (8, 39))
        assert id_text("", ours[0]) == id_ == trace_id


@given(
    ids=st.tuples(IDS, IDS) | st.just((b"",)),
    code=st.integers(0, 255),
    key=st.text(max_size=8),
    value=VALUES,
    ts=st.floats(),
)
def test_a_reply_is_written_alike(ids, code, key, value, ts):
    names = [id_text("evt_", each) for each in ids] if len(ids) == 2 else ["é" * 30, "t" * 29]
    given_ = (code, *names, b"\xc0", signal_bytes.encode_value(key), value, b"\x80", ts)

    ours = compiled.encode_reply(*given_)
    twin = signal_bytes.encode_reply(*given_)

    assert without_ids(ours) == without_ids(twin)


@given(signal=SIGNALS)
def test_a_signal_is_written_alike(signal):
    assert outcome_of(compiled.encode_signal, signal) == outcome_of(
        signal_bytes.encode_signal, signal
    )


def plain_bytes(signal):
    """Return the bytes of a Signal, those of an empty one if it cannot be encoded."""
    try:
        return signal.encode()
    except UnencodableValue:
        return Signal(type=signal.type, id=signal.id, trace_id=signal.trace_id).encode()


@given(signal=SIGNALS.map(plain_bytes), seed=SEEDS)
@example(signal=b"\x99" + b"\x91" * 1015 + b"\xc0" * 9, seed=0)
def test_a_signal_is_read_alike(signal, seed):
    dice = random.Random(seed)
    for number in range(CHANGES):
        body = mutated(dice, signal) if number else signal

        expected = outcome_of(signal_bytes.decode_signal, body)

        assert outcome_of(compiled.decode_signal, body) == expected, body


@given(field=st.integers(0, 8), value=VALUES, signal=SIGNALS.map(plain_bytes))
def test_a_field_of_any_other_value_is_read_alike(field, value, signal):
    fields = msgpack.unpackb(signal)
    fields[field] = value
    try:
        body = msgpack.packb(fields)
    except (TypeError, ValueError, OverflowError, BufferError):
        return

    expected = outcome_of(signal_bytes.decode_signal, body)

    assert outcome_of(compiled.decode_signal, body) == expected


@given(body=RUNS | SIGNALS.map(plain_bytes), seed=SEEDS)
def test_a_run_is_read_alike(body, seed):
    dice = random.Random(seed)
    for number in range(CHANGES // 5):
        changed = mutated(dice, body) if number else body
        for name in ("thought_text", "run_texts", "run_signals", "heard_signals"):
            expected = outcome_of(getattr(runs, name), changed)

            assert outcome_of(getattr(compiled, name), changed) == expected, changed


@given(
    ids=st.lists(IDS, min_size=3, max_size=3),
    seq=st.integers(0, 2**53),
    texts=st.lists(st.text(st.characters(), max_size=40), min_size=1, max_size=128),
    ts=st.floats() | st.integers(0, 9),
)
def test_a_run_is_written_alike(ids, seq, texts, ts):
    names = [id_text("evt_", each) for each in ids]

    ours = outcome_of(compiled.encode_thoughts, *names, b"\xc0", ts, seq, texts)

    assert ours == outcome_of(runs.encode_thoughts, *names, b"\xc0", ts, seq, texts)


@given(counts=st.lists(st.integers(0, 1500), max_size=4))
def test_no_id_comes_twice_whoever_makes_it(counts):
    seen = []
    for number, count in enumerate(counts):
        for _ in range(count):
            if number % 2:
                seen.append(new_event_id().encode())
            else:
                seen.append(compiled.encode_task(b"\xc0", None, 0.0)[1][4:34])

    assert len(set(seen)) == len(seen)


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["set", "drop", "due"]), st.integers(0, 30), st.floats(-9, 9)),
        max_size=200,
    )
)
def test_deadlines_are_kept_alike(steps):
    ours, twin, slots = compiled.Deadlines(), deadlines.Deadlines(), {}
    for verb, key, at_s in steps:
        if verb == "set":
            slots[key] = twin.set(key, at_s)
            assert ours.set(key, at_s) == slots[key]
        elif verb == "drop":
            for each in (ours, twin):
                each.drop(key, slots.get(key, 0))
        else:
            assert ours.due(at_s) == twin.due(at_s)
        assert (len(ours), ours.next_at_s()) == (len(twin), twin.next_at_s())
        assert (ours._order, ours._slots) == (twin._order, twin._slots)


@pytest.mark.parametrize("never", [float("inf"), float("-inf"), float("nan"), 1e300])
def test_a_deadline_that_is_none_is_treated_alike(never):
    assert outcome_of(compiled.Deadlines().set, "k", never) == outcome_of(
        deadlines.Deadlines().set, "k", never
    )
