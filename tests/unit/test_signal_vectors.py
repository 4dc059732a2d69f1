"""Signals and ids against `docs/spec/vectors.json`, in both directions."""

import pytest

from cosmonapse import BadSignal, Directed, Signal, SignalType
from cosmonapse.error_codes import CODES
from cosmonapse.ids import id_bytes, id_text
from cosmonapse.kernel import encode_directed, encode_thoughts, run_signals, run_texts
from support.vectors import VECTORS, each_of, revived

each_signal = each_of(VECTORS["signals"])


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
    # By their text: a NaN is not equal to itself, and 2 is equal to 2.0.
    assert repr(Signal.decode(bytes.fromhex(vector["body"]))) == repr(signal_of(vector))


@each_of(VECTORS["accepted_signals"])
def test_a_form_that_we_do_not_write_is_read(vector):
    body = bytes.fromhex(vector["body"])

    signal = Signal.decode(body)

    assert repr(signal.payload) == repr(revived(vector["payload"]))
    assert signal.encode() != body


@each_of(VECTORS["bad_signals"])
def test_what_is_no_signal_is_refused_with_the_field(vector):
    with pytest.raises(BadSignal) as caught:
        Signal.decode(bytes.fromhex(vector["body"]))

    assert (vector["field"] or "not a Signal") in str(caught.value)


def test_the_codes_of_an_error_have_the_facts_of_the_vectors():
    facts = {
        code: {"recoverable": each.recoverable, "http": each.http_status, "exit": each.exit_code}
        for code, each in CODES.items()
    }

    assert facts == VECTORS["error_codes"]


@each_of(VECTORS["ids"]["valid"], key="text")
def test_an_id_stands_for_its_bytes(vector):
    assert id_bytes(vector["text"]).hex() == vector["bytes"]
    assert id_text(vector["text"][:4], bytes.fromhex(vector["bytes"])) == vector["text"]


@pytest.mark.parametrize("text", VECTORS["ids"]["invalid"])
def test_what_is_no_id_is_refused(text):
    with pytest.raises(BadSignal):
        id_bytes(text)


@each_of(VECTORS["runs"])
def test_the_bytes_of_a_run_give_its_signals_and_they_the_bytes(vector):
    body = bytes.fromhex(vector["body"])
    producer = Directed(*vector["directed"])

    found = run_signals(body)

    first = vector["signals"][0]
    texts = [each["delta"] for each in vector["signals"]]
    assert [(each.id, each.payload) for each in found] == [
        (each["id"], {"delta": each["delta"], "seq": each["seq"]}) for each in vector["signals"]
    ]
    shared = {(each.type, each.directed, each.trace_id, each.parent_id, each.ts) for each in found}
    assert shared == {
        (
            SignalType.THOUGHT_DELTA,
            producer,
            vector["trace_id"],
            vector["parent_id"],
            vector["ts"],
        )
    }
    assert run_texts(body) == texts
    made = encode_thoughts(
        first["id"],
        vector["trace_id"],
        vector["parent_id"],
        encode_directed(producer),
        vector["ts"],
        first["seq"],
        texts,
    )
    assert made == body


@each_of(VECTORS["bad_runs"])
def test_what_is_no_run_is_refused(vector):
    body = bytes.fromhex(vector["body"])

    assert run_texts(body) is None
    with pytest.raises(BadSignal, match="not a run"):
        run_signals(body)
