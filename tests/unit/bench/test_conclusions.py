"""What a user may conclude from a run, in one sentence each."""

import re

import pytest

from house import source
from tools.bench.conclusions import compared, lines

CALLS = {
    "1": {"fabric": {"p50_ms": 0.8, "p99_ms": 1.04}, "ratio": {"nats": 0.62, "c_router": 0.2}},
    "256": {"fabric": {"calls_per_s": 8792.4}, "ratio": {"nats": 1.731, "c_router": 0.03}},
}


def test_calls_are_told_as_a_time_a_rate_and_beside_each_choice():
    own, beside = lines({"calls": CALLS})

    assert own.startswith("- One call at a time takes 0.80 ms (p50), 1.04 ms (p99). With 256")
    assert own.endswith(" outstanding, one caller gets 8,792 answers a second.")
    assert beside.startswith("- For a call nats-py needs 0.62 times the CPU time of ours with 1 ")
    assert beside.endswith(" outstanding, 1.7 times the CPU time with 256.")


def test_the_other_kinds_have_one_line_each():
    kinds = {
        "idle": {"0": {"synapse_kib": 28_876.8}},
        "nobody": {"p50_ms": 0.3},
        "start": {"caller": {"p50_ms": 1.24}, "worker": {"p50_ms": 2.49}},
        "streaming": {"tokens_per_s": 20_779.0},
    }

    assert lines(kinds) == [
        "- One stream brings 20,779 tokens a second to its caller.",
        "- A task for a Neuron without a worker fails after 0.3 ms (p50).",
        "- A caller starts in 1.2 ms, a worker in 2.5 ms (p50).",
        "- A Synapse without clients takes 28 MiB of memory.",
    ]


def test_node_is_compared_by_cpu_time_if_it_was_compared_at_all():
    levels = {
        level: {"ratio": {"nats.js": n}} for level, n in (("1", 0.5), ("16", 1.2), ("256", 2))
    }

    (line,) = lines({"javascript": levels})

    assert "nats.js needs 0.5, 1.2 and 2 times the CPU time" in line
    assert lines({"javascript": {level: {} for level in levels}}) == []
    assert lines({"javascript": {}}) == []


def test_nothing_measured_is_nothing_concluded():
    assert lines({}) == []


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (0.62, "0.62 times the CPU time"),
        (0.96, "about the same CPU time"),
        (1.04, "about the same CPU time"),
        (4.64, "4.6 times the CPU time"),
    ],
)
def test_a_ratio_is_told_in_words(ratio, words):
    assert compared(ratio) == words


def test_the_page_begins_with_the_conclusions_of_its_own_figures():
    page = (source.ROOT / "docs/design/benchmarks.md").read_text()
    in_short = page.partition("measured in short: begin -->")[2].partition("<!--")[0]
    pinned = page.partition("measured pinned: begin -->")[2]

    (rate,) = re.findall(r"one caller gets ([\d,]+) answers", in_short)
    (row,) = re.findall(r"^\| cosmonapse +\|(.*)\|$", pinned.partition("calls: median")[2], re.M)[
        :1
    ]
    assert row.split("|")[-1].split()[0] == rate
    assert page.index("## In short") < page.index("## How to run it")
