"""The tables of a Synapse in a recording: they come back, and no hostile one does."""

import json

import pytest

from cosmonapse.recordings import tables
from cosmonapse.recordings.tables import from_rows, to_rows
from cosmonapse.registry import DendriteRecord, NeuronRecord, SynapseState, TaskRecord

ID = "ab" * 16


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("roster", NeuronRecord(neuron_id="n", capabilities=("a", "b"), instance=ID, version="1")),
        ("dendrites", DendriteRecord(dendrite_id="d", instance=ID, calls=True, age_s=1.5)),
        ("tasks", TaskRecord(id="evt", trace_id="trc", state="parked", remaining_s=3.0)),
        (
            "synapse",
            SynapseState(uptime_s=5, counts={"x": 1}, peers=({"url": "u", "heard_s": None},)),
        ),
    ],
)
def test_a_record_comes_back(name, record):
    assert from_rows(name, json.loads(json.dumps(to_rows([record])))) == [record]


def test_what_a_later_release_adds_is_left_out():
    assert from_rows("roster", [{"neuron_id": "n", "new": 1}]) == [NeuronRecord(neuron_id="n")]


@pytest.mark.parametrize(
    "row",
    [
        7,
        {},
        {"neuron_id": 7},
        {"neuron_id": "n", "instance": "xyz"},
        {"neuron_id": "n", "state": "<b>"},
        {"neuron_id": "n", "open": True},
        {"neuron_id": "n", "open": 2**60},
        {"neuron_id": "n", "capabilities": "abc"},
        {"neuron_id": "n", "capabilities": [1]},
        {"neuron_id": "n", "version": "x" * 10_001},
        {"neuron_id": "n", "first_seen_ts": float("nan")},
        {"neuron_id": "n", "instance": None},
    ],
)
def test_a_record_of_wrong_types_is_refused(row):
    with pytest.raises((ValueError, TypeError)):
        from_rows("roster", [row])


@pytest.mark.parametrize("peers", [[1], [{"a": float("inf")}], [{"a": {"deep": 1}}], {"a": 1}])
def test_a_peer_has_plain_values_only(peers):
    with pytest.raises(ValueError, match="peers"):
        from_rows("synapse", [{"uptime_s": 1.0, "peers": peers}])


def test_a_table_is_bounded(monkeypatch):
    monkeypatch.setattr(tables, "MOST_RECORDS", 1)

    with pytest.raises(ValueError, match="at most 1"):
        from_rows("roster", [{"neuron_id": "n"}] * 2)
    with pytest.raises(ValueError, match="must be a list"):
        from_rows("roster", {"neuron_id": "n"})
