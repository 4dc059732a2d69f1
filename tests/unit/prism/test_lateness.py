"""A loop that is late is told for a moment, and a small delay is not."""

from cosmonapse.prism.lateness import BEHIND_S, TOLD_S, Lateness


def test_a_small_delay_is_nothing_to_tell():
    lateness = Lateness()

    lateness.add(BEHIND_S / 2, 10.0)

    assert lateness.view(10.0) is None


def test_the_worst_of_a_moment_is_told_and_then_forgotten():
    lateness = Lateness()
    for late_s, now_s in ((1.0, 10.0), (3.0, 11.0), (2.0, 12.0), (0.0, 13.0)):
        lateness.add(late_s, now_s)

    assert lateness.view(13.0) == {"seconds": 3.0}
    assert lateness.view(11.0 + TOLD_S) == {"seconds": 3.0}
    assert lateness.view(11.1 + TOLD_S) is None


def test_a_later_delay_is_told_although_it_is_smaller():
    lateness = Lateness()
    lateness.add(9.0, 10.0)

    lateness.add(1.0, 20.0)

    assert lateness.view(20.0) == {"seconds": 1.0}
