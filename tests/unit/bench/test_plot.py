"""Plots: well-formed, every line in its place, every name readable."""

import itertools
from xml.etree import ElementTree

import pytest

from cosmonapse.bench.figures import Plot
from cosmonapse.bench.plot import Scale, apart, scale_of, short, svg

SERIES = {"ours": [10.0, 20.0], "theirs <&>": [5.0, None], "the limit": [40.0, 50.0]}
PLOT = Plot("p", "A & B", "x", "calls/s", ("1", "16"), SERIES, frozenset({"the limit"}))
SVG = "{http://www.w3.org/2000/svg}"


def elements(plot, kind):
    return ElementTree.fromstring(svg(plot, "a note")).iter(f"{SVG}{kind}")


def test_it_is_well_formed_and_says_what_it_shows():
    texts = [text.text for text in elements(PLOT, "text")]

    for expected in ("A & B", "calls/s; a note", "1", "16", "x", "ours", "the limit"):
        assert expected in texts


def test_each_series_has_a_line_and_a_dot_for_each_value():
    assert len(list(elements(PLOT, "polyline"))) == 3
    assert len(list(elements(PLOT, "circle"))) == 5


def test_limits_and_only_limits_are_dashed():
    dashed = [line for line in elements(PLOT, "polyline") if line.get("stroke-dasharray")]

    assert [line.get("class") for line in dashed] == ["line limit"]


FAR = Plot(
    "p",
    "t",
    "x",
    "y",
    ("1", "16"),
    {"ours": [10.0, 20.0], "near": [30.0, 60.0], "far": [50.0, 123_456.0]},
    frozenset({"near", "far"}),
)


def test_a_limit_far_above_leaves_the_room_to_the_others_and_tells_its_value():
    circles = [float(circle.get("cy")) for circle in elements(FAR, "circle")]
    texts = [text.text for text in elements(FAR, "text")]

    assert len(circles) == 5
    assert max(circles) - min(circles) > 200
    assert "60" in texts
    assert "100k" not in texts
    assert "far \u2191 120k" in texts
    assert {line.get("clip-path") for line in elements(FAR, "polyline")} == {"url(#in)"}


def test_every_point_lies_inside_of_the_picture():
    for circle in elements(PLOT, "circle"):
        assert 0 < float(circle.get("cx")) < 720
        assert 0 < float(circle.get("cy")) < 400


def test_a_plot_of_one_place_or_of_nothing_is_drawn():
    one = Plot("p", "t", "x", "y", ("1",), {"ours": [3.0]})
    none = Plot("p", "t", "x", "y", (), {"ours": []})

    assert len(list(elements(one, "circle"))) == 1
    assert not list(elements(none, "circle"))


def test_values_close_together_get_a_linear_scale_from_zero():
    scale = scale_of([90.0, 400.0])

    assert not scale.is_log
    assert (scale.low, scale.high) == (0.0, 400.0)
    assert scale.ticks() == [0, 100, 200, 300, 400]


def test_values_far_apart_get_a_scale_of_powers_of_ten():
    scale = scale_of([3.0, 40_000.0])

    assert scale.is_log
    assert scale.ticks() == [1, 10, 100, 1000, 10_000, 100_000]


@pytest.mark.parametrize("scale", [Scale(0.0, 100.0, False), Scale(1.0, 100.0, True)])
def test_more_is_higher_up(scale):
    assert scale.y(100.0) < scale.y(50.0) < scale.y(2.0)


def test_labels_are_pushed_apart_and_stay_in_order():
    places = apart([100.0, 101.0, 102.0, 300.0], 16)

    assert places[0] == 100.0
    assert places[-1] == 300.0
    assert all(below - above >= 16 for above, below in itertools.pairwise(places))


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (0.01, "0.01"), (1500.0, "1.5k"), (2e7, "20M"), (1e9, "1G")]
)
def test_numbers_of_the_grid_are_short(value, text):
    assert short(value) == text
