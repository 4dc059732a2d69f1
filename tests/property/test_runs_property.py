"""A run stands for the Signals that would have gone alone; what is no run is refused."""

import msgpack
from hypothesis import given
from hypothesis import strategies as st

from cosmonapse import kernel
from cosmonapse.errors import BadSignal
from cosmonapse.ids import IdSource, id_after, id_bytes, id_text
from cosmonapse.kernel.runs import MAX_RUN_TEXTS
from cosmonapse.signals import Directed, Signal, SignalType

IDS = st.binary(min_size=16, max_size=16)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
PRODUCERS = st.builds(
    Directed,
    st.none() | st.text(max_size=8),
    st.none() | st.text(max_size=8),
    st.lists(st.text(max_size=8), max_size=3).map(tuple),
)
SEQS = st.integers(0, 2**53 - 129)


def signals(first_id, trace, task, producer, ts, seq, texts):
    """Return the Signals that a run says, each made by itself."""
    return [
        Signal(
            type=SignalType.THOUGHT_DELTA,
            payload={"delta": text, "seq": seq + k},
            directed=producer,
            trace_id=id_text("trc_", trace),
            parent_id=id_text("evt_", task),
            id=id_after(id_text("evt_", first_id), k),
            ts=ts,
        )
        for k, text in enumerate(texts)
    ]


@given(IDS, IDS, IDS, PRODUCERS, st.floats(allow_nan=False), SEQS, st.lists(TEXTS, min_size=1))
def test_a_run_gives_the_signals_that_would_have_gone_alone(
    first_id, trace, task, producer, ts, seq, texts
):
    alone = signals(first_id, trace, task, producer, ts, seq, texts[:MAX_RUN_TEXTS])

    body = kernel.encode_thoughts(
        alone[0].id,
        alone[0].trace_id,
        alone[0].parent_id,
        kernel.encode_directed(producer),
        ts,
        seq,
        texts[:MAX_RUN_TEXTS],
    )

    assert kernel.heard_signals(body) == alone
    assert Signal.decode(body) == alone[0]
    if len(alone) == 1:
        assert body == alone[0].encode()
        assert kernel.thought_text(body) == texts[0]
        assert kernel.run_texts(body) is None
    else:
        assert kernel.run_signals(body) == alone
        assert kernel.run_texts(body) == texts[:MAX_RUN_TEXTS]
        assert kernel.thought_text(body) is None


@given(seed=IDS, before=st.integers(0, 2000), count=st.integers(1, MAX_RUN_TEXTS))
def test_an_id_follows_from_the_one_before_as_its_source_makes_it(seed, before, count):
    low_bits_full = (2**20 - 1000).to_bytes(4, "big")
    for source in (IdSource(seed), IdSource(seed[:12] + low_bits_full)):
        for _ in range(before):
            source.new("evt_")
        made = [source.new("evt_") for _ in range(count)]

        assert [id_after(made[0], k) for k in range(count)] == made


@given(first=IDS)
def test_the_ids_of_a_run_are_different_ids_of_sixteen_bytes(first):
    ids = [id_after(id_text("evt_", first), k) for k in range(MAX_RUN_TEXTS)]

    assert ids[0] == id_text("evt_", first)
    assert len({id_bytes(each) for each in ids}) == MAX_RUN_TEXTS


@given(seed=IDS, counts=st.lists(st.integers(1, MAX_RUN_TEXTS), max_size=20))
def test_a_source_gives_no_id_of_a_run_to_anything_else(seed, counts):
    source = IdSource(seed[:12] + (2**20 - 500).to_bytes(4, "big"))
    ids = []

    for count in counts:
        first = source.new_run(count)
        ids += [id_after(first, k) for k in range(count)]
        ids.append(source.new("evt_"))

    assert len(set(ids)) == len(ids)


FIELDS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=3),
    st.lists(st.text(max_size=3) | st.integers(0, 3), max_size=3),
    st.dictionaries(st.sampled_from(["delta", "seq", "kind"]), st.text(max_size=2) | st.integers()),
)


@given(at=st.integers(0, 9), value=FIELDS, data=st.data())
def test_a_body_is_read_as_a_run_only_if_all_its_signals_are_valid(at, value, data):
    fields = ["1", "evt_" + 26 * "0", "trc_" + 26 * "0", None, 10, None, 1.5]
    fields += [{"delta": "a", "seq": 0}, {}, ["b", "c"]]
    fields[at] = value
    try:
        body = msgpack.packb(fields)
    except OverflowError:
        return
    cut = data.draw(st.integers(0, len(body)))

    for each in (body, body[:cut], body + b"\xc0"):
        texts = kernel.run_texts(each)
        try:
            found = kernel.run_signals(each)
        except BadSignal:
            assert texts is None
        else:
            assert [signal.payload["delta"] for signal in found] == texts
            assert all(Signal.decode(signal.encode()) == signal for signal in found)
            assert Signal.decode(each) == found[0]
        text = kernel.thought_text(each)
        assert text is None or Signal.decode(each).payload["delta"] == text
