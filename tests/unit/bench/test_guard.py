"""Goals and floors of `make bench`."""

import json

import pytest

from house import source
from tools.bench.guard import Figure, Ratio, read
from tools.bench.kinds import KINDS
from tools.bench.systems.found import NAMES

TEXT = """
[[ratio]]
kind = "calls"
place = "16"
against = "plain"
goal = 4.0
floor = 2.0
[[ratio]]
kind = "calls"
place = "16"
against = "nats"
goal = 2.0
[[figure]]
what = "MiB alone"
path = ["idle", "0", "synapse_kib"]
divided_by = 1024.0
at_most = 26.0
"""
FLOORS = source.ROOT / "tools" / "bench" / "floors.toml"


def found(plain=3.0, nats=3.0, kib=25 * 1024):
    ratio = {"plain": plain, "nats": nats}
    return {"calls": {"16": {"ratio": ratio}}, "idle": {"0": {"synapse_kib": kib}}}


def test_a_ratio_below_its_floor_is_told_with_both_numbers():
    assert read(TEXT).falls(found(plain=1.9)) == [
        "calls at 16, against plain: 1.900 is below the floor of 2"
    ]


def test_a_ratio_at_its_floor_and_one_without_a_floor_are_not():
    assert read(TEXT).falls(found(plain=2.0, nats=0.1)) == []


@pytest.mark.parametrize("kinds", [{}, {"calls": {}}, {"calls": {"16": {"ratio": {}}}}])
def test_what_was_not_measured_neither_falls_nor_stands_in_the_table(kinds):
    guard = read(TEXT)

    assert guard.falls(kinds) == []
    assert guard.table(kinds) is None


def test_the_table_says_what_was_wanted_and_what_was_reached():
    table = read(TEXT).table(found(kib=30 * 1024))

    assert table.rows == [
        ("calls at 16, against plain", ">= 4", "3", "no"),
        ("calls at 16, against nats", ">= 2", "3", "yes"),
        ("MiB alone", "<= 26", "30", "no"),
    ]


def test_a_figure_is_met_between_its_bounds():
    figure = Figure("w", ("a",), at_most=6.0, at_least=2.0)

    assert [figure.is_met(value) for value in (1.9, 2.0, 6.0, 6.1)] == [False, True, True, False]


def test_an_unknown_key_is_refused():
    with pytest.raises(TypeError, match="flor"):
        read('[[ratio]]\nkind = "calls"\nplace = "1"\nagainst = "nats"\ngoal = 1.0\nflor = 1.0\n')


def test_the_floors_of_the_house_name_kinds_and_systems_that_exist():
    guard = read(FLOORS.read_text())

    assert {ratio.kind for ratio in guard.ratios} <= set(KINDS)
    assert {ratio.against for ratio in guard.ratios} <= {*NAMES, "nats.js"}
    assert {figure.path[0] for figure in guard.figures} <= set(KINDS)
    assert any(ratio.floor for ratio in guard.ratios)


def test_no_floor_is_over_its_goal():
    both = [each for each in read(FLOORS.read_text()).ratios if each.floor and each.goal]

    assert [each for each in both if each.floor > each.goal] == []
    assert both


def test_facts_that_went_through_json_are_judged_alike():
    kinds = json.loads(json.dumps(found(plain=1.0)))

    assert Ratio("calls", "16", "plain", 4.0).measured(kinds) == 1.0


def test_a_ratio_without_a_goal_is_held_to_its_floor_and_stands_in_no_table():
    guard = read(
        '[[ratio]]\nkind = "calls"\nplace = "16"\nagainst = "plain"\nfloor = 2.0\n',
    )

    assert guard.table(found()) is None
    assert len(guard.falls(found(plain=1.9))) == 1
