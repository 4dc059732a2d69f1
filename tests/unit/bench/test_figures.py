"""Figures, samples and tables of the bench."""

import msgpack
import pytest

from cosmonapse.bench.figures import Table, durations, percentiles, spread
from cosmonapse.bench.load import PAYLOAD, Sample, median, payload_of


def test_percentiles_of_values_in_any_order_lie_between_least_and_greatest():
    assert percentiles(range(101, 0, -1), 50, 90, 99) == [51.0, 91.0, 100.0]
    assert percentiles([7.0], 50, 99) == [7.0, 7.0]


def test_percentiles_of_nothing_are_an_error():
    with pytest.raises(ValueError, match="data point"):
        percentiles([], 50)


def test_a_spread_shows_the_median_between_least_and_most():
    assert spread([3000.0, 1000.0, 2000.0]) == "2,000 (1,000 to 3,000)"


def test_a_spread_of_one_value_is_that_value():
    assert spread([1234.5], 1) == "1,234.5"


def test_a_table_is_aligned_markdown():
    table = Table("caption", ("name", "n"), [("a", "10")])

    assert str(table) == "**caption**\n\n| name |  n |\n| ---- | -: |\n| a    | 10 |"


def test_durations_come_as_table_facts_and_plot():
    report = durations("start", "of a thing", [0.002, 0.001, 0.004])

    assert str(report.tables[0]).startswith("**start: of a thing**")
    assert report.facts == pytest.approx({"count": 3, "p50_ms": 2.0, "p99_ms": 3.96, "max_ms": 4.0})
    assert report.plots[0].name == "start"
    assert report.plots[0].series == {"cosmonapse": [2.0, pytest.approx(3.96), 4.0]}


def test_a_sample_sorts_its_times_and_knows_its_rate():
    sample = Sample.of([0.3, 0.1, 0.2], 2.0)

    assert (sample.calls, sample.p50_s, sample.max_s) == (3, 0.2, 0.3)
    assert sample.rate == 1.5


def test_the_median_of_a_field_goes_over_the_rounds():
    samples = [Sample.of([time_s], 1.0) for time_s in (0.3, 0.1, 0.2)]

    assert median(samples, "p99_s") == 0.2


@pytest.mark.parametrize("size_bytes", [60, 100, 200])
def test_a_small_payload_has_exactly_its_size_on_the_wire(size_bytes):
    assert len(msgpack.packb(payload_of(size_bytes))) == size_bytes
    assert len(msgpack.packb(PAYLOAD)) == 100
