"""Deadlines do what a sorted list would do, in slots of 5 ms, and leave nothing behind."""

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse.kernel import SLOT_S, Deadlines

TIMES = st.floats(0.0, 3.0)
STEPS = st.lists(
    st.tuples(st.just("set"), TIMES)
    | st.tuples(st.just("drop"), st.integers(0, 50))
    | st.tuples(st.just("wait"), st.floats(0.0, 0.5)),
    max_size=60,
)


@given(steps=STEPS)
def test_what_falls_due_is_what_a_sorted_list_says(steps):
    deadlines, model, slots, now_s = Deadlines(), {}, {}, 1000.0
    for key, (verb, value) in enumerate(steps):
        if verb == "set":
            model[key] = now_s + value
            slots[key] = deadlines.set(key, model[key])
        elif verb == "drop" and model:
            dropped = sorted(model)[value % len(model)]
            del model[dropped]
            deadlines.drop(dropped, slots[dropped])
        elif verb == "wait":
            now_s += value
            due = deadlines.due(now_s)
            assert all(model[each] <= now_s + 1e-6 for each in due)
            assert [slots[each] for each in due] == sorted(slots[each] for each in due)
            for each in due:
                del model[each]
            assert not [at_s for at_s in model.values() if at_s <= now_s - SLOT_S - 1e-6]
        assert len(deadlines) == len(model)
        next_at_s = deadlines.next_at_s()
        assert (next_at_s is None) == (not model)
        if model:
            assert -1e-6 <= next_at_s - min(model.values()) <= SLOT_S + 1e-6


@given(at_s=st.floats(0.0, 1e7))
def test_who_wakes_at_the_next_instant_finds_something_due(at_s):
    deadlines = Deadlines()
    deadlines.set("key", at_s)

    assert deadlines.due(deadlines.next_at_s()) == ["key"]
    assert deadlines.next_at_s() is None


@given(long_s=st.floats(1.0, 86_400.0))
def test_deadlines_that_are_dropped_at_once_do_not_pile_up(long_s):
    deadlines = Deadlines()

    for turn in range(1000):
        slot = deadlines.set(turn, turn * 0.01 + long_s)
        deadlines.drop(turn, slot)

    assert len(deadlines._order) + len(deadlines._slots) < 200
