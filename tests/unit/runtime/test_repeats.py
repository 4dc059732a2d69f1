"""What is said again and again is counted, and told once."""

import math

import pytest

from cosmonapse.runtime.repeats import Repeats

KIND = ("a", 30, "no %s")


def say(repeats, now_s, kind=KIND):
    passes = repeats.passes(kind, now_s)
    if not passes and repeats.wants_text(kind):
        repeats.set_text(kind, "no luck")
    return passes


@pytest.fixture
def repeats():
    return Repeats(burst=2, window_s=60.0, max_kinds=3)


def test_the_first_of_a_window_pass_and_the_rest_is_told_at_its_end(repeats):
    assert [say(repeats, at_s) for at_s in (0.0, 1.0, 2.0, 3.0)] == [True, True, False, False]
    assert repeats.due(59.9) == []
    assert repeats.next_at_s() == 60.0

    [told] = repeats.due(60.0)

    assert (told.kind, told.text, told.count, told.seconds) == (KIND, "no luck", 2, 60.0)
    assert repeats.due(200.0) == []
    assert say(repeats, 60.0)


def test_what_was_not_held_back_is_not_told(repeats):
    say(repeats, 0.0)

    assert repeats.next_at_s() == math.inf
    assert repeats.due(100.0) == []


def test_of_too_many_kinds_the_oldest_is_told_early(repeats):
    for _ in range(3):
        say(repeats, 0.0)
    for number in range(3):
        say(repeats, 1.0, ("b", 30, f"{number}"))

    assert repeats.next_at_s() == -math.inf
    [told] = repeats.due(1.0)
    assert (told.kind, told.count, told.seconds) == (KIND, 1, 1.0)
    assert say(repeats, 1.0)


def test_the_rest_is_told_at_the_end(repeats):
    for _ in range(4):
        say(repeats, 0.0)

    assert [each.count for each in repeats.rest(5.0)] == [2]
    assert repeats.rest(5.0) == []


def test_nothing_is_lost_and_memory_is_bounded(repeats):
    told = 0
    for number in range(1000):
        now_s = number * 0.5
        told += sum(each.count for each in repeats.due(now_s))
        told += say(repeats, now_s, ("c", 30, str(number % 7)))
    told += sum(each.count for each in repeats.rest(600.0))

    assert told == 1000
    assert len(repeats._windows) == 0
