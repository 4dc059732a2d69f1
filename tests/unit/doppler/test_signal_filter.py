"""Which Signals are let through."""

import pytest

from cosmonapse import SignalType, new_trace_id
from cosmonapse.doppler.signal_filter import SignalFilter, checked_trace
from cosmonapse.errors import BadSignal
from support.observed import observed

TRACE = new_trace_id()


def test_everything_passes_when_nothing_is_named():
    assert all(SignalFilter()(observed(each)) for each in SignalType)


def test_only_the_types_that_are_named_pass():
    wanted = SignalFilter(types=frozenset({SignalType.ERROR, SignalType.TASK}))

    passed = {each for each in SignalType if wanted(observed(each))}

    assert passed == wanted.types


@pytest.mark.parametrize("chars", [8, 9, 29, 30])
def test_a_trace_is_known_by_its_first_characters(chars):
    wanted = SignalFilter(trace=checked_trace(TRACE[:chars]))

    assert wanted(observed(trace_id=TRACE))
    assert not wanted(observed(trace_id=TRACE[:7] + ("a" if TRACE[7] != "a" else "b") + TRACE[8:]))
    assert wanted.whole_trace == (TRACE if chars == 30 else None)


@pytest.mark.parametrize(
    "text", ["", "trc_", "trc_abc", "evt_abcdefgh", "abcdefgh", "trc_xyzw", "trc_ABCD", TRACE + "0"]
)
def test_what_is_no_trace_is_told(text):
    with pytest.raises(BadSignal, match=r"trc_|characters"):
        checked_trace(text)


def test_the_error_says_that_the_beginning_is_enough():
    with pytest.raises(BadSignal, match=r"26 characters .* or the first 4"):
        checked_trace("xyz")


def test_a_neuron_is_who_sends_or_whom_a_task_names():
    wanted = SignalFilter(neuron="worker")

    assert wanted(observed(SignalType.TASK, neuron="worker"))
    assert wanted(observed(SignalType.THOUGHT_DELTA, neuron="worker"))
    assert not wanted(observed(SignalType.TASK, neuron="other"))
    assert not wanted(observed(SignalType.PLAN))
