"""Many deadlines, one timer."""

from cosmonapse.kernel import SLOT_S, Deadlines


def test_nothing_is_due_before_its_time_and_everything_after():
    deadlines = Deadlines()
    deadlines.set("a", 1.0)

    assert deadlines.due(1.0 - 1e-6) == []
    assert deadlines.due(1.0 + SLOT_S + 1e-6) == ["a"]


def test_a_deadline_is_at_most_a_slot_late():
    for at_s in (0.0, 0.1, 0.12345, 1e6 + 0.001):
        deadlines = Deadlines()
        deadlines.set("a", at_s)
        assert at_s <= deadlines.next_at_s() <= at_s + SLOT_S + 1e-6


def test_what_fell_due_is_told_once():
    deadlines = Deadlines()
    deadlines.set("a", 1.0)

    assert [deadlines.due(2.0), deadlines.due(3.0)] == [["a"], []]
    assert deadlines.next_at_s() is None


def test_the_earliest_is_told_first_whatever_the_order_of_setting():
    deadlines = Deadlines()
    for key, at_s in (("c", 3.0), ("a", 1.0), ("b", 2.0)):
        deadlines.set(key, at_s)

    assert deadlines.due(9.0) == ["a", "b", "c"]


def test_what_is_dropped_does_not_fall_due():
    deadlines = Deadlines()
    slot = deadlines.set("a", 1.0)
    deadlines.set("b", 1.0)

    deadlines.drop("a", slot)

    assert len(deadlines) == 1
    assert deadlines.due(2.0) == ["b"]


def test_dropping_what_fell_due_changes_nothing():
    deadlines = Deadlines()
    slot = deadlines.set("a", 1.0)
    deadlines.due(2.0)

    deadlines.drop("a", slot)

    assert len(deadlines) == 0


def test_the_next_time_is_that_of_what_is_still_set():
    deadlines = Deadlines()
    early, late = deadlines.set("a", 1.0), deadlines.set("b", 5.0)
    deadlines.drop("a", early)

    assert deadlines.next_at_s() == late * SLOT_S


def test_a_slot_can_be_used_again_after_it_was_emptied():
    deadlines = Deadlines()
    deadlines.drop("a", deadlines.set("a", 1.0))
    deadlines.set("b", 1.0)

    assert deadlines.due(2.0) == ["b"]
    assert deadlines.next_at_s() is None


def test_a_million_tasks_that_are_answered_at_once_leave_nothing_behind():
    deadlines = Deadlines()
    for n in range(20_000):
        deadlines.drop(n, deadlines.set(n, 30.0 + n / 100))

    assert len(deadlines) == 0
    assert len(deadlines._order) < 1000
    assert not deadlines._slots


def test_those_of_one_slot_are_due_in_the_order_of_setting():
    deadlines = Deadlines()
    keys = [f"key {number}" for number in range(50)]
    for key in keys:
        deadlines.set(key, 100.0)

    assert deadlines.due(101.0) == keys
