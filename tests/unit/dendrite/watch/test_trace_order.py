"""The order of one trace: our own Signals wait for their copies, and each passes once."""

import pytest

from cosmonapse import Signal, SignalType
from cosmonapse.dendrite.watch.trace_order import HOLD_S, RecentIds, SeenIds, TraceOrder
from cosmonapse.ids import new_event_id

TRACE = "trc_" + "a" * 26


def signals(count, parent_id=None):
    parent_id = parent_id or new_event_id()
    return [
        Signal(
            type=SignalType.THOUGHT_DELTA,
            trace_id=TRACE,
            parent_id=parent_id,
            payload={"delta": "", "seq": n},
        )
        for n in range(count)
    ]


def test_what_is_somebody_elses_passes_at_once():
    (signal,) = signals(1)

    assert TraceOrder().heard(signal) == [signal]


def test_what_is_ours_waits_for_its_copy():
    order = TraceOrder()
    (signal,) = signals(1)

    order.own(signal, 10.0)

    assert order.due(10.0 + HOLD_S / 2) == []
    assert order.heard(signal) == [signal]
    assert order.next_at_s() is None


def test_a_copy_that_was_quicker_passes_and_what_is_ours_does_not_come_again():
    order = TraceOrder()
    (signal,) = signals(1)

    assert order.heard(signal) == [signal]
    order.own(signal, 10.0)

    assert order.next_at_s() is None
    assert order.due(1e9) == []


def test_what_is_ours_passes_where_its_copy_stands():
    order = TraceOrder()
    (ours,), (theirs,) = signals(1), signals(1)

    order.own(ours, 10.0)

    assert order.heard(theirs) == [theirs]
    assert order.heard(ours) == [ours]


def test_a_lost_copy_is_known_by_a_later_one_of_the_same_task():
    order = TraceOrder()
    first, second, third = signals(3)
    for each in (first, second, third):
        order.own(each, 10.0)

    assert order.heard(third) == [first, second, third]
    assert order.heard(second) == []


def test_a_copy_of_another_task_says_nothing_about_this_one():
    order = TraceOrder()
    (ours,), (other,) = signals(1), signals(1)
    order.own(ours, 10.0)
    order.own(other, 10.0)

    assert order.heard(other) == [other]
    assert order.heard(ours) == [ours]


def test_what_is_held_too_long_passes_in_the_order_in_which_it_came():
    order = TraceOrder()
    first, second, third = signals(3)
    order.own(first, 10.0)
    order.own(second, 10.1)
    order.own(third, 10.2)

    assert order.next_at_s() == pytest.approx(10.0 + HOLD_S)
    assert order.due(10.1 + HOLD_S) == [first, second]
    assert order.next_at_s() == pytest.approx(10.2 + HOLD_S)
    assert order.heard(first) == []


def test_a_copy_that_comes_twice_passes_once():
    order = TraceOrder()
    (signal,) = signals(1)

    assert [order.heard(signal), order.heard(signal)] == [[signal], []]


def test_a_long_stream_of_copies_that_runs_ahead_passes_once():
    order = TraceOrder()
    stream = signals(10_000)

    passed = [each for signal in stream for each in order.heard(signal)]
    for signal in stream:
        order.own(signal, 10.0)

    assert passed == stream
    assert order.due(1e9) == []


def test_an_id_is_let_through_once_and_the_oldest_is_forgotten():
    seen = SeenIds(capacity=2)

    assert [seen.add(each) for each in ("a", "b", "a", "c")] == [True, True, False, True]
    assert "a" not in seen
    assert "c" in seen


def test_what_comes_twice_of_late_passes_once_and_what_is_remembered_is_bounded():
    recent = RecentIds(least=3)
    passed = [recent.add(each) for each in "abcab"]

    assert passed == [True, True, True, False, False]
    assert [recent.add(each) for each in "defghi"] == [True] * 6
    assert recent.add("a")
    assert not recent.add("i")
