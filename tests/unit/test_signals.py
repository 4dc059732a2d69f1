"""Signals as values."""

import copy
import pickle
import re
from pathlib import Path

import attrs
import pytest

from cosmonapse import Directed, NeedsAnswer, NeuronError, Signal, SignalType, codec, kernel
from cosmonapse.signals import TYPE_OF_CODE, came_from

PAGE = Path(__file__).resolve().parents[2] / "docs/spec/07-signals.md"


def signal(type="TASK", **payload):
    return Signal(type=type, payload=payload)


def test_the_codes_of_the_types_are_those_of_the_specification():
    written = re.findall(r"(\d+) \| ([A-Z_]+)(?= \|)", PAGE.read_text(encoding="utf-8"))

    assert {name: int(code) for code, name in written if name in SignalType.__members__} == {
        each.value: each.code for each in SignalType
    }


def test_a_code_fits_a_byte_and_stands_for_one_type():
    assert len(TYPE_OF_CODE) == len(SignalType)
    assert all(1 <= code <= 255 for code in TYPE_OF_CODE)


def test_a_type_is_its_own_name():
    assert SignalType.TASK == "TASK"
    assert SignalType("TASK") is SignalType.TASK


def test_a_type_may_be_given_by_name():
    assert signal("ERROR").type is SignalType.ERROR


def test_a_type_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="QUESTION"):
        signal("QUESTION")


@pytest.mark.parametrize("field", ["payload", "meta"])
@pytest.mark.parametrize("value", [None, [], "text"])
def test_payload_and_meta_are_dicts(field, value):
    with pytest.raises(TypeError, match="must be dicts"):
        Signal(**{"type": "TASK", field: value})


def test_a_signal_has_an_id_and_a_trace_of_its_own():
    first, second = signal(), signal()

    assert first.id != second.id
    assert first.trace_id != second.trace_id
    assert (first.id[:4], first.trace_id[:4], first.v) == ("evt_", "trc_", "1")


def test_a_signal_cannot_be_changed():
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        signal().payload = {}


def test_a_reply_is_on_the_same_trace_and_names_its_parent():
    task = signal()

    reply = task.reply(SignalType.AGENT_OUTPUT, payload={"output": {}}, meta={"a": 1})

    assert (reply.trace_id, reply.parent_id) == (task.trace_id, task.id)
    assert reply.id != task.id
    assert (reply.payload, reply.meta, reply.directed) == ({"output": {}}, {"a": 1}, None)


def test_a_single_capability_may_be_written_as_text():
    assert Directed(capabilities="chat").capabilities == ("chat",)
    assert Directed(capabilities=["a", "b"]).capabilities == ("a", "b")


def test_the_output_is_that_of_an_output_or_a_final():
    assert signal("AGENT_OUTPUT", output={"a": 1}).output == {"a": 1}
    assert signal("FINAL", result={"b": 2}).output == {"b": 2}


def test_the_output_of_an_error_is_the_error():
    error = signal("ERROR", code="MY_OWN", message="no", recoverable=True, retry_after_s=2.5)

    with pytest.raises(NeuronError, match="MY_OWN: no") as caught:
        _ = error.output

    assert (caught.value.code, caught.value.recoverable) == ("MY_OWN", True)
    assert caught.value.retry_after_s == 2.5


def test_the_output_of_an_error_without_facts_is_an_error_too():
    with pytest.raises(NeuronError) as caught:
        _ = signal("ERROR").output

    assert (caught.value.code, caught.value.recoverable) == ("NEURON_EXCEPTION", False)


@pytest.mark.parametrize("type", ["CLARIFICATION", "PERMISSION", "ESCALATION"])
def test_the_output_of_a_question_is_that_it_needs_an_answer(type):
    question = signal(type, question="which one?")

    with pytest.raises(NeedsAnswer, match=r"which one\?; .*`cosmo answer`.*--answer-") as caught:
        _ = question.output

    assert caught.value.signal is question


def test_other_signals_have_no_output():
    with pytest.raises(AttributeError, match="HEARTBEAT carries no output"):
        _ = signal("HEARTBEAT").output


def test_a_signal_survives_its_bytes():
    task = signal(input={"a": [1, None, b"x"]})

    assert Signal.decode(task.encode()) == task


def test_a_signal_that_this_program_made_has_no_origin_and_takes_none():
    assert signal().origin is None
    with pytest.raises(TypeError, match="origin"):
        Signal(type="TASK", origin="ada")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        signal().origin = "ada"


def test_an_origin_is_no_part_of_the_bytes_of_equality_and_of_the_repr():
    plain = signal(input=1)
    named = Signal.decode(plain.encode())
    came_from(named, "ada")

    assert named.origin == "ada"
    assert named == plain
    assert named.encode() == plain.encode()
    assert repr(named) == repr(plain)


def test_an_origin_stays_in_copies_and_pickles_and_goes_no_further():
    named = signal(input=1)
    came_from(named, "ada")

    assert pickle.loads(pickle.dumps(named)).origin == "ada"
    assert copy.copy(named).origin == copy.deepcopy(named).origin == "ada"
    assert named.reply(SignalType.AGENT_OUTPUT, payload={"output": {}}).origin is None
    assert attrs.evolve(named, meta={"a": 1}).origin is None


@pytest.mark.parametrize("decode", [Signal.decode, kernel.decode_signal])
def test_nothing_in_the_bytes_of_a_signal_gives_it_an_origin(decode):
    claims = {"origin": "root", "user": "root"}
    forged = Signal(type="TASK", payload={"input": 1, **claims}, meta=claims)
    longer = b"\x9b" + forged.encode()[1:] + 2 * codec.packed("root")

    assert decode(forged.encode()).origin is None
    assert decode(longer).origin is None
