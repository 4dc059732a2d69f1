"""What a run leaves for programs, and the bar for people."""

import csv
import json
from io import StringIO

import pytest

from cosmonapse.bench.figures import Report
from cosmonapse.bench.output import as_csv, as_json, found
from cosmonapse.bench.progress import Progress, bar

FOUND = found(
    {"cores": "1 of 2", "processor": "Some, Inc."},
    {"rounds": 2},
    {"calls": Report((), {"16": {"fabric": {"calls_per_s": 5.5, "rounds": [5, 6]}}})},
)


def test_the_json_holds_machine_options_and_facts():
    assert json.loads(as_json(FOUND)) == {
        "machine": {"cores": "1 of 2", "processor": "Some, Inc."},
        "options": {"rounds": 2},
        "kinds": {"calls": {"16": {"fabric": {"calls_per_s": 5.5, "rounds": [5, 6]}}}},
    }


def test_the_csv_has_a_line_for_each_figure():
    assert list(csv.reader(StringIO(as_csv(FOUND)))) == [
        ["kind", "what", "value"],
        ["machine", "cores", "1 of 2"],
        ["machine", "processor", "Some, Inc."],
        ["options", "rounds", "2"],
        ["calls", "16.fabric.calls_per_s", "5.5"],
        ["calls", "16.fabric.rounds.1", "5"],
        ["calls", "16.fabric.rounds.2", "6"],
    ]


@pytest.mark.parametrize(
    ("part", "shown"),
    [(0.0, "[....]   0%"), (0.5, "[##..]  50%"), (1.0, "[####] 100%"), (7.0, "[####] 100%")],
)
def test_a_bar_stays_in_its_bounds(part, shown):
    assert bar(part, 4) == shown


class Terminal(StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("stream", "shows"), [(StringIO(), False), (Terminal(), True)])
def test_a_bar_is_for_terminals_only(stream, shows):
    progress = Progress(2, stream)

    progress.step("one")
    progress.close()

    assert ("one" in stream.getvalue()) is shows


def test_a_log_gets_a_line_in_five_seconds_and_no_more():
    stream, clock = StringIO(), iter([0.0, 1.0, 5.0, 5.0, 6.0, 10.0, 10.0])
    progress = Progress(4, stream, lambda: next(clock))

    for text in ("one", "two", "three", "four"):
        progress.step(text)
    progress.close()

    assert stream.getvalue() == " 50% two\n100% four\n"
