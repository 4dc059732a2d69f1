"""A histogram as Prometheus has it."""

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse.telemetry.histogram import SECONDS, Histogram


def test_a_value_counts_for_every_bound_that_it_does_not_exceed():
    histogram = Histogram((1.0, 2.0))

    for value in (0.5, 1.0, 1.5, 7.0):
        histogram.add(value)

    assert histogram.cumulative() == [2, 3, 4]
    assert histogram.count == 4
    assert histogram.total == 10.0


@given(st.lists(st.floats(0.0, 1000.0)))
def test_each_bound_counts_the_values_up_to_it(values):
    histogram = Histogram()

    for value in values:
        histogram.add(value)

    expected = [sum(value <= bound for value in values) for bound in SECONDS]
    assert histogram.cumulative() == [*expected, len(values)]
