"""A Signal comes back as it was; what is none is a BadSignal; what cannot travel is named."""

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cosmonapse.errors import BadSignal, UnencodableValue
from cosmonapse.ids import id_text
from cosmonapse.signals import Directed, Signal, SignalType

IDS = st.binary(min_size=16, max_size=16)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=10)
    | st.binary(max_size=10)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=15,
)
PAYLOADS = st.dictionaries(st.text(max_size=6), VALUES, max_size=4)
SIGNALS = st.builds(
    lambda kind, payload, meta, directed, task, trace, parent, ts: Signal(
        type=kind,
        payload=payload,
        meta=meta,
        directed=directed,
        id=id_text("evt_", task),
        trace_id=id_text("trc_", trace),
        parent_id=None if parent is None else id_text("evt_", parent),
        ts=ts,
    ),
    st.sampled_from(SignalType),
    PAYLOADS,
    PAYLOADS,
    st.none()
    | st.builds(
        Directed,
        st.none() | st.text(max_size=8),
        st.none() | st.text(max_size=8),
        st.lists(st.text(max_size=8), max_size=3).map(tuple),
    ),
    IDS,
    IDS,
    st.none() | IDS,
    st.floats(allow_nan=False),
)
CULPRITS = st.sampled_from(
    [
        object(),
        {1, 2},
        2**64,
        -(2**63) - 1,
        "\ud800",
        1j,
        {1: 2},
        {b"a": 1},
        memoryview(b"abc")[::2],
    ]
)


def nested(depth, end=None):
    value = end
    for _ in range(depth):
        value = [value]
    return value


@given(signal=SIGNALS)
def test_a_signal_comes_back_exactly(signal):
    again = Signal.decode(signal.encode())

    assert again == signal
    assert repr(again) == repr(signal)


@given(body=st.binary(max_size=200))
@example(body=b"\x99" + b"\x91" * 1015 + b"\xc0" * 9)
def test_any_bytes_are_a_signal_or_a_bad_signal(body):
    refusal = ""
    try:
        Signal.decode(body)
    except BadSignal as error:
        refusal = str(error)

    assert len(refusal) < 1000


@given(signal=SIGNALS, at=st.integers(0, 10_000), mutation=st.binary(max_size=4))
def test_a_mutated_signal_can_be_sent_again_or_is_a_bad_signal(signal, at, mutation):
    body = signal.encode()
    at %= len(body)
    try:
        again = Signal.decode(body[:at] + mutation + body[at + 1 :])
    except BadSignal:
        return

    assert Signal.decode(again.encode()).encode() == again.encode()


@given(field=st.integers(0, 8), value=VALUES, signal=SIGNALS)
def test_a_field_of_any_other_value_is_refused_or_fits(field, value, signal):
    values = msgpack.unpackb(signal.encode())
    values[field] = value
    try:
        again = Signal.decode(msgpack.packb(values))
    except BadSignal:
        return

    assert again.encode()


@given(depth=st.integers(190, 1010))
def test_depth_is_refused_alike_at_both_ends(depth):
    signal = Signal(type=SignalType.TASK, payload={})
    values = msgpack.unpackb(signal.encode())
    values[7] = {"a": "mark"}
    packed = msgpack.packb(values).replace(b"\xa4mark", b"\x91" * depth + b"\xc0")
    fits = depth <= 200

    if fits:
        assert Signal.decode(packed).encode() == packed
        return
    with pytest.raises(BadSignal):
        Signal.decode(packed)
    with pytest.raises(UnencodableValue):
        Signal(type=SignalType.TASK, payload={"a": nested(depth)}).encode()


@given(
    culprit=CULPRITS,
    steps=st.lists(st.sampled_from(["key", 0, 1, 2]), max_size=6),
    part=st.sampled_from(["payload", "meta"]),
)
def test_what_cannot_travel_is_named_by_its_path(culprit, steps, part):
    value, path = culprit, ""
    for step in reversed(steps):
        value = {"other": 1, step: value} if step == "key" else [b"fine"] * step + [value]
        path = (".key" if step == "key" else f"[{step}]") + path

    with pytest.raises(UnencodableValue) as caught:
        Signal(type=SignalType.TASK, **{part: {"top": value}}).encode()

    assert caught.value.path == f"{part}.top{path}"


@pytest.mark.parametrize("size", [2**20, 2**20 + 1])
def test_a_list_that_the_far_end_would_refuse_is_refused_where_it_is_made(size):
    signal = Signal(type=SignalType.TASK, payload={"a": [None] * size})

    if size > 2**20:
        with pytest.raises(UnencodableValue, match=r"payload\.a"):
            signal.encode()
    else:
        assert len(Signal.decode(signal.encode()).payload["a"]) == size
