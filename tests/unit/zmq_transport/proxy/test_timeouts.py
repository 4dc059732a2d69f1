"""Who has let a stated time pass."""

from hypothesis import given
from hypothesis import strategies as st

from zmq_transport.proxy.timeouts import Timeouts

A, B = "a", "b"


def test_who_owes_something_is_late_after_the_time_and_not_before():
    timeouts = Timeouts(3.0)
    timeouts.begin(A, 10.0)

    assert timeouts.overdue(12.99) == []
    assert timeouts.overdue(13.0) == [A]


def test_who_is_late_is_told_once():
    timeouts = Timeouts(3.0)
    timeouts.begin(A, 10.0)

    assert [timeouts.overdue(at_s) for at_s in (13.0, 14.0)] == [[A], []]
    assert len(timeouts) == 0


def test_a_new_beginning_gives_the_whole_time():
    timeouts = Timeouts(3.0)
    timeouts.begin(A, 10.0)
    timeouts.begin(B, 11.0)
    timeouts.begin(A, 12.0)

    assert timeouts.overdue(14.0) == [B]
    assert timeouts.overdue(15.0) == [A]


def test_who_has_paid_is_never_late():
    timeouts = Timeouts(3.0)
    timeouts.begin(A, 10.0)
    timeouts.end(A)
    timeouts.end(B)  # it never began

    assert A not in timeouts
    assert timeouts.overdue(99.0) == []


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans(), st.floats(0, 2)), max_size=40))
def test_those_who_are_late_are_those_whose_last_beginning_is_long_ago(steps):
    timeouts, begun, now_s = Timeouts(3.0), {}, 0.0
    for who, begins, pause_s in steps:
        now_s += pause_s
        if begins:
            timeouts.begin(who, now_s)
            begun[who] = now_s
        else:
            timeouts.end(who)
            begun.pop(who, None)

        late = {each for each, since_s in begun.items() if now_s - since_s >= 3.0}

        assert set(timeouts.overdue(now_s)) == late
        begun = {each: since_s for each, since_s in begun.items() if each not in late}
