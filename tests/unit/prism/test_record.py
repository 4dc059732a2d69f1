"""What a page gets of a Signal, and the events it comes in."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmonapse import Directed, SignalType
from cosmonapse.doppler.masking import MASK
from cosmonapse.prism.events import event, past_event, signals_event, to_json
from cosmonapse.prism.record import envelope_of, record_of
from cosmonapse.prism.ring import Ring
from support.observed import CALLER, WORKER, observed, reply, task

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), TEXTS)
VALUES = st.recursive(
    st.one_of(LEAVES, st.binary(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(TEXTS, inner, max_size=5)),
    max_leaves=20,
)


def test_a_record_has_the_shape_that_pages_know():
    asked = task()
    answer = reply(asked, payload={"output": {"api_key": "s3cret", "n": 1}}, meta={"a": "b"})

    assert record_of(7, answer) == {
        "n": 7,
        "id": answer.signal.id,
        "trace_id": asked.signal.trace_id,
        "parent_id": asked.signal.id,
        "type": "AGENT_OUTPUT",
        "ts": answer.signal.ts,
        "neuron": "worker",
        "capabilities": [],
        "caller": CALLER.hex(),
        "worker": WORKER.hex(),
        "bytes": len(answer.body),
        "payload": {"output": {"api_key": MASK, "n": 1}},
        "meta": {"a": "b"},
    }


def test_what_belongs_to_no_task_has_neither_caller_nor_worker():
    record = record_of(1, observed())

    assert (record["caller"], record["worker"], record["neuron"]) == (None, None, None)
    assert "meta" not in record


def test_a_record_is_cut_and_its_envelope_is_not():
    long = observed(payload={"text": "x" * 5_000}, directed=Directed("w" * 5_000))

    assert record_of(1, long)["cut"] is True
    assert len(to_json(record_of(1, long))) < 3_000
    assert envelope_of(1, long)["payload"] == {"text": "x" * 5_000}


def test_an_envelope_is_masked_too():
    envelope = envelope_of(3, task(payload={"input": {"token": "s3cret"}}, meta={"cookie": "c"}))

    assert envelope["payload"] == {"input": {"token": MASK}}
    assert envelope["meta"] == {"cookie": MASK}
    assert (envelope["n"], envelope["v"]) == (3, "1")


@pytest.mark.parametrize("ts", [float("nan"), float("-inf"), 1e300])
def test_a_clock_that_says_nonsense_is_no_time(ts):
    assert record_of(1, observed(ts=ts))["ts"] == 0.0


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_any_payload_becomes_one_event(payload):
    said = observed(SignalType.PLAN, payload)

    data = signals_event([record_of(1, said)])

    lines = data.decode().split("\n")
    assert [line.partition(":")[0] for line in lines] == ["event", "id", "data", "", ""]
    assert "\r" not in lines[2]
    json.loads(lines[2].removeprefix("data: "), parse_constant=pytest.fail)


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_plain_values_are_shown_as_they_are(payload):
    record = record_of(1, observed(SignalType.PLAN, payload))

    for key, value in payload.items():
        if isinstance(value, str) and record["payload"].get(key) != MASK:
            assert record["payload"][key] == value
        if isinstance(value, float) and math.isfinite(value):
            assert record["payload"][key] in (value, MASK)


def test_the_past_is_told_as_the_present_is():
    ring, said = Ring(1), observed(payload={"n": 1})
    ring.add(said)

    assert past_event(ring.after(0, 10)) == signals_event([record_of(1, said)])


def test_an_event_without_a_number_has_no_id():
    assert event("state", {"a": "é\u2028"}) == 'event: state\ndata: {"a":"é\u2028"}\n\n'.encode()
