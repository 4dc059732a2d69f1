"""Systems side by side: ratios, tables and plots; who is there; whose turn it is."""

import attrs
import pytest

from cosmonapse.bench.fan import shares
from tools.bench import page
from tools.bench.compared import Compared
from tools.bench.systems import found, plain
from tools.bench.systems.system import System
from tools.bench.turns import rounds


def system(name, **facts):
    return System(name, name.title(), lambda: None, **facts)


SYSTEMS = (system("fabric"), system("plain"), system("limit", is_limit=True))
RATES = {
    "1": {"fabric": [10.0, 30.0, 20.0], "plain": [10.0, 10.0, 10.0], "limit": [400.0]},
    "16": {"fabric": [50.0], "plain": [25.0]},
}
COMPARED = Compared(SYSTEMS, ("1", "16"), RATES, "calls/s")


def test_facts_hold_medians_rounds_and_ratios():
    assert COMPARED.facts()["1"] == {
        "fabric": {"calls_per_s": 20.0, "calls_per_s_rounds": [10.0, 30.0, 20.0]},
        "plain": {"calls_per_s": 10.0, "calls_per_s_rounds": [10.0, 10.0, 10.0]},
        "limit": {"calls_per_s": 400.0, "calls_per_s_rounds": [400.0]},
        "ratio": {"plain": 2.0, "limit": 0.05},
    }


def test_a_place_that_a_system_lacks_is_a_dash():
    rates, ratios = COMPARED.tables("calls: here", "outstanding")

    assert rates.head == ("calls/s", "1 outstanding", "16 outstanding")
    assert rates.rows[2] == ("Limit", "400", "-")
    assert ratios.rows == [("Plain", "2.00", "2.00"), ("Limit", "0.050", "-")]


def test_with_cpu_time_a_ratio_is_the_median_of_those_within_the_rounds():
    cpu_us = {"1": {"fabric": [10.0, 20.0, 10.0], "plain": [20.0, 20.0, 30.0]}, "16": {}}
    of_processes = {"1": {"plain": [(8.0, 2.0), (10.0, 0.0)]}}
    measured = attrs.evolve(COMPARED, cpu_us=cpu_us, parts=of_processes)

    _, costs, ratios = measured.tables("calls: here", "outstanding")
    facts = measured.facts()

    assert ratios.rows[0] == ("Plain", "2.00 (1.00 to 3.00)", "2.00")
    assert costs.rows[1] == ("Plain", "20.0 (8.0 + 2.0 io, 10.0)", "-")
    assert facts["1"]["ratio"]["plain"] == 2.0
    assert facts["1"]["plain"]["cpu_us"] == 20.0
    assert facts["1"]["plain"]["cpu_us_rounds"] == [20.0, 20.0, 30.0]


def test_the_head_of_a_column_keeps_what_stands_behind_the_comma():
    fans = attrs.evolve(COMPARED, places=("10, one a turn",), rates={"10, one a turn": {}})

    assert fans.tables("fanout: here", "subscribers")[0].head[1] == "10 subscribers, one a turn"


def test_alone_there_is_nothing_to_compare():
    alone = attrs.evolve(COMPARED, systems=SYSTEMS[:1])

    assert len(alone.tables("calls: here", "")) == 1


def test_the_plot_knows_the_limits_and_the_gaps():
    plot = COMPARED.plot("calls", "Calls", "outstanding")

    assert plot.limits == {"Limit"}
    assert plot.series["Limit"] == [400.0, None]


def test_another_one_is_first_in_each_round():
    order = []

    rounds("abc", 3, lambda name: order.append(name), lambda name, taken: None)

    assert "".join(order) == "abcbcacab"


@pytest.mark.parametrize(
    ("subscribers", "processes"), [(1, [1]), (5, [1] * 5), (7, [2, 2, 1, 1, 1]), (50, [10] * 5)]
)
def test_subscribers_are_spread_over_at_most_five_processes(subscribers, processes):
    assert shares(subscribers) == processes


def test_who_is_missing_is_left_out_with_the_reason(monkeypatch):
    lacking = attrs.evolve(plain.SYSTEM, missing=lambda: "apt-get install it")
    monkeypatch.setattr(found, "SYSTEMS", (found.SYSTEMS[0], lacking))

    here, lacks = found.present(["plain"])

    assert [each.name for each in here] == ["fabric"]
    assert lacks == {"plain": "apt-get install it"}


def test_the_page_has_the_marks_for_both_sections():
    text = page.PAGE.read_text()

    for name in ("unpinned", "pinned"):
        assert "figures" in page.with_section(text, name, "figures")


def test_a_section_is_replaced_and_the_prose_around_it_kept():
    begin, end = "<!-- measured pinned: begin -->", "<!-- measured pinned: end -->"
    text = f"before\n\n{begin}\nold\n{end}\n\nafter\n"

    written = page.with_section(text, "pinned", "new")

    assert written == f"before\n\n{begin}\n\nnew\n\n{end}\n\nafter\n"
    assert page.with_section(written, "pinned", "new") == written


@pytest.mark.parametrize(
    "text", ["", "<!-- measured pinned: end --><!-- measured pinned: begin -->"]
)
def test_a_page_without_its_marks_is_refused(text):
    with pytest.raises(page.NoMarks, match="needs the lines"):
        page.with_section(text, "pinned", "new")
