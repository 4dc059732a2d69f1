"""The lines of a recording: a Signal comes back as it was, and nothing hostile raises."""

import json

import pytest

from cosmonapse import Directed
from cosmonapse.doppler.masking import MASK
from cosmonapse.recordings.lines import (
    End,
    Heard,
    LinkChange,
    Missed,
    NoRecording,
    ToldTable,
    end_line,
    header_line,
    link_line,
    missed_line,
    read_header,
    read_line,
    signal_line,
    table_line,
)
from cosmonapse.registry import NeuronRecord
from support.observed import CALLER, WORKER, observed, task
from support.recorded import header

SECRETS = {"api_key": "s3cret", "data": b"\x00", "headers": [["Cookie", "s3cret"]]}


def read(line):
    assert line.endswith("\n")
    return read_line(line.encode("ascii"))


def test_a_signal_comes_back_with_its_time_and_both_ends():
    seen = task(payload={"input": {"b": b"\xff", "n": 2**60, "text": "ü\x9b\x7f"}}, meta={"m": 1})

    line = signal_line(12.25, seen, masks=False)

    back = read(line)
    assert (back.at_ts, back.observed) == (12.25, seen)
    assert (back.observed.caller, back.observed.worker) == (CALLER, WORKER)
    assert line.startswith('{"line":"signal","at":12.25,')
    assert "\x7f" not in line


def test_capabilities_without_a_neuron_come_back():
    seen = observed(directed=Directed(None, "neuron", ("chat", "fast")))

    assert read(signal_line(1, seen, masks=True)).observed == seen


def test_secrets_are_masked_and_other_values_are_as_they_were():
    seen = observed(payload=dict(SECRETS), meta={"token": "s3cret"})

    line = signal_line(1, seen, masks=True)

    assert "s3cret" not in line
    signal = read(line).observed.signal
    assert signal.payload == {"api_key": MASK, "data": b"\x00", "headers": [["Cookie", MASK]]}
    assert signal.meta == {"token": MASK}
    assert "s3cret" in signal_line(1, seen, masks=False)


def test_the_other_lines_come_back():
    records = [NeuronRecord(neuron_id="n", instance="ab" * 16)]

    assert read(table_line(1, "roster", records)) == ToldTable(1, "roster", records)
    assert read(link_line(2, False, "gone")) == LinkChange(2, False, "gone")
    assert read(link_line(2, True, None)) == LinkChange(2, True, None)
    assert read(missed_line(3, 7, "file")) == Missed(3, 7, "file")
    assert read(missed_line(3, 7, "way")) == Missed(3, 7, "way")
    assert read(end_line(4, 9)) == End(4, 9)


def changed(**fields):
    """Return the line of a Signal with other values."""
    values = json.loads(signal_line(1, task(), masks=True))
    return json.dumps({**values, **fields}).encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"line": "signal"}',
        b'{"line": "later", "at": 1}',
        b'{"line": ["signal"], "at": 1}',
        b'{"line": "end", "at": 1, "signals": -1}',
        b'{"line": "end", "at": true, "signals": 1}',
        b'{"line": "missed", "at": NaN, "count": 1}',
        b'{"line": "roster", "at": 1}',
        b'{"line": "link", "at": 1, "connected": false, "reason": 7}',
        b"[" * 100_000,
        b'{"line": "end", "at": 1, "signals": ' + b"9" * 10_000 + b"}",
        changed(at="1"),
        changed(at=1e300),
        changed(at=-1),
        changed(type="NOTHING"),
        changed(type=None),
        changed(id="evt_short"),
        changed(id=7),
        changed(trace_id=["x"]),
        changed(parent_id=7),
        changed(v="2"),
        changed(payload=[]),
        changed(payload={"a": {"$bytes": 1}}),
        changed(payload={"$dict": 1}),
        changed(meta=None),
        changed(ts="soon"),
        changed(ts={"$int": "1" * 24}, payload={"n": 2**70}),
        changed(caller="ab"),
        changed(worker=7),
        changed(directed={"id": 7, "type": None, "capabilities": []}),
        changed(directed={"id": "x"}),
        changed(directed="x"),
        changed(payload={"text": "\ud800"}),
    ],
)
def test_a_line_that_is_none_is_none_and_raises_nothing(text):
    assert read_line(text) is None


def test_a_payload_deeper_than_a_signal_may_be_is_refused():
    deep = b'{"a":' * 250 + b"1" + b"}" * 250

    assert read_line(changed(payload=0).replace(b'"payload": 0', b'"payload": ' + deep)) is None


def test_keys_of_a_later_release_are_ignored():
    assert isinstance(read_line(changed(later=1)), Heard)


def test_a_header_comes_back():
    told = header(masked=False, chosen="--type ERROR")

    assert read_header(header_line(told).encode()) == told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"hello", "it is no recording"),
        (b"[" * 100_000, "it is no recording"),
        (b'{"line": "recording", "format": "other"}', "it is no recording"),
        (header_line(header()).replace(':1,"name', ':2,"name').encode(), "version 2, and this"),
        (header_line(header()).replace('"shown"', "7").encode(), "namespace must be"),
        (header_line(header(url="x" * 3_000)).encode(), "url must be"),
    ],
)
def test_what_is_no_header_is_refused_with_the_reason(text, said):
    with pytest.raises(NoRecording, match=said):
        read_header(text)
