"""The bench runs and tells sane things. How fast anything was is none of its business."""

import json
import re
import subprocess
import sys

import pytest
from tools.bench.figures import Table, percentile, spread

from house import source
from tools.bench import page

TINY = ["--quick", "--rounds", "1", "--seconds", "0.1"]
CALLS = 100


def run_bench(*arguments):
    """Run the tool in a process of its own, as `make bench` does."""
    return subprocess.run(
        [sys.executable, "-m", "tools.bench", *map(str, arguments)],
        cwd=source.ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run every kind once, as short as can be; give stdout and the JSON."""
    path = tmp_path_factory.mktemp("bench") / "figures.json"
    ended = run_bench(*TINY, "--json", path)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout, json.loads(path.read_text())


def test_a_run_prints_one_table_for_each_kind_and_names_the_machine(run):
    printed, _ = run

    assert re.findall(r"^\*\*(\w+):", printed, re.MULTILINE) == [
        "calls",
        "handlers",
        "in_process",
        "nobody",
        "pathways",
        "start",
        "streaming",
        "unwatched",
    ]
    for fact in ("cores", "Python 3.", "pyzmq", "libzmq", "commit"):
        assert fact in printed


def test_every_row_of_a_table_has_a_cell_for_each_column(run):
    printed, _ = run

    for table in re.findall(r"(?:^\|.*\n?)+", printed, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_the_json_holds_both_systems_at_every_level(run):
    calls = run[1]["kinds"]["calls"]

    assert set(calls) == {"1", "16", "256"}
    for level in calls.values():
        for system in (level["fabric"], level["plain"]):
            assert 0 < system["p50_ms"] <= system["p99_ms"]
            assert len(system["calls_per_s_rounds"]) == 1
            assert system["calls_per_s"] > 0
        assert level["ratio"] == level["fabric"]["calls_per_s"] / level["plain"]["calls_per_s"]


@pytest.mark.parametrize("kind", ["nobody", "start"])
def test_the_json_holds_the_durations_in_order(run, kind):
    facts = run[1]["kinds"][kind]

    assert facts["count"] >= 10
    assert 0 < facts["p50_ms"] <= facts["p99_ms"] <= facts["max_ms"]


@pytest.mark.parametrize(
    ("watched_by", "copies", "seen"),
    [
        ("nobody", 0, 0),
        ("one for AGENT_OUTPUT", 1, 1),
        ("two for AGENT_OUTPUT", 1, 2),
        ("two for AGENT_OUTPUT, one for TASK", 2, 3),
    ],
)
def test_a_watched_signal_is_copied_once_and_none_is_encoded_twice(run, watched_by, copies, seen):
    counted = run[1]["kinds"]["unwatched"][watched_by]

    assert counted == {
        "calls": CALLS,
        "copies": copies * CALLS,
        "caller": CALLS,
        "worker": CALLS,
        "seen": seen * CALLS,
    }


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["--rounds", "0"], ["--quick", "--write"], ["calls", "--write"]]
)
def test_nonsense_is_refused_before_anything_runs(arguments):
    ended = run_bench(*arguments)

    assert ended.returncode == 2
    assert "error:" in ended.stderr


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


def test_percentiles_are_values_that_were_measured():
    assert percentile(range(1, 101), 50) == 50
    assert percentile(range(1, 101), 99) == 99
    assert percentile([7.0], 99) == 7.0


def test_a_spread_shows_the_median_between_least_and_most():
    assert spread([3000.0, 1000.0, 2000.0]) == "2,000 (1,000 to 3,000)"


def test_a_table_is_aligned_markdown():
    table = Table("caption", ("name", "n"), [("a", "10")])

    assert str(table) == "**caption**\n\n| name |  n |\n| ---- | -: |\n| a    | 10 |"
