"""Any Signals written to a recording are read again; of a cut file, the first of them."""

import gzip
import math

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse.doppler.observed import ObservedSignal
from cosmonapse.recordings.lines import Heard, header_line, read_line, signal_line
from cosmonapse.recordings.whole_lines import WholeLines
from cosmonapse.signals import Directed, Signal, SignalType
from support.recorded import header

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
KEYS = TEXTS | st.sampled_from(["$bytes", "$int", "$float", "$dict", "$"])
FLOATS = st.floats().map(lambda value: math.nan if math.isnan(value) else value)  # NaN has no sign
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | FLOATS
    | TEXTS
    | st.binary(max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
MAPS = st.dictionaries(KEYS, VALUES, max_size=3)
DIRECTED = st.builds(
    Directed, st.none() | TEXTS, st.none() | TEXTS, st.lists(TEXTS, max_size=3).map(tuple)
)
SIGNALS = st.builds(
    Signal,
    type=st.sampled_from(SignalType),
    payload=MAPS,
    directed=st.none() | DIRECTED,
    meta=MAPS,
    ts=FLOATS,
    parent_id=st.none() | st.just("evt_" + "0" * 26),
)
ENDS = st.binary(min_size=16, max_size=16)
SEEN = st.builds(lambda s, c, w: ObservedSignal(s, s.encode(), c, w), SIGNALS, ENDS, ENDS)


def parts(seen):
    """Return what must be equal: the bytes, as NaN equals nothing."""
    return seen.body, seen.signal.encode(), seen.caller, seen.worker


def read(data):
    return [read_line(each) for each in list(WholeLines(10**6).of([data]))[1:]]


@given(seen=st.lists(SEEN, max_size=4))
def test_signals_that_are_written_are_read(seen):
    text = header_line(header()) + "".join(signal_line(1, each, masks=False) for each in seen)

    found = read(text.encode("ascii"))

    assert [parts(each.observed) for each in found] == [parts(each) for each in seen]


@given(
    seen=st.lists(SEEN, min_size=1, max_size=4),
    cut=st.integers(0, 3_000),
    pack=st.sampled_from([bytes, gzip.compress]),
)
def test_of_a_file_that_is_cut_the_first_are_read(seen, cut, pack):
    text = header_line(header()) + "".join(signal_line(1, each, masks=False) for each in seen)

    found = read(pack(text.encode("ascii"))[:cut])

    assert all(isinstance(each, Heard) for each in found)
    assert [parts(each.observed) for each in found] == [parts(each) for each in seen[: len(found)]]


@given(data=st.binary(max_size=200), size=st.integers(1, 50))
def test_any_bytes_are_lines_or_none(data, size):
    whole = WholeLines(20)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]

    for line in whole.of(pieces):
        assert len(line) <= 20
        read_line(line)
