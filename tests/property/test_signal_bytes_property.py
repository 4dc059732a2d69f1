"""The hot functions on Signals give what `Signal` gives: bytes, objects and refusals."""

import msgpack
from hypothesis import example, given
from hypothesis import strategies as st

from cosmonapse import kernel
from cosmonapse.errors import BadSignal, UnencodableValue
from cosmonapse.ids import id_bytes, id_text
from cosmonapse.signals import Directed, Signal, SignalType

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**65)
    | st.floats()
    | st.text(st.characters(), max_size=10)
    | st.binary(max_size=10)
)
ODD = st.sampled_from(
    [object(), 1j, {1: 2}, bytearray(b"ab"), memoryview(b"abc")[::2], SignalType.BID]
)
VALUES = st.recursive(
    SCALARS | ODD,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=4)
    ),
    max_leaves=15,
)
DIRECTED = st.builds(
    Directed,
    st.none() | st.text(max_size=8),
    st.none() | st.text(max_size=8),
    st.lists(st.text(max_size=8), max_size=3).map(tuple),
)
IDS = st.binary(min_size=16, max_size=16)
MAPS = st.dictionaries(st.text(max_size=6), SCALARS, max_size=3)


def reference(payload, body, **fields):
    """Return the bytes of the Signal with the id that `body` has, or None if it is refused."""
    id_ = body[4:34].decode() if body else "evt_" + "0" * 26
    try:
        return Signal(payload=payload, id=id_, **fields).encode()
    except UnencodableValue:
        return None


def is_plain(value):
    if value.__class__ in (list, tuple):
        return all(map(is_plain, value))
    if value.__class__ is dict:
        return all(map(is_plain, value.values()))
    return value.__class__ in (str, int, float, bool, bytes, type(None))


@given(value=VALUES, directed=DIRECTED, ts=st.floats())
def test_a_task_has_the_bytes_of_its_signal_or_is_declined(value, directed, ts):
    made = kernel.encode_task(kernel.encode_directed(directed), value, ts)

    task, body = made or (None, b"")
    trace_id = "trc_" + (body[8:34].decode() if body else "0" * 26)
    expected = reference(
        {"input": value}, body, type=SignalType.TASK, directed=directed, trace_id=trace_id, ts=ts
    )
    assert (body or None) == (expected if is_plain(value) else None)
    assert made is None or task == id_bytes(trace_id)


@given(
    value=VALUES,
    meta=MAPS,
    directed=DIRECTED,
    ids=st.tuples(IDS, IDS),
    key=st.text(max_size=40),
    kind=st.sampled_from(SignalType),
)
def test_a_reply_has_the_bytes_of_its_signal_or_is_declined(value, meta, directed, ids, key, kind):
    trace_id, parent_id = id_text("trc_", ids[0]), id_text("evt_", ids[1])
    packed_key, packed_meta = kernel.encode_value(key), kernel.encode_value(meta)
    if packed_key is None or packed_meta is None:
        return

    body = kernel.encode_reply(
        kind.code,
        trace_id,
        parent_id,
        kernel.encode_directed(directed),
        packed_key,
        value,
        packed_meta,
        1.5,
    )

    expected = reference(
        {key: value},
        body,
        type=kind,
        directed=directed,
        trace_id=trace_id,
        parent_id=parent_id,
        meta=meta,
        ts=1.5,
    )
    assert body == (expected if is_plain(value) else None)


def outcome_of(decode, body):
    """Return what a decoder makes of `body`: a Signal, or the text of its refusal."""
    try:
        return repr(decode(body))
    except BadSignal as error:
        return str(error)


SIGNALS = st.builds(
    lambda kind, payload, meta, directed, ids: Signal(
        type=kind,
        payload=payload,
        meta=meta,
        directed=directed,
        id=id_text("evt_", ids[0]),
        trace_id=id_text("trc_", ids[1]),
        parent_id=id_text("evt_", ids[2]),
        ts=0.5,
    ).encode(),
    st.sampled_from(SignalType),
    st.dictionaries(
        st.text(max_size=6), st.lists(st.integers(-9, 9) | st.text(max_size=3)), max_size=3
    ),
    st.dictionaries(st.text(max_size=6), st.integers(-9, 9), max_size=2),
    st.none() | DIRECTED,
    st.tuples(IDS, IDS, IDS),
)


@given(
    body=SIGNALS, at=st.integers(0, 10_000), cut=st.integers(0, 4), mutation=st.binary(max_size=4)
)
def test_bytes_are_read_or_refused_as_by_the_reference(body, at, cut, mutation):
    at %= len(body) + 1
    body = body[:at] + mutation + body[at + cut :]

    assert outcome_of(kernel.decode_signal, body) == outcome_of(Signal.decode, body)


@given(body=st.binary(max_size=200))
@example(body=b"\x99" + b"\x91" * 1015 + b"\xc0" * 9)
def test_any_bytes_are_refused_as_by_the_reference(body):
    assert outcome_of(kernel.decode_signal, body) == outcome_of(Signal.decode, body)


@given(field=st.integers(0, 8), value=VALUES, body=SIGNALS)
def test_a_field_of_any_other_value_is_read_or_refused_as_by_the_reference(field, value, body):
    values = msgpack.unpackb(body)
    values[field] = value
    try:
        body = msgpack.packb(values)
    except (TypeError, ValueError, OverflowError, BufferError):
        return

    assert outcome_of(kernel.decode_signal, body) == outcome_of(Signal.decode, body)


@given(signal=SIGNALS.map(Signal.decode))
def test_a_signal_is_encoded_as_by_itself(signal):
    assert kernel.encode_signal(signal) == signal.encode()
