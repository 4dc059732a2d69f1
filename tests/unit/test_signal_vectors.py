"""Signals and ids against `docs/spec/vectors.json`, in both directions."""

import json
from pathlib import Path

import pytest

from cosmonapse import BadSignal, Directed, Signal, SignalType
from cosmonapse.ids import id_bytes, id_text

VECTORS = json.loads(
    (Path(__file__).resolve().parents[2] / "docs/spec/vectors.json").read_text(encoding="utf-8")
)
each_signal = pytest.mark.parametrize(
    "vector", VECTORS["signals"], ids=lambda vector: vector["name"]
)


def revived(value):
    """Return `value` with `{"$bytes": hex}` turned into bytes, which JSON cannot carry."""
    if isinstance(value, dict):
        if value.keys() == {"$bytes"}:
            return bytes.fromhex(value["$bytes"])
        return {key: revived(item) for key, item in value.items()}
    return [revived(item) for item in value] if isinstance(value, list) else value


def signal_of(vector):
    directed = vector["directed"]
    return Signal(
        type=SignalType(vector["type"]),
        payload=revived(vector["payload"]),
        directed=None if directed is None else Directed(*directed),
        trace_id=vector["trace_id"],
        parent_id=vector["parent_id"],
        meta=revived(vector["meta"]),
        id=vector["id"],
        ts=vector["ts"],
    )


@each_signal
def test_a_signal_gives_its_bytes(vector):
    assert signal_of(vector).encode().hex() == vector["body"]


@each_signal
def test_the_bytes_give_the_signal(vector):
    assert Signal.decode(bytes.fromhex(vector["body"])) == signal_of(vector)


def test_fields_behind_those_we_know_are_ignored():
    vector = VECTORS["longer_signal"]

    assert Signal.decode(bytes.fromhex(vector["body"])).id == vector["id"]


@pytest.mark.parametrize("vector", VECTORS["bad_signals"], ids=lambda vector: vector["name"])
def test_what_is_no_signal_is_refused_with_the_field(vector):
    with pytest.raises(BadSignal) as caught:
        Signal.decode(bytes.fromhex(vector["body"]))

    assert vector["says"] in str(caught.value)


@pytest.mark.parametrize("vector", VECTORS["ids"]["valid"], ids=lambda vector: vector["text"])
def test_an_id_stands_for_its_bytes(vector):
    assert id_bytes(vector["text"]).hex() == vector["bytes"]
    assert id_text(vector["text"][:4], bytes.fromhex(vector["bytes"])) == vector["text"]


@pytest.mark.parametrize("text", VECTORS["ids"]["invalid"])
def test_what_is_no_id_is_refused(text):
    with pytest.raises(BadSignal):
        id_bytes(text)
